// A fine-tuning request that makes the run of an ended job longer: that job's input with another length.
import { isDeepStrictEqual } from 'node:util';
import {
  type FinetuningInput,
  finetuningKind,
  type Hyperparameters,
  hyperparameters,
  readFinetuningJob,
} from '../finetuning/job-input.ts';
import { endedStatuses, findJob } from '../jobs/jobs.ts';
import { findModel, type Models } from '../registry/models.ts';
import type { Db } from '../store/connect.ts';
import { askedOf, hyperparametersOf, sourceOf } from './fine-tuning-request.ts';
import { named, refusal } from './refusals.ts';
import type { FineTuningRequest } from './schemas/fine-tuning.ts';

/** Where nothing is said. A request does not tell what was left out from what was said to be as usual. */
const usual = hyperparameters.parse({});
/** What a length is told by; any of them replaces all of the ended job's. */
const lengths: readonly string[] = ['n_epochs', 'n_steps', 'minutes'];

/** Throws `not_found`, or `invalid_request` where the job has not ended or where something but its length is to be another. */
export async function toContinuation(db: Db, models: Models, request: FineTuningRequest, id: string): Promise<FinetuningInput> {
  const job = await named('continue_from', () => findJob(db, id, [finetuningKind]));
  const { input, state } = readFinetuningJob(job);
  if (!endedStatuses.includes(job.status) || state.plan === null)
    throw refusal('continue_from', `expected a job that has trained and ended, ${id} is ${job.status}`);
  await expectUnchanged(db, models, request, { id, input });
  const { suffix, metadata } = request;
  const longer = longerThan(input.hyperparameters, askedOf(request), id);
  return { ...input, continues: id, hyperparameters: longer, suffix: suffix ?? input.suffix, metadata: metadata ?? {} };
}

function longerThan(before: Hyperparameters, asked: object, id: string): Hyperparameters {
  const said = Object.entries(hyperparametersOf(asked)).filter(
    ([name, value]) => !isDeepStrictEqual(value, usual[name as keyof Hyperparameters]),
  );
  const length = said.filter(([name]) => lengths.includes(name));
  if (length.length === 0)
    throw refusal('hyperparameters', `expected n_epochs, n_steps or minutes, to which the run of ${id} is made longer`);
  for (const [name, value] of said) {
    if (!lengths.includes(name) && !isDeepStrictEqual(value, before[name as keyof Hyperparameters]))
      throw changed(`hyperparameters.${name}`, id);
  }
  const { n_epochs, n_steps, minutes } = usual;
  return { ...before, n_epochs, n_steps, minutes, ...Object.fromEntries(length) };
}

async function expectUnchanged(
  db: Db,
  models: Models,
  request: FineTuningRequest,
  { id, input }: { id: string; input: FinetuningInput },
): Promise<void> {
  const told = {
    model: findModel(models, request.model, ['language']).id,
    method: request.method?.type ?? input.method,
    seed: request.seed ?? input.seed,
  };
  for (const [field, value] of Object.entries(told)) if (value !== input[field as keyof typeof told]) throw changed(field, id);
  for (const side of ['training', 'validation'] as const) {
    const source = await sourceOf(db, request, side);
    if (source && !isDeepStrictEqual(source, input[side])) throw changed(`${side}_${'file' in source ? 'file' : 'dataset'}`, id);
  }
}

function changed(field: string, id: string) {
  return refusal(field, `expected it as in ${id} or left out, since its run goes on`);
}
