// A server's memory after its start: room for short-lived objects does not grow until the start is over, and what was used for it is collected then.
import { getHeapSpaceStatistics } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { startLean } from '../../src/cli/lean-start.ts';

const room = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')!.space_size;
/** Pages are counted whole. */
const mostMore = 2 ** 21;
const objects = () => Array.from({ length: 1_000_000 }, (_, i) => ({ i }));

test('room stays as it is until the start is over, which collects what was read', async () => {
  const endLean = startLean();
  const before = room();
  const read = new WeakRef(objects());
  expect(room()).toBeLessThan(before + mostMore);
  // What a turn has looked at is kept until it is over.
  await new Promise((resolve) => setImmediate(resolve));
  endLean();
  expect(read.deref()).toBeUndefined();
  expect(runInNewContext('typeof gc')).toBe('undefined');
  const kept = [objects(), objects(), objects()];
  expect(room()).toBeGreaterThan(before + mostMore);
  expect(kept).toHaveLength(3);
});
