// A small seeded generator of random numbers and the few draws the corpus needs.
// The same seed gives the same draws on every machine.

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** Whole number in [low, high]. */
  between(low: number, high: number): number;
  /** One entry, all equally likely. Throws on an empty list. */
  pick<T>(entries: readonly T[]): T;
  /** Index into `weights`, likely in proportion to its weight. */
  weighted(weights: readonly number[]): number;
  /** The same list, its entries in random order. */
  shuffle<T>(entries: T[]): T[];
}

/** Random draws from a 32-bit seed (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }
  function pick<T>(entries: readonly T[]): T {
    const entry = entries[Math.floor(next() * entries.length)];
    if (entry === undefined) throw new RangeError('Expected a list with entries to pick from, found an empty one.');
    return entry;
  }
  function weighted(weights: readonly number[]): number {
    let left = next() * weights.reduce((sum, weight) => sum + weight, 0);
    for (let i = 0; i < weights.length; i++) {
      left -= weights[i] as number;
      if (left < 0) return i;
    }
    return weights.length - 1;
  }
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  function shuffle<T>(entries: T[]): T[] {
    for (let i = entries.length - 1; i > 0; i--) {
      const j = between(0, i);
      [entries[i], entries[j]] = [entries[j] as T, entries[i] as T];
    }
    return entries;
  }
  return { next, chance: (p) => next() < p, between, pick, weighted, shuffle };
}

/** Stable 32-bit hash of a text (FNV-1a), for choices that must not depend on the order of draws. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}
