// When an engine is freed: never under a call.
import { expect, test } from 'vitest';
import { EngineSlot } from '../../src/registry/engine-slot.ts';

function open() {
  const engine = {
    disposals: 0,
    async dispose() {
      engine.disposals++;
    },
  };
  return { engine, slot: new EngineSlot(engine) };
}

test('a retired engine is freed when the last of its calls has ended, and takes no new ones', async () => {
  const { engine, slot } = open();
  expect([slot.enter(), slot.enter()]).toEqual([true, true]);
  let gone = false;
  const retired = slot.retire().then(() => {
    gone = true;
  });
  expect(slot.enter()).toBe(false);
  slot.leave();
  await new Promise((resolve) => setImmediate(resolve));
  expect([engine.disposals, gone]).toEqual([0, false]);
  slot.leave();
  await retired;
  expect(engine.disposals).toBe(1);
});

test('an engine without calls is freed at once, and only once', async () => {
  const { engine, slot } = open();
  slot.enter();
  slot.leave();
  expect(engine.disposals).toBe(0);
  await slot.retire();
  await slot.retire();
  await slot.cut();
  expect(engine.disposals).toBe(1);
});

test('an engine may be cut off from its calls', async () => {
  const { engine, slot } = open();
  slot.enter();
  const retired = slot.retire();
  await slot.cut();
  await retired;
  slot.leave();
  expect(engine.disposals).toBe(1);
});
