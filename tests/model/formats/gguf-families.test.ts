// Models of each family as llama.cpp's converter writes them: the shape and every parameter come out as they are in Hugging Face's layout.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { families, ggufName, isPaired, pairedRow } from '../../../src/model/formats/gguf-families.ts';
import { readShape } from '../../../src/model/model-folder.ts';
import { type LlamaShape, parameterShapes } from '../../../src/model/shape.ts';
import { openWeights } from '../../../src/model/weights.ts';
import { readGolden } from '../../engine/models.ts';
import { bool, float32, ggufFile, list, text, uint32 } from './gguf-file.ts';

const scratch = await mkdtemp(join(tmpdir(), 'gguf-families-'));
afterAll(() => rm(scratch, { recursive: true }));

type Values = Parameters<typeof ggufFile>[0];

function header(architecture: string, shape: LlamaShape, further: Values): Values {
  const own: Values = [
    ['context_length', uint32(shape.contextLength)],
    ['embedding_length', uint32(shape.hiddenSize)],
    ['block_count', uint32(shape.layers)],
    ['feed_forward_length', uint32(shape.intermediateSize)],
    ['attention.head_count', uint32(shape.heads)],
    ['attention.head_count_kv', uint32(shape.kvHeads)],
    ['attention.key_length', uint32(shape.headDim)],
    ['attention.layer_norm_rms_epsilon', float32(shape.normEpsilon)],
    ['rope.freq_base', float32(shape.ropeTheta)],
    ...further,
  ];
  const named = own.map(([key, value]): Values[number] => [`${architecture}.${key}`, value]);
  return [['general.architecture', text(architecture)], ...named];
}

/** A parameter as the file has it. */
function stored(
  architecture: string,
  { headDim }: LlamaShape,
  name: string,
  values: Float32Array,
  columns: number,
): Float32Array {
  const family = families[architecture]!;
  if (name.endsWith('norm.weight')) return values.map((weight) => weight + (family.normShift ?? 0));
  if (!isPaired(name, family)) return values;
  const paired = new Float32Array(values.length);
  for (let row = 0; row < values.length / columns; row++) {
    paired.set(values.subarray(row * columns, (row + 1) * columns), pairedRow(row, headDim) * columns);
  }
  return paired;
}

/** What a file cannot say of the golden models, or says by itself. */
const cases: [string, string, Values, Partial<LlamaShape>][] = [
  [
    'gemma3',
    'gemma3',
    [
      ['attention.sliding_window', uint32(5)],
      ['attention.sliding_window_pattern', list([bool(true), bool(true), bool(false)])],
      ['rope.freq_base_swa', float32(100)],
      ['rope.scaling.type', text('linear')],
      ['rope.scaling.factor', float32(2)],
    ],
    { attentionMultiplier: 1 / Math.sqrt(8) },
  ],
  [
    'granite',
    'granite',
    [
      ['embedding_scale', float32(3)],
      ['attention.scale', float32(0.25)],
      ['residual_scale', float32(0.4)],
      ['logit_scale', float32(1.5)],
    ],
    {},
  ],
  // llama.cpp divides by √headDim where the file says nothing; transformers would not.
  [
    'granite',
    'granite',
    [['logit_scale', float32(1.5)]],
    { embeddingMultiplier: 1, residualMultiplier: 1, attentionMultiplier: 1 / Math.sqrt(8) },
  ],
  // Every fourth layer is without rotation there.
  ['smollm3', 'smollm3', [], { unrotatedLayers: [] }],
];

test.each(cases)('%s as %s', async (golden, architecture, further, otherwise) => {
  const { shape, values } = await readGolden(golden);
  const tensors = [...parameterShapes(shape)].map(([name, dims]) => {
    const numbers = stored(architecture, shape, name, values.get(name)!, dims.at(-1)!);
    return {
      name: ggufName(name, families[architecture]!)!,
      shape: dims,
      data: new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength),
    };
  });
  const folder = await mkdtemp(join(scratch, 'model-'));
  await writeFile(join(folder, 'model.gguf'), ggufFile(header(architecture, shape, further), tensors));
  const found = await readShape(folder);
  const expected: LlamaShape = { ...shape, ...otherwise };
  expect(found).toEqual({ ...expected, attentionMultiplier: found.attentionMultiplier });
  if (expected.attentionMultiplier !== null) expect(found.attentionMultiplier).toBeCloseTo(expected.attentionMultiplier, 6);
  const weights = await openWeights(folder, found);
  for (const name of weights.names) {
    const read = await weights.read(name);
    const furthest = read.reduce((most, value, i) => Math.max(most, Math.abs(value - values.get(name)![i]!)), 0);
    expect(furthest, name).toBeLessThan(3e-7);
  }
  await weights.close();
});
