// Server and worker on one real Postgres, either ended by force at random while they label and while they fine-tune: nothing is lost, nothing is
// done twice, no job is stuck, and the curve is that of an undisturbed run. bench/crash.ts does the same and keeps the figures.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashSite, crashFinetuning, crashLabelling, makeCrashSite } from './crash-scenes.ts';

const seed = 11;
let folder: string;
let site: CrashSite;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steer-crash-'));
  site = await makeCrashSite(folder);
}, 120_000);
afterAll(async () => {
  await site.stop();
  await rm(folder, { recursive: true, force: true });
});

it(`labels every row once, in order (seed ${seed})`, { timeout: 240_000 }, async () => {
  const outcome = await crashLabelling(site, { kills: 20, rows: 5000, seed, predictor: 'npc-predictor' });
  expect(outcome).toMatchObject({ once: 5000, twice: 0, missing: 0, inOrder: true });
  // A quick machine may be done before the last.
  expect(outcome.kills).toBeGreaterThanOrEqual(10);
  expect(outcome.job).toMatchObject({ status: 'succeeded', progress: { total: 5000, completed: 5000, failed: 0 } });
});

it(`fine-tunes along the same curve (seed ${seed})`, { timeout: 240_000 }, async () => {
  const outcome = await crashFinetuning(site, { kills: 20, epochs: 30, seed });
  expect(outcome).toMatchObject({ sameSteps: true, largestDifference: 0 });
  expect(outcome.kills).toBeGreaterThanOrEqual(10);
  expect(outcome.attempts).toBeGreaterThan(1);
});
