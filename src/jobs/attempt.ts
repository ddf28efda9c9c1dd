// Runs one claimed job to its end or its interruption, with a heartbeat beside it. The one border where a job's failure becomes its status.
import { setTimeout as sleep } from 'node:timers/promises';
import { SteerError } from '../errors.ts';
import type { Db } from '../store/connect.ts';
import { interruptionOf, isDatabaseFull } from '../store/interruption.ts';
import type { JobFailure, JobStatus } from '../store/work-schema.ts';
import type { Claim, Outcome } from './claims.ts';
import { type JobContext, type JobDefinition, type Log, type StopReason, stopReason } from './define.ts';
import { addEvent } from './jobs.ts';

export interface Pulse {
  /** Between two heartbeats; also how fast a pause or cancellation is seen. */
  beatMs: number;
  leaseMs: number;
}

/**
 * Runs the definition on the claimed job; `release` gives the job back for another process. Never throws for what the job did. Answers whether
 * the database was away meanwhile.
 */
export async function attempt(
  db: Db,
  claim: Claim,
  definition: JobDefinition,
  { beatMs, leaseMs }: Pulse,
  release: AbortSignal,
  log: Log,
): Promise<boolean> {
  const { job } = claim;
  let away = false;
  const stop = new AbortController();
  const halt = (reason: StopReason) => stop.abort(reason);
  const onRelease = () => halt('release');
  release.addEventListener('abort', onRelease, { once: true });
  if (release.aborted) onRelease();
  if (job.requestedAction) halt(job.requestedAction);
  const add = (level: 'warn' | 'error', message: string) => addEvent(db, { jobId: job.id, type: 'message', level, message });
  const onReturn = (silentMs: number) => {
    away = true;
    return add('warn', `${wasAway(silentMs)}; the job went on meanwhile.`);
  };
  const pulse = keepBeating(claim, { beatMs, leaseMs }, { halt, onReturn });
  const onAway = (error: unknown) => {
    away = true;
    log.warn({ err: describe(error) }, 'job waits for the database');
  };
  const store = async (ending: () => Ending) => {
    const event = await persist(() => endClaim(claim, ending()), release, onAway);
    if (event !== null) await persist(() => add('error', event), release, onAway);
  };
  try {
    const input = definition.input.parse(job.input);
    const result = await definition.run(contextOf(db, claim, input, stop.signal));
    await store(() => ['succeeded', { result, message: 'The job succeeded.' }]);
  } catch (error) {
    await pulse.stop();
    const reason = stopReason(stop.signal);
    away ||= reason === 'lost' || interruptionOf(error) === 'database';
    tell(log, job, error, reason);
    // What it was asked to stop for is still to be done: the job keeps what was asked, and whoever claims it next does it.
    if (reason !== 'cancel' || interruptionOf(error) === null) await store(() => endingOf(error, reason, pulse.silentMs()));
  } finally {
    release.removeEventListener('abort', onRelease);
    await pulse.stop();
  }
  return away;
}

type Ending = [status: JobStatus, outcome: Outcome];

/** Ends the claim. Answers the event that a database without room could not take, while it could still write over the row of the job. */
async function endClaim(claim: Claim, [status, outcome]: Ending): Promise<string | null> {
  try {
    await claim.end(status, outcome);
    return null;
  } catch (error) {
    if (status !== 'paused' || interruptionOf(error) !== 'disk') throw error;
    await claim.end(status, outcome, { silently: true });
    return outcome.message;
  }
}

/** Less than any worker takes to look for jobs without a heartbeat, so that whoever has the job is heard first. */
const retryMs = 200;

/** Tries until the database is back and takes it, or the process ends: how a job ended must not be lost with the database. */
async function persist<T>(write: () => Promise<T>, release: AbortSignal, onAway: (error: unknown) => void): Promise<T> {
  for (let told = false; ; told = true) {
    try {
      return await write();
    } catch (error) {
      if (interruptionOf(error) === null || release.aborted) throw error;
      if (!told) onAway(error);
      await sleep(retryMs, undefined, { signal: release }).catch(() => {});
    }
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

interface Beats {
  halt(reason: StopReason): void;
  /** The database answers again after beats that failed. */
  onReturn(silentMs: number): Promise<void>;
}

/** A beat that fails is tried again: the database may come back before the lease is over. */
function keepBeating(claim: Claim, { beatMs, leaseMs }: Pulse, { halt, onReturn }: Beats) {
  let last = performance.now();
  let failed = false;
  let timer: NodeJS.Timeout | undefined;
  let beating: Promise<void> = Promise.resolve();
  const silentMs = () => performance.now() - last;
  const beat = async () => {
    try {
      const answer = await claim.beat();
      const silent = silentMs();
      last = performance.now();
      if (answer) halt(answer);
      else if (failed) await onReturn(silent);
      failed = false;
    } catch {
      failed = true;
      if (silentMs() > leaseMs) halt('lost');
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
    silentMs,
    stop: async () => {
      clearTimeout(timer);
      timer = undefined;
      await beating;
    },
  };
}

function tell(log: Log, { id, kind }: Claim['job'], error: unknown, reason: StopReason | null): void {
  const fields = { jobId: id, kind, err: describe(error) };
  if (reason === null) log.warn({ ...fields, code: toJobFailure(error).code }, 'job interrupted');
  else if (interruptionOf(error) !== null) log.warn({ ...fields, reason }, 'job interrupted while it was to stop');
}

/** For the log. A failed query is passed over for its cause: its message holds the values. */
export function describe(error: unknown): string {
  let cause = error as Error;
  while ('params' in cause && cause.cause instanceof Error) cause = cause.cause;
  return String(cause.stack ?? cause);
}

/** How the job stands after its run threw. Without effect where another worker has taken it. */
function endingOf(error: unknown, reason: StopReason | null, silentMs: number): Ending {
  if (reason === 'pause') return ['paused', { message: 'The job was paused.' }];
  if (reason === 'cancel') return ['cancelled', { message: 'The job was cancelled.' }];
  if (reason === 'release') return ['queued', { message: 'The worker was stopped; the job waits for another.' }];
  const way = reason === 'lost' ? 'database' : interruptionOf(error);
  if (way === 'database')
    return ['queued', { level: 'warn', message: `${wasAway(silentMs)}; the job goes on from its last step.` }];
  if (way === 'disk') {
    const message = `${fullDiskOf(error)} The job is paused and nothing is lost. Make room there, then resume it.`;
    return ['paused', { level: 'error', message }];
  }
  const failure = toJobFailure(error);
  return ['failed', { error: failure, level: 'error', message: failure.message }];
}

function wasAway(silentMs: number): string {
  const seconds = Math.floor(silentMs / 1000);
  return seconds < 1 ? 'The database did not answer' : `The database did not answer for ${seconds} s`;
}

function fullDiskOf(error: unknown): string {
  if (error instanceof SteerError && error.code === 'disk_full') return error.message;
  return isDatabaseFull(error)
    ? 'There is no room left on the disk of the database.'
    : 'There is no room left on a disk that the job writes to.';
}

/** What a caller may be told: a foreseen failure as it is, anything else without its message. */
function toJobFailure(error: unknown): JobFailure {
  if (!(error instanceof SteerError))
    return { code: 'internal_error', message: 'The job failed on a fault of the server; its log has the cause.' };
  const { code, message, details } = error;
  return { code, message, ...(details.param === undefined ? {} : { param: details.param }) };
}
