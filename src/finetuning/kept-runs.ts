// Run folders of jobs that have ended. The newest few are kept with their last checkpoint, so that a further job can go on from there and make the
// run longer.
import { cp, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SteerError } from '../errors.ts';
import type { JobContext } from '../jobs/define.ts';
import { findJob } from '../jobs/jobs.ts';
import { listCheckpoints } from '../training/checkpoint.ts';
import { type FinetuningInput, type FinetuningState, finetuningKind, readFinetuningJob, type TrainingPlan } from './job-input.ts';
import { endedAmong } from './job-records.ts';
import { lengthOf } from './plan.ts';

/** Each takes three times the weights that were trained, in float32. */
const keptRuns = 2;

/** Removes the folders of ended jobs but those of the newest few. */
export async function removeOldRuns({ db, id: own, input }: JobContext<FinetuningInput>, runs: string): Promise<void> {
  const others = (name: string) => name.startsWith('ftjob-') && name !== own && name !== input.continues;
  const found = (await readdir(runs).catch(() => [])).filter(others);
  const old = (await endedAmong(db, found)).slice(keptRuns);
  for (const id of old) await rm(join(runs, id), { recursive: true, force: true });
}

/** Leaves of a finished run what another can go on from. */
export async function trimRun(runFolder: string): Promise<void> {
  const old = (await listCheckpoints(runFolder)).slice(0, -1);
  for (const name of old) await rm(join(runFolder, name), { recursive: true, force: true });
}

/** Begins with the run of the job that this one continues: its data, plan and last checkpoint, and a length of its own. Throws `not_found`. */
export async function takeOverRun(context: JobContext<FinetuningInput>, state: FinetuningState, runs: string): Promise<void> {
  const { db, input, id } = context;
  const continued = input.continues!;
  const { state: earlier } = readFinetuningJob(await findJob(db, continued, [finetuningKind]));
  const from = join(runs, continued);
  if (!earlier.plan || (await listCheckpoints(from)).length === 0) {
    throw new SteerError(
      'not_found',
      `The run of ${continued} is no longer here: those of the last ${keptRuns} jobs that ended are kept. Train anew, or from its model.`,
      { details: { param: 'continue_from' } },
    );
  }
  const into = join(runs, id);
  await rm(into, { recursive: true, force: true });
  // Whoever trained there may hold the lock a moment longer.
  await cp(from, into, { recursive: true, filter: (path) => !basename(path).startsWith('lock') });
  const { sampled, dataset, report, step, tokens } = earlier;
  Object.assign(state, { sampled, dataset, report, step, tokens, plan: longer(earlier.plan, input) });
  await context.commit({
    cursor: { ...state },
    progress: { phase: 'training', total: state.plan?.steps ?? null, completed: step },
  });
  await context.note('info', `Going on from step ${step} of ${continued}.`, { job: continued, step });
}

function longer(plan: TrainingPlan, { hyperparameters }: FinetuningInput): TrainingPlan {
  const { minutes: _, ...settings } = plan.settings;
  const { length, steps } = lengthOf(hyperparameters, plan.updatesPerEpoch);
  return { ...plan, steps, settings: { ...settings, ...length } };
}
