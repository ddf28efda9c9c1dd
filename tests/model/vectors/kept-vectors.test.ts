// The steering vectors of a model's folder: what is added from either format, what is refused and why, and their sums.
import { readFileSync, writeFileSync } from 'node:fs';
import { readdir, truncate } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { readControlVector } from '../../../src/model/formats/control-vector.ts';
import { openTensorFile, writeTensorFile } from '../../../src/model/formats/safetensors.ts';
import {
  addVectors,
  exportVector,
  listVectors,
  removeVector,
  steeringVectors,
  vectorsName,
} from '../../../src/model/vectors/kept-vectors.ts';
import { modelBaseOf } from '../../../src/model/vectors/model-base.ts';
import { type VectorRange, writeVectorFile } from '../../../src/model/vectors/vector-file.ts';
import { lockFolder } from '../../../src/store/folder-lock.ts';
import { writeTinyModel } from '../../tiny-model.ts';
import { direction, layers, openScratch, row, width, writeControlFile } from './vector-files.ts';

const at = openScratch();
let count = 0;
let folder: string;

beforeEach(async () => {
  folder = at(`tiny-${++count}`);
  await writeTinyModel(folder, { kind: 'steered', name: 'tiny', layers });
});

/** Rows of layers 0, 1 and 2. */
const rows = (...parts: Float32Array[]) => Float32Array.from(parts.flatMap((part) => [...part]));
const none = new Float32Array(width);
const vector = (values: Float32Array, range: VectorRange = [-1, 1]) => ({ layers, width, values, range });
const names = async () => (await listVectors(folder)).map(({ name }) => name);
const sum = (weights: Record<string, number>) => steeringVectors(folder, 'tiny').sum(weights);

describe('a control vector of llama.cpp', () => {
  it('is called as its file is, and its directions are the rows of their layers', async () => {
    const path = await writeControlFile(at('happy.control-vector.gguf'));
    expect(await addVectors(folder, path)).toEqual([
      { name: 'happy', range: [-1, 1], revision: expect.stringMatching(/^\w{12}$/) },
    ]);
    expect(await sum({ happy: 1 })).toEqual(rows(none, row(1), row(2)));
    expect(await sum({ happy: 0.5 })).toEqual(rows(none, row(1), row(2)).map((value) => 0.5 * value));
  });

  it('adds nothing in a layer it has no direction for', async () => {
    await addVectors(folder, await writeControlFile(at('one.gguf'), { tensors: [direction(2)], hint: 'mistral' }), {
      name: 'late',
    });
    expect(await sum({ late: 1 })).toEqual(rows(none, none, row(2)));
  });

  it('is written as it was read', async () => {
    await addVectors(folder, await writeControlFile(at('calm.gguf'), { tensors: [direction(2)] }), { range: [0, 3] });
    await exportVector(folder, 'calm', at('out.gguf'));
    expect(await readControlVector(at('out.gguf'))).toEqual({ modelHint: 'llama', directions: new Map([[2, row(2)]]) });
  });

  const broken = Float32Array.of(...row(1).slice(1), Number.NaN);
  it.each([
    [
      'width',
      { tensors: [direction(1, row(1, width + 8))] },
      /expected directions of 16 numbers, the width of tiny, found 24 in direction\.1\. Add it to/,
    ],
    ['layer', { tensors: [direction(1), direction(3)] }, /direction\.3 steers layer 3, and tiny has layers 0 to 2\. Add it to/],
    ['family', { hint: 'qwen2' }, /was made for a qwen2 model, and tiny is a llama\. Add it to/],
    ['number', { tensors: [direction(1, broken)] }, /direction\.1 holds what is no finite number\. Make or download/],
    ['kind of file', { architecture: 'llama' }, /expected general\.architecture to be controlvector, found "llama"\./],
    ['name of a row', { tensors: [direction(0)] }, /expected F32 rows direction\.1, direction\.2, … alone, found direction\.0/],
    [
      'type',
      { tensors: [{ ...direction(1), type: 1, data: new Uint8Array(2 * width) }] },
      /alone, found direction\.1, F16 of 1 dim/,
    ],
    ['nothing in it', { tensors: [] }, /expected at least one direction, found none/],
  ])('is refused for its %s', async (_, saying, message) => {
    const path = await writeControlFile(at('bad.gguf'), saying);
    await expect(addVectors(folder, path, { told: 'mine.gguf' })).rejects.toMatchObject({
      ...{ code: 'invalid_vector', details: { param: 'file' } },
      message: expect.stringMatching(new RegExp(`^mine\\.gguf.*${message.source}`)),
    });
    expect(await readdir(folder)).not.toContain(vectorsName);
  });
});

describe('a file of this program', () => {
  const both = async (base = folder) => {
    const vectors = new Map([
      ['happy', vector(rows(row(1), row(2), row(3)), [-2, 2])],
      ['constructor', vector(rows(row(4), none, none), [0, 1])],
    ]);
    await writeVectorFile(at('both.safetensors'), { base: await modelBaseOf(base), vectors });
    return at('both.safetensors');
  };

  it('is plain safetensors, and gives names, ranges and numbers', async () => {
    const path = await both();
    const file = await openTensorFile(path);
    expect([...file.shapes]).toEqual([
      ['vectors.happy', [layers, width]],
      ['vectors.constructor', [layers, width]],
    ]);
    expect(JSON.parse(file.metadata.get('ranges')!)).toEqual({ happy: [-2, 2], constructor: [0, 1] });
    await file.close();
    expect((await addVectors(folder, path)).map(({ name, range }) => [name, range])).toEqual([
      ['happy', [-2, 2]],
      ['constructor', [0, 1]],
    ]);
    const mixed = rows(row(1), row(2), row(3)).map((value, i) => 2 * value + (i < width ? 0.5 * row(4)[i]! : 0));
    expect(await sum({ happy: 2, constructor: 0.5 })).toEqual(mixed);
    expect(await sum({ constructor: 0.5, happy: 2 }), 'in any order').toEqual(mixed);
    await expect(exportVector(folder, 'happy', at('no.gguf'))).rejects.toMatchObject({
      code: 'invalid_vector',
      message: expect.stringMatching(/^happy steers layer 0, which control vectors of llama\.cpp cannot/),
    });
  });

  it('is refused where it was made for another model', async () => {
    await writeTinyModel(at('other'), { kind: 'steered', name: 'other', layers: 2 });
    await expect(addVectors(folder, await both())).resolves.toHaveLength(2);
    await expect(addVectors(at('other'), await both())).rejects.toMatchObject({
      code: 'invalid_vector',
      message:
        'both.safetensors was made for another model than other: its layers is 3, that of other 2. Add it to the model it was made for.',
    });
  });

  it('is refused where it is torn, or something else', async () => {
    const path = await both();
    await truncate(path, 700);
    await expect(addVectors(folder, path)).rejects.toMatchObject({
      code: 'invalid_vector',
      message: expect.stringMatching(/^both\.safetensors is not a whole safetensors file: .* Copy or download it again\.$/),
    });
    await writeTensorFile(path, new Map([['a', [1]]]), [['a', Float32Array.of(1)]], 'F32');
    await expect(addVectors(folder, path)).rejects.toMatchObject({
      message: expect.stringMatching(
        /no file of steering vectors: expected the format steer-vectors-1 in its metadata, found "pt"/,
      ),
    });
    writeFileSync(path, '');
    await expect(addVectors(folder, path)).rejects.toMatchObject({ code: 'invalid_vector' });
  });
});

describe('the vectors of a folder', () => {
  const happy = () => writeControlFile(at('happy.gguf'));

  it('are added under a name and a range, and removed', async () => {
    await addVectors(folder, await happy(), { name: 'joy', range: [-0.5, 2] });
    await addVectors(folder, await happy());
    expect((await listVectors(folder)).map(({ name, range }) => [name, range])).toEqual([
      ['joy', [-0.5, 2]],
      ['happy', [-1, 1]],
    ]);
    await removeVector(folder, 'joy');
    expect(await names()).toEqual(['happy']);
    await expect(removeVector(folder, 'joy')).rejects.toMatchObject({ code: 'unknown_vector' });
    await removeVector(folder, 'happy');
    expect(await readdir(folder)).not.toContain(vectorsName);
    expect(await names()).toEqual([]);
  });

  it.each([
    ['a name', { name: '../x' }, 'name'],
    ['a range', { range: [1, -1] as VectorRange }, 'range'],
    ['an endless range', { range: [0, Number.POSITIVE_INFINITY] as VectorRange }, 'range'],
  ])('refuse what is not %s', async (_, given, param) => {
    await expect(addVectors(folder, await happy(), given)).rejects.toMatchObject({ code: 'invalid_request', details: { param } });
  });

  it('keep what is there under a name', async () => {
    await addVectors(folder, await happy());
    const before = readFileSync(`${folder}/${vectorsName}`);
    await expect(addVectors(folder, await happy())).rejects.toMatchObject({
      code: 'conflict',
      message: 'name: tiny has a vector happy already. Choose another name, or remove that one first.',
    });
    expect(readFileSync(`${folder}/${vectorsName}`)).toEqual(before);
  });

  it('are all there when several are added at once, and wait for the lock of the model', async () => {
    const release = await lockFolder(at(`.tiny-${count}.lock`), { code: 'conflict', what: 'It', remedy: '' });
    const path = await happy();
    const adding = Promise.all(['a', 'b', 'c'].map((name) => addVectors(folder, path, { name })));
    release();
    await adding;
    expect((await names()).sort()).toEqual(['a', 'b', 'c']);
  });

  it('have no sum where nothing is asked, and tell the nearest name and the range otherwise', async () => {
    expect(await sum({})).toBeUndefined();
    await expect(sum({ happy: 1 })).rejects.toMatchObject({
      code: 'unknown_vector',
      message: expect.stringMatching(/It has none/),
    });
    await addVectors(folder, await happy());
    expect(await sum({ happy: 0 })).toBeUndefined();
    await expect(sum({ hapy: 1 })).rejects.toMatchObject({
      code: 'unknown_vector',
      message: 'tiny has no steering vector "hapy". Did you mean happy?',
      details: { param: 'vectors.hapy' },
    });
    for (const weight of [1.01, Number.NaN, Number.NEGATIVE_INFINITY]) {
      await expect(steeringVectors(folder, 'tiny').sum({ happy: weight }, 'steering.vectors')).rejects.toMatchObject({
        code: 'vector_out_of_range',
        message: `Expected happy between -1 and 1, got ${weight}.`,
        details: { param: 'steering.vectors.happy' },
      });
    }
    await expect(sum(JSON.parse('{"__proto__": 1}'))).rejects.toMatchObject({ code: 'unknown_vector' });
  });

  it('are refused when the file is torn or another model took the place, and can be removed then', async () => {
    await addVectors(folder, await happy());
    await addVectors(folder, await happy(), { name: 'second' });
    await writeTinyModel(folder, { kind: 'steered', name: 'tiny', layers: 2 });
    const foreign = {
      code: 'invalid_vector',
      message: expect.stringMatching(/^vectors\.safetensors of tiny was made for another model/),
    };
    await expect(sum({ happy: 1 })).rejects.toMatchObject(foreign);
    await expect(addVectors(folder, await writeControlFile(at('new.gguf'), { tensors: [direction(1)] }))).rejects.toMatchObject(
      foreign,
    );
    await removeVector(folder, 'happy');
    await expect(sum({ second: 1 }), 'what is left is still of the other model').rejects.toMatchObject(foreign);
    await truncate(`${folder}/${vectorsName}`, 300);
    await expect(sum({ second: 1 })).rejects.toMatchObject({
      code: 'invalid_vector',
      message: expect.stringMatching(/^vectors\.safetensors of tiny-/),
    });
  });

  it('are no business of a predictor', async () => {
    await writeTinyModel(at('rater'), { kind: 'predictor', name: 'rater', layers });
    await expect(addVectors(at('rater'), await happy())).rejects.toMatchObject({
      code: 'invalid_request',
      details: { param: 'model' },
    });
  });
});
