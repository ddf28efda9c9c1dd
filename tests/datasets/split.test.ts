import { expect, test } from 'vitest';
import { splitOf } from '../../src/datasets/split.ts';

const ids = Array.from({ length: 20_000 }, (_, i) => `conversation ${i}`);

test('the share of conversations asked for is held out', () => {
  for (const share of [0.05, 0.3]) {
    const held = ids.filter((id) => splitOf(id, share) === 'validation').length;
    expect(Math.abs(held / ids.length - share)).toBeLessThan(0.01);
  }
  expect(ids.some((id) => splitOf(id, 0) === 'validation')).toBe(false);
  expect(ids.some((id) => splitOf(id, 1) === 'train')).toBe(false);
});

test('a larger share keeps what a smaller one held out', () => {
  const held = ids.filter((id) => splitOf(id, 0.05) === 'validation');
  expect(held.every((id) => splitOf(id, 0.1) === 'validation')).toBe(true);
});

test('the split never changes between versions: trained models depend on it', () => {
  const held = ids.slice(0, 100).filter((id) => splitOf(id) === 'validation');
  expect(held).toEqual(['conversation 47', 'conversation 53', 'conversation 62']);
});
