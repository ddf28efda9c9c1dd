// How short the texts are that a rule reads.
import type { State } from './state.ts';

/** (256): of each byte the lowest from it on that counts, 256 where none does. */
export type CountedBytes = Uint16Array;

export const everyByte: CountedBytes = Uint16Array.from({ length: 256 }, (_, byte) => byte);

/**
 * (states): how few bytes lead from a state to the end of its rule, infinite where nothing does. `firsts` ascend: where the states of each rule
 * begin. `round` is called before each time that all states are gone through.
 */
export function fewestBytes(
  states: readonly State[],
  firsts: readonly number[],
  { counted = everyByte, round }: { counted?: CountedBytes; round?: () => void } = {},
): Float64Array {
  const fewest = new Float64Array(states.length).fill(Number.POSITIVE_INFINITY);
  const of = ({ id }: State): number => fewest[id]!;
  const found = (state: State): number => {
    switch (state.kind) {
      case 'end':
        return 0;
      case 'bytes':
        return 1 + least(state.edges, ({ first, last, next }) => (counted[first]! <= last ? of(next) : Number.POSITIVE_INFINITY));
      case 'split':
        return least(state.next, of);
      case 'call':
        return of(state.rule.start) + of(state.next);
    }
  };
  // In a rule, a state is made after those it leads to. A rule is made after those it calls or before them, mostly in one order throughout.
  const rules = firsts.map((first, i) => states.slice(first, firsts[i + 1]));
  for (let changed = true; changed; rules.reverse()) {
    changed = false;
    round?.();
    for (const rule of rules) {
      for (const state of rule) {
        const now = found(state);
        if (now >= fewest[state.id]!) continue;
        fewest[state.id] = now;
        changed = true;
      }
    }
  }
  return fewest;
}

function least<T>(all: readonly T[], of: (one: T) => number): number {
  let found = Number.POSITIVE_INFINITY;
  for (const one of all) found = Math.min(found, of(one));
  return found;
}
