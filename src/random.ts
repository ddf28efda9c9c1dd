// Seeded randomness that needs no stored state: a stream is named by its keys (seed, epoch, row …), so that any point of a run can be reached again.

/** Uniform numbers in [0, 1): splitmix32, started from an FNV-1a hash of the keys. */
export function randomStream(...keys: (number | string)[]): () => number {
  let state = 0x811c9dc5;
  for (const character of keys.join('/')) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Numbers 0 … count-1 in random order (Fisher–Yates). */
export function shuffledOrder(count: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const held = order[i] as number;
    order[i] = order[j] as number;
    order[j] = held;
  }
  return order;
}
