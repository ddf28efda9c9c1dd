// Runs training in a child process: it keeps both cores busy for hours, and only a process can be ended for certain. The parent's and the child's end
// of the conversation.

import { fork } from 'node:child_process';
import { type FailureCode, failures, isDiskFull, SteerError } from '../errors.ts';
import { makeFolder, privateFolder } from '../private-files.ts';
import type { Metrics } from './training-task.ts';

/** A checkpoint that is on disk. */
export interface CheckpointNews {
  step: number;
  steps: number;
  tokens: number;
  /** Of the step's update; null for a checkpoint found from before. */
  loss: number | null;
  evalLoss: number | null;
  /** Name of the model written from it, where one was. */
  model: string | null;
}

type FromChild<Result> =
  | { kind: 'metrics'; metrics: Metrics }
  | { kind: 'checkpoint'; checkpoint: CheckpointNews }
  | { kind: 'note'; text: string }
  | { kind: 'timing'; timing: boolean }
  | { kind: 'done'; result: Result }
  | { kind: 'failed'; code: FailureCode; message: string };
type ToChild<Spec> = { kind: 'start'; spec: Spec } | { kind: 'stop' };

export interface TrainingListener {
  onMetrics(metrics: Metrics): void;
  /** One line about what is being done. */
  onNote(text: string): void;
  onCheckpoint?(checkpoint: CheckpointNews): void;
  /** Steps that are undone begin to be timed, or that is over. */
  onTiming?(timing: boolean): void;
}

/** A run that was stopped before anything counted. */
export function stoppedWhileTiming(): SteerError {
  const message =
    'Stopped while the first steps were timed; nothing was trained. Run the same command again to begin anew, or say how many steps: --steps N.';
  return new SteerError('cancelled', message);
}

/** Cause of the failure of a process that ended without an answer. */
class EndedEarly extends Error {}

/** Whether the failure is that of a process that ended without an answer: killed, or out of memory. What it saved is there. */
export function endedEarly(error: unknown): boolean {
  return error instanceof SteerError && error.cause instanceof EndedEarly;
}

/**
 * Runs the compiled module `entry` with the spec; aborting lets it finish its step, save a checkpoint and answer, and the same spec goes on from there.
 * While it times steps there is nothing to save, and it is ended at once. Throws what it threw.
 */
export async function runTraining<Spec extends { runFolder: string }, Result>(
  entry: URL,
  spec: Spec,
  listener: TrainingListener,
  signal: AbortSignal,
): Promise<Result> {
  makeFolder(spec.runFolder, privateFolder);
  return await new Promise((resolve, reject) => {
    const child = fork(entry, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const send = (message: ToChild<Spec>) => child.connected && child.send(message);
    let timing = false;
    const stop = () => {
      send({ kind: 'stop' });
      if (!timing) return;
      child.kill('SIGKILL');
      reject(stoppedWhileTiming());
    };
    signal.addEventListener('abort', stop, { once: true });
    child.on('message', (message: FromChild<Result>) => {
      if (message.kind === 'metrics') listener.onMetrics(message.metrics);
      else if (message.kind === 'note') listener.onNote(message.text);
      else if (message.kind === 'timing') {
        timing = message.timing;
        listener.onTiming?.(timing);
        if (signal.aborted) stop();
      } else if (message.kind === 'checkpoint') listener.onCheckpoint?.(message.checkpoint);
      else if (message.kind === 'done') resolve(message.result);
      else reject(new SteerError(message.code, message.message));
    });
    child.on('error', reject);
    child.on('exit', (code, killedBy) => {
      signal.removeEventListener('abort', stop);
      // Without effect when the child has answered.
      reject(
        new SteerError(
          'training_failed',
          `The training process ended early (${killedBy ?? `exit code ${code}`}). Run the same command again: it continues from the last checkpoint.`,
          { cause: new EndedEarly(String(killedBy ?? code)) },
        ),
      );
    });
    send({ kind: 'start', spec });
    if (signal.aborted) stop();
  });
}

/** Takes the run folder for one process, and answers what gives it back. */
type Hold = (runFolder: string, onWait: (reason: string) => void, signal: AbortSignal) => Promise<() => void>;

/**
 * The child's end: runs once with the spec it is sent, then exits. One at a time in a run folder: a process that outlived its parent ends before the
 * next begins. A parent that goes away stops it like a stop message.
 */
export function serveTraining<Spec extends { runFolder: string }, Result>(
  hold: Hold,
  run: (spec: Spec, listener: TrainingListener, signal: AbortSignal) => Promise<Result>,
): void {
  const stop = new AbortController();
  // A parent that goes away between the two is no fault of ours.
  const send = (message: FromChild<Result>) => process.connected && process.send?.(message, undefined, undefined, () => {});
  const listener: TrainingListener = {
    onMetrics: (metrics) => send({ kind: 'metrics', metrics }),
    onNote: (text) => send({ kind: 'note', text }),
    onTiming: (timing) => send({ kind: 'timing', timing }),
    onCheckpoint: (checkpoint) => send({ kind: 'checkpoint', checkpoint }),
  };
  // A terminal, systemd and `timeout` send their signals to parent and child alike; the parent decides what they mean.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => {});
  process.on('disconnect', () => stop.abort());
  process.on('message', async (message: ToChild<Spec>) => {
    if (message.kind === 'stop') return stop.abort();
    try {
      const release = await hold(message.spec.runFolder, listener.onNote, stop.signal);
      const result = await run(message.spec, listener, stop.signal).finally(release);
      send({ kind: 'done', result });
    } catch (error) {
      send({ kind: 'failed', ...toFailure(error) });
    }
    if (process.connected) process.disconnect?.();
  });
}

/** Causes do not cross to the parent: what it must know of them is in the code. */
function toFailure(error: unknown): { code: FailureCode; message: string } {
  if (error instanceof SteerError && error.code in failures && !isDiskFull(error))
    return { code: error.code, message: error.message };
  const { message, stack } = error as Error;
  if (isDiskFull(error)) return { code: 'disk_full', message };
  // A place that cannot be read or written is no fault of the program.
  if ((error as NodeJS.ErrnoException).syscall !== undefined) return { code: 'training_failed', message: `${message}.` };
  process.stderr.write(`${stack}\n`);
  return { code: 'internal_error', message };
}
