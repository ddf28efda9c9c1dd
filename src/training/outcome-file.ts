// What a finished run came to, kept in its folder: the same run asked for again is told so, and nothing is built or written anew.
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { exists } from '../model/formats/json-file.ts';
import { revisionOf } from '../model/model-folder.ts';
import { privateFile } from '../private-files.ts';
import { readPosition } from './checkpoint.ts';
import { decisiveOf, fingerprintOf } from './fingerprint.ts';
import type { RunSpec } from './recipe.ts';
import { plannedSteps } from './run-length.ts';
import type { TrainingSettings } from './training-settings.ts';
import type { TrainingTask } from './training-task.ts';

const fileName = 'outcome.json';

type Spec = Pick<RunSpec, 'runFolder' | 'out' | 'name' | 'dtype'>;

/** Of a run whose newest checkpoint is its last and whose model is where it was written, as it was written; else null. Throws what readPosition throws. */
export async function readOutcome<T>(spec: Spec, task: TrainingTask, settings: TrainingSettings): Promise<T | null> {
  const fingerprint = fingerprintOf(task, settings);
  const position = await readPosition(spec.runFolder, { fingerprint, decisive: decisiveOf(task, settings) });
  if (!position || plannedSteps(task, settings) !== position.step) return null;
  const path = join(spec.runFolder, fileName);
  if (!(await exists(path)) || !(await exists(join(spec.out, 'config.json')))) return null;
  const { outcome, written } = JSON.parse(await readFile(path, 'utf8'));
  // A model that can no longer be read is written anew.
  const now = await writtenBy(spec, fingerprint).catch(() => null);
  return JSON.stringify(written) === JSON.stringify(now) ? outcome : null;
}

/** Keeps what came out of a run whose model is written. */
export async function keepOutcome(spec: Spec, task: TrainingTask, settings: TrainingSettings, outcome: object): Promise<void> {
  const written = await writtenBy(spec, fingerprintOf(task, settings));
  await writeFile(join(spec.runFolder, fileName), `${JSON.stringify({ written, outcome })}\n`, { mode: privateFile });
}

async function writtenBy({ out, name, dtype }: Spec, fingerprint: string): Promise<object> {
  return { fingerprint, out: resolve(out), name, dtype, revision: await revisionOf(out) };
}
