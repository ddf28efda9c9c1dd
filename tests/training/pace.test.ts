// How many steps are timed to tell the length of a run of minutes. What a step takes is spun off on the clock, so a machine that stalls only times fewer.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stepsIn } from '../../src/training/pace.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steer-pace-'));
});
afterAll(() => rm(folder, { recursive: true }));

function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Times a run of minutes whose steps take so long; tells the steps that were timed and what was said. */
async function time(minutes: number, stepMs: number, fingerprint: string) {
  let made = 0;
  const told: (string | boolean)[] = [];
  const steps = await stepsIn(
    minutes,
    { runFolder: folder, fingerprint, evaluateEvery: 'auto' },
    {
      step: async () => {
        made++;
        spin(stepMs);
      },
      undo: () => told.push('undone'),
      lookSeconds: async () => 0,
      onNote: (text) => told.push(text),
      onTiming: (timing) => told.push(timing),
    },
  );
  return { steps, made, told };
}

test('ten steps are timed where there is time, once, and their number is kept', async () => {
  const { steps, made, told } = await time(10, 1, 'quick');
  expect([made, told]).toEqual([
    10,
    [
      true,
      'timing up to 10 steps, to tell how many take 10 minutes',
      'undone',
      false,
      expect.stringMatching(/ a step: \d+ steps$/),
    ],
  ]);
  expect(await time(10, 1, 'quick')).toEqual({ steps, made: 0, told: [told.at(-1)] });
});

test('fewer are timed where ten would eat the time, and one where it takes longer than all of it', async () => {
  expect((await time(0.001, 12, 'slow')).made).toBeLessThan(4);
  const { made, steps } = await time(0.0001, 20, 'slower');
  expect([made, steps]).toEqual([1, 1]);
});
