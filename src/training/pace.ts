// Runs that are given minutes: some steps are timed before the first one counts, and the number of steps that follows is fixed from then on.

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import { writeJson } from '../model/formats/json-file.ts';
import { privateFolder } from '../private-files.ts';
import { looksOfRun } from './schedule.ts';

/** Steps that are timed. What they change is undone. */
export const timedSteps = 10;
/** The first of them also warm up the machine. */
const warmingSteps = 2;

const paceSchema = z.object({
  /** Of the run that was timed. */
  fingerprint: z.string(),
  /** Seconds of a step, of a look at the held-out data, and of the timing itself. */
  step: z.number(),
  look: z.number(),
  timing: z.number(),
});
type Pace = z.infer<typeof paceSchema>;

/** File of a run folder that keeps the pace. */
export const paceFile = 'pace.json';

export interface Timed {
  step(): Promise<void>;
  /** Takes back what the steps changed. */
  undo(): void;
  /** Seconds that a look at the held-out data would take. */
  lookSeconds(): Promise<number>;
}

/** Number of steps that take about so many minutes, the looks among them included. Timed once a run folder. */
export async function stepsIn(
  minutes: number,
  { runFolder, fingerprint, evaluateEvery }: { runFolder: string; fingerprint: string; evaluateEvery: number | 'auto' },
  timed: Timed,
): Promise<number> {
  const path = join(runFolder, paceFile);
  let pace = await readPace(path, fingerprint);
  if (!pace) {
    pace = { fingerprint, ...(await timePace(timed)) };
    await mkdir(runFolder, { recursive: true, mode: privateFolder });
    await writeJson(path, pace);
  }
  const seconds = 60 * minutes - pace.timing;
  const steps =
    evaluateEvery === 'auto' ? (seconds - looksOfRun * pace.look) / pace.step : seconds / (pace.step + pace.look / evaluateEvery);
  return Math.max(1, Math.floor(steps));
}

async function readPace(path: string, fingerprint: string): Promise<Pace | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  const pace = text === null ? null : paceSchema.parse(JSON.parse(text));
  return pace?.fingerprint === fingerprint ? pace : null;
}

async function timePace({ step, undo, lookSeconds }: Timed): Promise<Omit<Pace, 'fingerprint'>> {
  const began = performance.now();
  const times: number[] = [];
  for (let i = 0; i < timedSteps; i++) {
    const started = performance.now();
    await step();
    if (i >= warmingSteps) times.push(performance.now() - started);
  }
  const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;
  const look = await lookSeconds();
  undo();
  return { step: median / 1000, look, timing: (performance.now() - began) / 1000 };
}
