import { expect, it } from 'vitest';
import { packSequences } from '../../src/training/packing.ts';

it('keeps every target exactly once, and no target crosses a segment', () => {
  const sequences = [5, 9, 30, 2, 8, 1, 17].map((length, s) => ({
    ids: Array.from({ length }, (_, j) => s * 100 + j),
    weights: Array.from({ length }, (_, j) => Number(j % 2 === 0)),
  }));
  const packed = packSequences(sequences, 8);
  const pairs: string[] = [];
  packed.ids.forEach((id, at) => {
    if (packed.segments[at] === 0) return;
    expect(packed.targets[at]).toBe(id + 1);
    expect(packed.weights[at]).toBe(Number((packed.targets[at]! % 100) % 2 === 0));
    pairs.push(`${id}→${packed.targets[at]}`);
  });
  const expected = sequences.flatMap(({ ids }) => ids.slice(1).map((id) => `${id - 1}→${id}`));
  expect(pairs.toSorted()).toEqual(expected.toSorted());
});

it('fills rows: short sequences share them', () => {
  const sequences = Array.from({ length: 100 }, () => ({ ids: [1, 2, 3, 4, 5], weights: [1, 1, 1, 1, 1] }));
  expect(packSequences(sequences, 16).rows).toBe(25);
});
