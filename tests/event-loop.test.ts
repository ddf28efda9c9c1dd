// Many who want to work at once share the event loop with everything else.
import { expect, test } from 'vitest';
import { giveWay } from '../src/event-loop.ts';

/** Keeps the thread busy. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('between pieces of work that hundreds ask for at once the event loop turns', async () => {
  let turns = 0;
  let over = false;
  const turn = () => {
    turns++;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  const order: number[] = [];
  const callers = Array.from({ length: 40 }, async (_, i) => {
    await giveWay();
    work(3);
    order.push(i);
  });
  await Promise.all(callers);
  over = true;
  // 120 ms of work, 8 ms to a turn and a piece more.
  expect(turns).toBeGreaterThanOrEqual(9);
  expect(order.toSorted((a, b) => a - b)).toEqual(order);
});

test('who comes when nothing is done waits for nobody', async () => {
  await new Promise((resolve) => setTimeout(resolve));
  let turned = false;
  setImmediate(() => (turned = true));
  await giveWay();
  expect(turned).toBe(false);
});
