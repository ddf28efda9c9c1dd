// Whole numbers as the runtime takes them.
import type { Tensor } from './session.ts';

/** The values as a tensor of that shape, 64 bits each. */
export function int64(values: ArrayLike<number>, shape: readonly number[]): Tensor {
  const data = new BigInt64Array(values.length);
  for (let i = 0; i < values.length; i++) data[i] = BigInt(values[i] as number);
  return { data, shape };
}
