// Weights of any shape for benches that ask what a big model costs, not what it says.
import { type LlamaShape, parameterShapes } from '../src/model/shape.ts';
import { randomStream } from '../src/random.ts';

/** Values over and over from one stretch of noise, so that a billion of them take seconds. No two tensors are alike: the runtime would keep one. */
export function* randomWeights(of: LlamaShape): Generator<[string, Float32Array]> {
  const next = randomStream(1, 'big model');
  const noise = Float32Array.from({ length: 1_000_003 }, () => (next() + next() + next() - 1.5) * 0.04);
  for (const [name, dims] of parameterShapes(of)) {
    const values = new Float32Array(dims.reduce((product, size) => product * size, 1));
    if (name.endsWith('norm.weight')) values.fill(1);
    else {
      const start = Math.floor(next() * noise.length);
      values.set(noise.subarray(start, start + values.length));
      for (let at = noise.length - start; at < values.length; at += noise.length) {
        values.set(noise.subarray(0, values.length - at), at);
      }
    }
    yield [name, values];
  }
}
