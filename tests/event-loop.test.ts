// Many who want to work at once share the event loop with everything else.
import { expect, test } from 'vitest';
import { awaitRoom, giveWay } from '../src/event-loop.ts';
import { turnsOf } from './turns-of.ts';

/** Keeps the thread busy. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('between pieces of work that many ask for in the same moment the event loop turns, and they keep their order', async () => {
  const order: number[] = [];
  const pieces = Array.from({ length: 40 }, (_, i) => i);
  const turns = await turnsOf(() =>
    Promise.all(
      pieces.map(async (i) => {
        await awaitRoom();
        work(3);
        order.push(i);
      }),
    ),
  );
  // Four pieces of 3 ms fill a turn.
  expect(turns).toBeGreaterThanOrEqual(9);
  expect(order).toEqual(pieces);
});

test('one who does piece after piece lets the event loop turn as well', async () => {
  const turns = await turnsOf(async () => {
    for (let i = 0; i < 40; i++) {
      await giveWay();
      work(3);
    }
  });
  expect(turns).toBeGreaterThanOrEqual(9);
});
