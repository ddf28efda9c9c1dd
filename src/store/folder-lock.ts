// Keeps a second process out of a folder that only one may write: a PGlite database, which has no lock of its own, or a training run.
// The lock is a file naming its holder. A holder that died is replaced; its pid may live on in another process, so the start time counts too.
import { mkdirSync, readFileSync, rmdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FailureCode, SteerError } from '../errors.ts';

interface Holder {
  pid: number;
  host: string;
  /** Start of the process in clock ticks since boot, where /proc tells. */
  started: string | null;
}

/** A holder on another host (two containers, one volume) cannot be looked up; it counts as alive while it keeps touching the file. */
const heartbeatMs = 5_000;
const foreignSilenceMs = 60_000;

/** How a refusal speaks of what is locked. */
export interface Locked {
  code: FailureCode;
  /** What the holder uses, beginning a sentence. */
  what: string;
  remedy: string;
}

/** Takes the lock file and returns the function that gives it back. Throws the code of `locked`, naming the holder. */
export function lockFolder(lockFile: string, locked: Locked): () => void {
  const own: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  if (!create(lockFile, own, locked)) takeOver(lockFile, own, locked);
  const heartbeat = setInterval(() => touch(lockFile), heartbeatMs).unref();
  const release = () => {
    clearInterval(heartbeat);
    process.removeListener('exit', release);
    rmSync(lockFile, { force: true });
  };
  process.once('exit', release);
  return release;
}

export interface LockWait {
  /** Told once of the holder that is waited for. */
  onWait(reason: string): void;
  signal: AbortSignal;
  /** After so long the holder is there to stay. */
  mostMs: number;
}

const lookAgainMs = 250;

/** The same, waiting for a holder that is about to end. Throws `cancelled` when aborted. */
export async function awaitLock(lockFile: string, locked: Locked, { onWait, signal, mostMs }: LockWait): Promise<() => void> {
  const begun = performance.now();
  for (let first = true; ; first = false) {
    try {
      return lockFolder(lockFile, locked);
    } catch (error) {
      if (!(error instanceof Held) || performance.now() - begun > mostMs) throw error;
      if (signal.aborted) throw new SteerError('cancelled', 'Stopped while waiting for another process.');
      if (first) onWait(error.message);
      await sleep(lookAgainMs);
    }
  }
}

const trainingWaitMs = 600_000;

/** The lock of a training run's folder, once whoever trains there has ended. Throws `conflict` after ten minutes, or `cancelled`. */
export function holdRunFolder(runFolder: string, onWait: (reason: string) => void, signal: AbortSignal): Promise<() => void> {
  const locked: Locked = { code: 'conflict', what: 'The run folder', remedy: 'It goes on here when that process has ended.' };
  return awaitLock(join(runFolder, 'lock'), locked, { onWait, signal, mostMs: trainingWaitMs });
}

/** Somebody else has the lock, which time may change. */
class Held extends SteerError {}

function create(lockFile: string, own: Holder, locked: Locked): boolean {
  try {
    writeFileSync(lockFile, JSON.stringify(own), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw unwritable(lockFile, error, locked);
  }
}

/** One process at a time may judge and replace a lock: of two that both saw it stale, the second would remove the first one's new lock. */
function takeOver(lockFile: string, own: Holder, locked: Locked): void {
  const guard = `${lockFile}.takeover`;
  try {
    mkdirSync(guard);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(lockFile, cause, locked);
    throw new Held(locked.code, `Another process is just taking ${lockFile}. Try again; if none runs, remove ${guard}.`, {
      cause,
    });
  }
  try {
    const holder = readHolder(lockFile);
    if (holder !== null && isAlive(holder, lockFile)) {
      const who = holder.host === own.host ? `process ${holder.pid}` : `process ${holder.pid} on ${holder.host}`;
      throw new Held(locked.code, `${locked.what} is in use by ${who} (${lockFile}). ${locked.remedy}`);
    }
    rmSync(lockFile, { force: true });
    if (!create(lockFile, own, locked)) throw new Held(locked.code, `Another process has just taken ${lockFile}. Try again.`);
  } finally {
    rmdirSync(guard);
  }
}

function isAlive(holder: Holder, lockFile: string): boolean {
  if (holder.host !== hostname()) return Date.now() - statSync(lockFile).mtimeMs < foreignSilenceMs;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const started = startOf(holder.pid);
  return started === null || holder.started === null || started === holder.started;
}

/** The holder, or null when the file is gone or was cut short by a crash. */
function readHolder(lockFile: string): Holder | null {
  try {
    const holder: Partial<Holder> = JSON.parse(readFileSync(lockFile, 'utf8'));
    if (typeof holder.pid !== 'number' || typeof holder.host !== 'string') return null;
    return { pid: holder.pid, host: holder.host, started: holder.started ?? null };
  } catch {
    return null;
  }
}

function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, field 2, stands in brackets and may hold spaces; the start time is field 22.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function touch(lockFile: string): void {
  try {
    utimesSync(lockFile, new Date(), new Date());
  } catch {
    // Removed by hand: nothing to keep alive.
  }
}

function unwritable(lockFile: string, cause: unknown, { code }: Locked): SteerError {
  const message = `Cannot write ${lockFile} (${(cause as Error).message}). Make the folder writable or set another DATA_DIR.`;
  return new SteerError(code, message, { cause });
}
