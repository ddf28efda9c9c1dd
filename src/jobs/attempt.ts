// Runs one claimed job to its end or its interruption, with a heartbeat beside it. The one border where a job's failure becomes its status.
import { SteerError } from '../errors.ts';
import type { Db } from '../store/connect.ts';
import type { JobFailure } from '../store/work-schema.ts';
import type { Claim } from './claims.ts';
import { type JobContext, type JobDefinition, type Log, type StopReason, stopReason } from './define.ts';
import { addEvent } from './jobs.ts';

export interface Pulse {
  /** Between two heartbeats; also how fast a pause or cancellation is seen. */
  beatMs: number;
  leaseMs: number;
}

/** Runs the definition on the claimed job; `release` gives the job back for another process. Never throws for what the job did. */
export async function attempt(
  db: Db,
  claim: Claim,
  definition: JobDefinition,
  { beatMs, leaseMs }: Pulse,
  release: AbortSignal,
  log: Log,
): Promise<void> {
  const { job } = claim;
  const stop = new AbortController();
  const halt = (reason: StopReason) => stop.abort(reason);
  const onRelease = () => halt('release');
  release.addEventListener('abort', onRelease, { once: true });
  if (release.aborted) onRelease();
  if (job.wish) halt(job.wish);
  const pulse = keepBeating(claim, beatMs, leaseMs, halt);
  try {
    const input = definition.input.parse(job.input);
    const result = await definition.run(contextOf(db, claim, input, stop.signal));
    await claim.end('succeeded', { result, message: 'The job succeeded.' });
  } catch (error) {
    await settle(claim, error, stop.signal, log);
  } finally {
    release.removeEventListener('abort', onRelease);
    await pulse.stop();
  }
}

function contextOf(db: Db, claim: Claim, input: unknown, signal: AbortSignal): JobContext<unknown> {
  const { id, cursor, progress } = claim.job;
  const add = (type: 'message' | 'metrics', level: 'info' | 'warn' | 'error', message: string, data?: Record<string, unknown>) =>
    addEvent(db, { jobId: id, type, level, message, data: data ?? null });
  return {
    id,
    input,
    db,
    cursor,
    progress,
    signal,
    commit: (step) => claim.commit(step),
    note: (level, message, data) => add('message', level, message, data),
    metrics: (message, data) => add('metrics', 'info', message, data),
  };
}

/** A beat that fails is tried again: the database may come back before the lease is over. */
function keepBeating(claim: Claim, beatMs: number, leaseMs: number, halt: (reason: StopReason) => void) {
  let last = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let beating: Promise<void> = Promise.resolve();
  const beat = async () => {
    try {
      const answer = await claim.beat();
      last = performance.now();
      if (answer) halt(answer);
    } catch {
      if (performance.now() - last > leaseMs) halt('lost');
    }
    if (timer !== undefined) schedule();
  };
  const schedule = () => {
    timer = setTimeout(() => {
      beating = beat();
    }, beatMs);
  };
  schedule();
  return {
    stop: async () => {
      clearTimeout(timer);
      timer = undefined;
      await beating;
    },
  };
}

async function settle(claim: Claim, error: unknown, signal: AbortSignal, log: Log): Promise<void> {
  const reason = stopReason(signal);
  const way = interruptionOf(error);
  // What it was asked to stop for is still to be done: the job keeps the wish, and whoever claims it next does it.
  if (way !== null && reason === 'cancel')
    return log.warn({ jobId: claim.job.id, err: String(error) }, 'job left to be cancelled');
  if (reason === 'pause') return await claim.end('paused', { message: 'The job was paused.' });
  if (reason === 'cancel') return await claim.end('cancelled', { message: 'The job was cancelled.' });
  if (reason === 'release') return await claim.end('queued', { message: 'The worker was stopped; the job waits for another.' });
  if (reason === 'lost') return;
  const failure = toJobFailure(error);
  log.warn(
    { jobId: claim.job.id, kind: claim.job.kind, code: failure.code, err: String((error as Error).stack) },
    'job interrupted',
  );
  if (way === 'database') {
    const message = 'The database did not answer; the job goes on from its last step.';
    return await claim.end('queued', { level: 'warn', message });
  }
  if (way === 'disk') {
    const message = 'There is no room left on the disk; the job is paused and nothing is lost. Make room, then resume it.';
    return await claim.end('paused', { level: 'error', message });
  }
  await claim.end('failed', { error: failure, level: 'error', message: failure.message });
}

/** What a caller may be told: a foreseen failure as it is, anything else without its message. */
function toJobFailure(error: unknown): JobFailure {
  if (!(error instanceof SteerError))
    return { code: 'internal_error', message: 'The job failed on a fault of the server; its log has the cause.' };
  const { code, message, details } = error;
  return { code, message, ...(details.param === undefined ? {} : { param: details.param }) };
}

const lostConnection = /^(08|57P0|CONNECTION_|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|53300)/;
const fullDisk = /^(ENOSPC|EDQUOT|53100|53200)$/;

/** Circumstances that are nobody's fault and pass: the job is kept. */
export function interruptionOf(error: unknown): 'database' | 'disk' | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause as Error) {
    const code = String((cause as NodeJS.ErrnoException).code ?? '');
    if (fullDisk.test(code)) return 'disk';
    if (lostConnection.test(code) || code === 'database_unavailable') return 'database';
  }
  return null;
}
