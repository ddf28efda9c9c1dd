// Different values are counted as a set counts them.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { DistinctCount } from '../../src/datasets/distinct-count.ts';

test('counts each value once, however many there are and however they are told', () => {
  const count = new DistinctCount();
  for (let i = 0; i < 30_000; i++) count.add(`value ${i % 9_973}`);
  expect(count.count).toBe(9_973);
  for (let i = 0; i < 10_000; i++) count.addHash(createHash('sha256').update(`value ${i}`).digest('hex'));
  expect(count.count).toBe(10_000);
  for (const hash of ['0000000000000000', '00000001ffffffff', '00000002ffffffff', '00000002ffffffff']) count.addHash(hash);
  expect(count.count).toBe(10_003);
});
