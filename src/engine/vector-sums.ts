// What steering vectors add while tokens are read: one sum for all of them, a row for each layer, from which token on.

/** (layers, D): row i is added to what layer i gives, counted from 0. Whoever asks makes it once and passes the same object wherever it counts. */
export type VectorSum = Float32Array;

/** The tokens vectors are added to: from the last one of the prompt on, or all. */
export const vectorTokenChoices = ['reply', 'all'] as const;
export type VectorTokens = (typeof vectorTokenChoices)[number];

/** A sum that counts from token `from` of a reading on, until the next one does. */
export interface SumFrom {
  from: number;
  /** None is added where it is absent. */
  sum: VectorSum | undefined;
}

/** Sums in the order in which they begin to count; before the first none is added. */
export type SumsOfReading = readonly SumFrom[];

/** Tokens before the first one that a sum is added to, whose keys and values are those of any reading that begins alike. */
export function plainTokens(sums: SumsOfReading): number {
  return sums.find(({ sum }) => sum)?.from ?? Number.POSITIVE_INFINITY;
}

/** The sum of each of `count` tokens from `start` on. */
export function sumsBetween(sums: SumsOfReading, start: number, count: number): (VectorSum | undefined)[] {
  return Array.from({ length: count }, (_, i) => sums.findLast(({ from }) => from <= start + i)?.sum);
}
