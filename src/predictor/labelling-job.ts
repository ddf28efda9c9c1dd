// Labelling as a job: each chunk's labels are stored with the place where the next attempt goes on, so that every row is labelled exactly once
// whatever happens to the worker.

import { z } from 'zod';
import { countMakers, describeLabels } from '../datasets/label-makers.ts';
import { learnAttributes, withAttributesOf } from '../datasets/learn-attributes.ts';
import { type Dataset, findDataset } from '../datasets/samples.ts';
import { appendLabels, markUnlike } from '../datasets/write.ts';
import { SteerError } from '../errors.ts';
import { defineJob, type JobContext, type JobDefinition } from '../jobs/define.ts';
import { createJob, type Job } from '../jobs/jobs.ts';
import { patiently } from '../jobs/patience.ts';
import { counted } from '../number-text.ts';
import type { Db } from '../store/connect.ts';
import { type JobProgress, jobErrors } from '../store/work-schema.ts';
import { unlikeText } from './ground-text.ts';
import { type LabelledChunk, labelChunks, type Scoring } from './labelling.ts';
import type { Predictor } from './predictor.ts';

export const labellingKind = 'label';

const Input = z.object({
  dataset_id: z.string(),
  predictor: z.string(),
  /** As of the creation: all rows are labelled by one revision. */
  revision: z.string(),
});
export type LabellingInput = z.infer<typeof Input>;

/** The last row that is done with. */
const Cursor = z.object({ position: z.int() }).nullable();

/** Where loaded predictors come from; throws `model_not_found` or `not_ready`. */
export interface Predictors {
  predictor(id: string): Promise<Predictor>;
}

/** Between two progress events. */
const metricsEveryMs = 5_000;

/** Makes the job, or answers the one made under the same key. Throws `conflict`, also where dataset and predictor rate on different scales. */
export async function createLabellingJob(
  db: Db,
  dataset: Pick<Dataset, 'id' | 'name' | 'schema' | 'sampleCount'>,
  predictor: Pick<Predictor, 'id' | 'revision' | 'schema'>,
  idempotency?: { key: string; requestHash: string },
): Promise<{ job: Job; created: boolean }> {
  // Refused now, not when its turn comes.
  withAttributesOf(dataset, predictor);
  const input: LabellingInput = { dataset_id: dataset.id, predictor: predictor.id, revision: predictor.revision };
  return await createJob(db, {
    kind: labellingKind,
    prefix: 'job_',
    input,
    progress: { total: dataset.sampleCount },
    idempotency,
  });
}

/** What a labelling job was made for, and the position of the last row it is done with. */
export function readLabellingJob({ input, cursor }: Pick<Job, 'input' | 'cursor'>): LabellingInput & { position: number } {
  return { ...Input.parse(input), position: Cursor.parse(cursor)?.position ?? -1 };
}

/** The definition for a process that has these predictors. */
export function labellingJob(predictors: Predictors): JobDefinition {
  return defineJob({ name: labellingKind, queue: 'inference', input: Input, run: (context) => label(context, predictors) });
}

async function label(context: JobContext<LabellingInput>, predictors: Predictors): Promise<Record<string, unknown>> {
  const { input, db, signal } = context;
  const { id: datasetId, sampleCount } = await findDataset(db, input.dataset_id);
  const progress: JobProgress = { ...context.progress, total: sampleCount };
  const tell = teller(context, progress);
  try {
    const scoring = await pinned(predictors, input);
    await learnAttributes(db, datasetId, scoring);
    const after = Cursor.parse(context.cursor)?.position;
    for await (const chunk of labelChunks(db, scoring, { datasetId, after, signal })) {
      progress.completed += chunk.rows - chunk.failures.length;
      progress.failed += chunk.failures.length;
      progress.cached += chunk.cached;
      if (scoring.groundOf) {
        progress.replies = (progress.replies ?? 0) + chunk.rated + chunk.known;
        progress.unlike = (progress.unlike ?? 0) + chunk.unlike;
      }
      await store(context, chunk, progress);
      await tell();
    }
  } catch (error) {
    // Labels of samples that are gone fail in a way that says nothing of the reason.
    if (!signal.aborted) await findDataset(db, datasetId);
    throw error;
  }
  await tellPassedOver(context, await findDataset(db, datasetId));
  const { completed, failed, cached, replies, unlike } = progress;
  if (replies && unlike) await context.note('warn', unlikeText(input.predictor, { replies, unlike }), { replies, unlike });
  return { rows: completed, failed, cached, ...(unlike === undefined ? {} : { replies, unlike }) };
}

/** Who trains or exports takes the newest labels unless asked otherwise: now these, in place of any there were. */
async function tellPassedOver({ db, note }: JobContext<unknown>, dataset: Dataset): Promise<void> {
  const now = await countMakers(db, dataset, 'latest');
  if (now.passed_over.length === 0) return;
  const option = (sources: string) => `\`labels\` ${JSON.stringify(sources.split(','))}`;
  await note('info', describeLabels(now, option).join(' '), { ...now });
}

function store(context: JobContext<LabellingInput>, chunk: LabelledChunk, progress: JobProgress): Promise<void> {
  return context.commit({
    cursor: { position: chunk.position },
    progress,
    write: async (tx) => {
      await appendLabels(tx, chunk.labels);
      await markUnlike(tx, { id: context.input.predictor, revision: context.input.revision }, chunk.marks);
      if (chunk.failures.length > 0)
        await tx.insert(jobErrors).values(chunk.failures.map((failure) => ({ jobId: context.id, ...failure })));
    },
  });
}

/** Adds an event with the figures of this attempt every few seconds. */
function teller(context: JobContext<unknown>, progress: JobProgress): () => Promise<void> {
  const before = context.progress.completed + context.progress.failed;
  const started = performance.now();
  let last = started;
  return async () => {
    const now = performance.now();
    if (now - last < metricsEveryMs) return;
    last = now;
    const { total, completed, failed, cached } = progress;
    const rowsPerSecond = Math.round((10_000 * (completed + failed - before)) / (now - started)) / 10;
    await context.metrics(`${completed + failed} of ${counted(total ?? 0, 'row')}`, {
      total,
      completed,
      failed,
      cached,
      rows_per_second: rowsPerSecond,
    });
  };
}

/** Scoring by the pinned revision alone. Gives way to others where the engine is full, and waits for a model that is being loaded. */
async function pinned(predictors: Predictors, { predictor: id, revision }: LabellingInput): Promise<Scoring> {
  const open = async (): Promise<Predictor> => {
    const predictor = await predictors.predictor(id);
    if (predictor.revision === revision) return predictor;
    const message = `The job was made for revision ${revision} of ${id}, and ${predictor.revision} is served now. Start another job for it.`;
    throw new SteerError('conflict', message);
  };
  const { schema, groundOf } = await open();
  return {
    id,
    revision,
    schema,
    ...(groundOf && { groundOf }),
    score: (conversations, signal) => patiently(signal, async () => await (await open()).score(conversations, signal)),
  };
}
