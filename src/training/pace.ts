// Runs that are given minutes: some steps are timed before the first one counts, and the number of steps that follows is fixed from then on.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { writeJson } from '../model/formats/json-file.ts';
import { counted } from '../number-text.ts';
import { makeFolder, privateFolder } from '../private-files.ts';
import { looksOfRun } from './schedule.ts';

/** Most steps that are timed. What they change is undone. */
const timedSteps = 10;
/** The first of them also warm up the machine, unless there is but one more. */
const warmingSteps = 2;
/** Of a large model fewer are timed: no more once they have taken this share of the time the run is given, where there is time for two. */
const timingShare = 0.1;
/** Between two notes of how far the timing is. */
const tellEveryMs = 2_000;

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
  onNote(text: string): void;
  /** Whether steps are being timed: meanwhile there is nothing that a stop could keep. */
  onTiming(timing: boolean): void;
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
    pace = { fingerprint, ...(await timePace(minutes, timed)) };
    makeFolder(runFolder, privateFolder);
    await writeJson(path, pace);
  }
  const steps = stepsAt(pace, minutes, evaluateEvery);
  timed.onNote(`${counted(minutes, 'minute')} at ${spoken(pace.step)} a step: ${counted(steps, 'step')}`);
  return steps;
}

function stepsAt(pace: Pace, minutes: number, evaluateEvery: number | 'auto'): number {
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

async function timePace(minutes: number, timed: Timed): Promise<Omit<Pace, 'fingerprint'>> {
  const began = performance.now();
  timed.onTiming(true);
  timed.onNote(`timing up to ${timedSteps} steps, to tell how many take ${counted(minutes, 'minute')}`);
  const times = await timeSteps(minutes * 60_000, timed);
  const look = await timed.lookSeconds();
  timed.undo();
  timed.onTiming(false);
  const counting = times.slice(Math.min(warmingSteps, times.length - 1)).sort((a, b) => a - b);
  const median = counting[Math.floor(counting.length / 2)]!;
  return { step: median / 1000, look, timing: (performance.now() - began) / 1000 };
}

/** Milliseconds of each step, until there are enough for a run of `givenMs`. */
async function timeSteps(givenMs: number, { step, onNote }: Timed): Promise<number[]> {
  const began = performance.now();
  const times: number[] = [];
  let told = began;
  const isEnough = (tookMs: number) => times.length > 0 && tookMs >= (times.length === 1 ? 1 : timingShare) * givenMs;
  while (times.length < timedSteps && !isEnough(performance.now() - began)) {
    // A step never yields to the event loop for long: let a stop in.
    await setImmediate();
    const started = performance.now();
    await step();
    const now = performance.now();
    times.push(now - started);
    if (now - told < tellEveryMs) continue;
    told = now;
    onNote(`timed step ${times.length} of up to ${timedSteps}: ${spoken((now - started) / 1000)}`);
  }
  return times;
}

function spoken(seconds: number): string {
  return seconds < 1 ? `${Math.ceil(1000 * seconds)} ms` : `${seconds.toFixed(1)} s`;
}
