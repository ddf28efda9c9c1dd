// A model pulled as a job: progress in bytes, and a stopped one goes on where it was.
import { z } from 'zod';
import { defineJob, type JobContext, type JobDefinition } from '../jobs/define.ts';
import { createJob, type Job } from '../jobs/jobs.ts';
import type { Models } from '../registry/models.ts';
import type { Db } from '../store/connect.ts';
import { nameFor, readAskedOfHub } from './asked.ts';
import { type PullSettings, pullModel } from './pull.ts';

export const pullKind = 'pull';

/** What a caller may ask for: a name of the catalogue or a repository of the hub. */
export const PullInput = z.strictObject({
  model: z
    .string()
    .min(1)
    .max(1024)
    .describe('A name of the catalogue, as `smollm2-135m`, or `owner/repository[@revision][:file]`'),
  name: z
    .string()
    .min(1)
    .max(100)
    .nullable()
    .default(null)
    .describe('What it is called here; null takes that of the catalogue or repository'),
});
export type PullInput = z.output<typeof PullInput>;

/** Makes the job, or answers the one made under the same key. Throws `invalid_request` for what cannot be pulled, and `conflict`. */
export async function createPullJob(
  db: Db,
  input: PullInput,
  idempotency?: { key: string; requestHash: string },
): Promise<{ job: Job; created: boolean }> {
  nameFor(readAskedOfHub(input.model), input.name ?? undefined);
  return await createJob(db, { kind: pullKind, prefix: 'job_', input, idempotency });
}

/** The definition for a process with these places; its models are looked through again when one has come. */
export function pullJob(settings: PullSettings, models: Pick<Models, 'refresh'>): JobDefinition {
  return defineJob({
    name: pullKind,
    queue: 'download',
    input: PullInput,
    run: (context) => pull(context, settings, models),
  });
}

/** Between two commits that tell how far it is. */
const tellEveryMs = 1_000;

async function pull(
  { input, signal, commit, note }: JobContext<PullInput>,
  settings: PullSettings,
  models: Pick<Models, 'refresh'>,
): Promise<Record<string, unknown>> {
  let toldMs = Number.NEGATIVE_INFINITY;
  // One after another, and none is waited for by the download.
  let telling: Promise<void> = Promise.resolve();
  const tell = (step: () => Promise<void>) => {
    telling = telling.then(step).catch(() => {});
  };
  try {
    const pulled = await pullModel(readAskedOfHub(input.model), settings, {
      name: input.name ?? undefined,
      signal,
      onNote: (text) => tell(() => note('info', text)),
      onBytes: (completed, total) => {
        if (performance.now() - toldMs < tellEveryMs) return;
        toldMs = performance.now();
        tell(() => commit({ cursor: null, progress: { phase: 'downloading', completed, total } }));
      },
    });
    await telling;
    const { name, bytes, licence, fetched, chats, becameDefault } = pulled;
    await commit({ cursor: null, progress: { phase: 'there', completed: bytes, total: bytes } });
    await models.refresh();
    return { model: name, bytes, licence, fetched, chat: chats, default: becameDefault };
  } finally {
    await telling;
  }
}
