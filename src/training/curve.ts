// The figures of every step of a training run, in a file of its run folder. Written by the run itself, so that no step is missing whatever
// became of whoever started it; steps repeated after a crash replace what was written of them before.
import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writingTo } from '../errors.ts';
import { makeFolder, privateFile, privateFolder } from '../private-files.ts';
import type { Metrics } from './training-task.ts';

const fileName = 'metrics.jsonl';

/** Begins the curve of a run that starts over. */
export async function beginCurve(runFolder: string): Promise<void> {
  makeFolder(runFolder, privateFolder);
  await rm(join(runFolder, fileName), { force: true });
}

/** Adds a step. */
export async function appendToCurve(runFolder: string, metrics: Metrics): Promise<void> {
  // A line that a crash cut short ends where the next begins.
  await writingTo(runFolder, () => appendFile(join(runFolder, fileName), `\n${JSON.stringify(metrics)}`, { mode: privateFile }));
}

/** Figures by step up to step `last`, in order; of a step made twice the newer ones. */
export async function readCurve(runFolder: string, last = Number.POSITIVE_INFINITY): Promise<Metrics[]> {
  const text = await readFile(join(runFolder, fileName), 'utf8').catch(() => '');
  const steps = new Map<number, Metrics>();
  for (const line of text.split('\n')) {
    const metrics = parseLine(line);
    if (metrics && metrics.step <= last) steps.set(metrics.step, metrics);
  }
  return [...steps.values()].sort((a, b) => a.step - b.step);
}

function parseLine(line: string): Metrics | null {
  try {
    return line === '' ? null : (JSON.parse(line) as Metrics);
  } catch {
    return null;
  }
}
