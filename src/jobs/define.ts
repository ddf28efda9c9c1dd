// What a job is to the rest of the program: a name, an input and a function that works in steps.
// States: queued → running → succeeded | failed | cancelled; running → paused → queued; a worker that dies or stops leaves it to be claimed again.
import type { ZodType } from 'zod';
import type { Db, Tx } from '../store/connect.ts';
import type { JobProgress } from '../store/work-schema.ts';

/** Jobs of one queue run one after the other in a process, so that hours of training or downloading hold up no labelling. */
export const queues = ['inference', 'training', 'download'] as const;
export type Queue = (typeof queues)[number];

/** Where workers tell what they do; a pino logger is one. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Why a running attempt is asked to stop. `release`: the process ends, another goes on; `lost`: another worker has taken the job. */
export type StopReason = 'pause' | 'cancel' | 'release' | 'lost';

export interface JobStep {
  /** Where the next attempt goes on from here. */
  cursor: unknown;
  /** What changed of it. */
  progress: Partial<JobProgress>;
  /** Stores the results of the step in the same transaction. */
  write?: (tx: Tx) => Promise<void>;
}

/** One attempt at a job, as its function sees it. */
export interface JobContext<Input> {
  readonly id: string;
  readonly input: Input;
  readonly db: Db;
  /** What the last committed step said; null where there is none. */
  readonly cursor: unknown;
  /** As of the last committed step. */
  readonly progress: JobProgress;
  /** Aborted with a StopReason; return soon or throw, what is committed is kept. */
  readonly signal: AbortSignal;
  /** Results, cursor and progress in one transaction. Throws `cancelled` when the job is no longer this worker's, and nothing is written. */
  commit(step: JobStep): Promise<void>;
  /** Adds to the job's events. */
  note(level: 'info' | 'warn' | 'error', message: string, data?: Record<string, unknown>): Promise<void>;
  /** Adds figures to the job's events. */
  metrics(message: string, data: Record<string, unknown>): Promise<void>;
}

export interface JobDefinition<Input = unknown> {
  name: string;
  queue: Queue;
  input: ZodType<Input>;
  /** Works until done and returns the result. May be called again from the last cursor any number of times. */
  run(context: JobContext<Input>): Promise<Record<string, unknown>>;
}

/** The definition of a job, checked by the compiler and kept without its input's type. */
export function defineJob<Input>(definition: JobDefinition<Input>): JobDefinition {
  return definition as JobDefinition;
}

export function stopReason(signal: AbortSignal): StopReason | null {
  return signal.aborted ? (signal.reason as StopReason) : null;
}
