import { expect, test } from 'vitest';
import { parseShape } from '../../src/model/config-json.ts';
import { type LlamaShape, parameterShapes, ropeFrequencies } from '../../src/model/shape.ts';
import { llama32 } from './configs.ts';
import { tinyShape } from './tiny-shape.ts';

const tiny: LlamaShape = { ...tinyShape, vocabSize: 300, tiedEmbeddings: false };

test('parameters come in order, projections as (out, in)', () => {
  const shapes = parameterShapes(tiny);
  expect([...shapes.keys()].slice(0, 3)).toEqual([
    'model.embed_tokens.weight',
    'model.layers.0.input_layernorm.weight',
    'model.layers.0.self_attn.q_proj.weight',
  ]);
  expect([...shapes.keys()].slice(-2)).toEqual(['model.norm.weight', 'lm_head.weight']);
  expect(shapes.get('model.layers.1.self_attn.v_proj.weight')).toEqual([8, 16]);
  expect(shapes.get('model.layers.1.mlp.down_proj.weight')).toEqual([16, 24]);
  expect(shapes.size).toBe(1 + 2 * 9 + 2);
});

test('rotary frequencies fall from 1, and Llama 3 scaling divides only the slow ones', () => {
  expect([...ropeFrequencies(tiny)]).toEqual([1, 0.01]);
  const plain = ropeFrequencies({ ...parseShape(llama32, 'config.json'), ropeScaling: null });
  const scaled = ropeFrequencies(parseShape(llama32, 'config.json'));
  expect(scaled).toHaveLength(32);
  // Wavelength 2π·θ^(2i/64): below 8192/4 it stays, above 8192 it is stretched 32 times, between them lies a ramp.
  for (const [i, frequency] of plain.entries()) {
    const wavelength = (2 * Math.PI) / frequency;
    const ratio = frequency / scaled[i]!;
    if (wavelength < 2048) expect(ratio).toBe(1);
    else if (wavelength > 8192) expect(ratio).toBeCloseTo(32, 9);
    else {
      const smooth = (8192 / wavelength - 1) / 3;
      expect(scaled[i]! / frequency).toBeCloseTo((1 - smooth) / 32 + smooth, 9);
    }
  }
});
