// The steering vectors of a model over HTTP: told, added from an uploaded file, removed, and what is refused.
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { beforeEach, expect, test } from 'vitest';
import { vectorsName } from '../../src/model/vectors/kept-vectors.ts';
import { direction, openScratch, row, writeControlFile } from '../model/vectors/vector-files.ts';
import { writeTinyModel } from '../tiny-model.ts';
import { type House, knock, openHouse } from './knock.ts';

const at = openScratch();
let count = 0;
let folder: string;
let house: House;

beforeEach(async () => {
  folder = at(`tiny-${++count}`);
  await writeTinyModel(folder, { kind: 'steered', name: 'parrot', layers: 3 });
  house = openHouse();
  house.shelf.folders = { parrot: folder };
});

const path = '/v1/models/default/vectors';
const happy = async (saying = {}) => readFileSync(await writeControlFile(at('bytes.gguf'), saying));

function upload(bytes: Uint8Array<ArrayBuffer>, fields: Record<string, string> = {}, name = 'happy.gguf') {
  const body = new FormData();
  for (const [field, value] of Object.entries(fields)) body.set(field, value);
  body.set('file', new Blob([bytes]), name);
  return knock(house, path, { method: 'POST', body });
}

test('a file is uploaded, told of and removed', async () => {
  expect((await knock(house, path)).body).toEqual({ object: 'list', data: [] });
  const joy = { object: 'model.vector', name: 'joy', range: [-2, 0.5], revision: expect.stringMatching(/^\w{12}$/) };
  const added = await upload(new Uint8Array(await happy()), { name: 'joy', range: '-2,.5' });
  expect([added.status, added.body]).toEqual([200, { object: 'list', data: [joy] }]);
  await upload(new Uint8Array(await happy()));
  expect((await knock(house, path)).body.data).toEqual([joy, { ...joy, name: 'happy', range: [-1, 1] }]);
  const removed = await knock(house, `${path}/joy`, { method: 'DELETE' });
  expect([removed.status, removed.body]).toEqual([200, { object: 'model.vector', name: 'joy', deleted: true }]);
  const again = await knock(house, `${path}/joy`, { method: 'DELETE' });
  expect([again.status, again.body.error.code]).toEqual([400, 'unknown_vector']);
});

test('what is refused is named, and nothing of it stays', async () => {
  const whole = new Uint8Array(await happy());
  const spools = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('steer-vectors-')).length;
  const before = await spools();
  const cases = [
    [
      await upload(whole.slice(0, 60)),
      422,
      'invalid_vector',
      'file',
      /^happy\.gguf is not a whole GGUF file: .* Copy or download it again\.$/,
    ],
    [
      await upload(new TextEncoder().encode('hello there')),
      422,
      'invalid_vector',
      'file',
      /^happy\.gguf is not a whole safetensors/,
    ],
    [await upload(new Uint8Array()), 422, 'invalid_vector', 'file', /happy\.gguf/],
    [
      await upload(new Uint8Array(await happy({ tensors: [direction(1, row(1, 8))] }))),
      422,
      'invalid_vector',
      'file',
      /the width of parrot, found 8/,
    ],
    [await upload(whole, { range: 'wide' }), 400, 'invalid_request', 'range', /found wide/],
    [await upload(whole, { name: 'a/b' }), 400, 'invalid_request', 'name', /found "a\/b"/],
    [await knock(house, path, { method: 'POST', body: whole }), 415, 'unsupported_media_type', null, /multipart/],
    [await knock(house, '/v1/models/nobody/vectors'), 404, 'model_not_found', 'model', /nobody/],
  ] as const;
  for (const [{ status, body }, ...expected] of cases) {
    const { code, param, message } = body.error;
    expect([status, code, param]).toEqual(expected.slice(0, 3));
    expect(message).toMatch(expected[3]);
  }
  await upload(whole);
  const taken = await upload(whole);
  expect([taken.status, taken.body.error.code]).toEqual([409, 'conflict']);
  expect(await readdir(folder)).toContain(vectorsName);
  expect(await spools()).toBe(before);
});
