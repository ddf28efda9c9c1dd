// Keeps a second process out of a folder that only one may write: a PGlite database, which has no lock of its own, or a training run.
// The lock is a file naming its owner. One that died on this machine is replaced at once; on another machine it has to be silent for a while.
import { mkdirSync, readFileSync, rmdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type FailureCode, SteerError } from '../errors.ts';
import { privateFile, privateFolder } from '../private-files.ts';
import { lifeOf, type Owner, sharesKernel, thisOwner } from './owner.ts';
import { askSign, showSign } from './sign-of-life.ts';

/** An owner elsewhere cannot be looked up; it counts as alive while it keeps touching the file. */
const heartbeatMs = 5_000;
const silenceMs = 60_000;
const lookAgainMs = 250;

/** How a refusal speaks of what is locked. */
export interface Locked {
  code: FailureCode;
  /** What the owner uses, beginning a sentence. */
  what: string;
  remedy: string;
}

export interface LockWait {
  /** Told once of the owner that is waited for. */
  onWait?: ((reason: string) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** An owner that lives is there to stay after so long. One of which nobody knows is waited for until it is heard of or silent for a minute. */
  mostMs?: number;
}

/** Takes the lock file and returns the function that gives it back. Throws the code of `locked`, naming the owner, and `cancelled` when aborted. */
export async function lockFolder(
  lockFile: string,
  locked: Locked,
  { onWait, signal, mostMs = 0 }: LockWait = {},
): Promise<() => void> {
  const begun = performance.now();
  const firstTouch = touchedMs(lockFile);
  for (let told = false; ; ) {
    const refusal = await take(lockFile, locked);
    if (refusal === null) return hold(lockFile);
    const heardOf = firstTouch !== null && touchedMs(lockFile) !== firstTouch;
    const patienceMs = refusal.unknown && !heardOf ? silenceMs : mostMs;
    if (performance.now() - begun >= patienceMs) throw refusal;
    if (signal?.aborted) throw new SteerError('cancelled', 'Stopped while waiting for another process.');
    if (!told) onWait?.(refusal.message);
    told = true;
    await sleep(lookAgainMs);
  }
}

const trainingWaitMs = 600_000;

/** The lock of a training run's folder, once whoever trains there has ended. Throws `conflict` after ten minutes, or `cancelled`. */
export function holdRunFolder(runFolder: string, onWait: (reason: string) => void, signal: AbortSignal): Promise<() => void> {
  const locked: Locked = { code: 'conflict', what: 'The run folder', remedy: 'It goes on here when that process has ended.' };
  return lockFolder(join(runFolder, 'lock'), locked, { onWait, signal, mostMs: trainingWaitMs });
}

/** Somebody else has the lock, which time may change. */
class Held extends SteerError {
  /** Nobody here can say whether the owner still runs. */
  unknown = false;
}

function hold(lockFile: string): () => void {
  const heartbeat = setInterval(() => touch(lockFile), heartbeatMs).unref();
  const hideSign = showSign(lockFile);
  const release = () => {
    clearInterval(heartbeat);
    process.removeListener('exit', release);
    // Before the lock: whoever takes that next shows a sign in the same place.
    hideSign();
    rmSync(lockFile, { force: true });
  };
  process.once('exit', release);
  return release;
}

function create(lockFile: string, locked: Locked): boolean {
  try {
    writeFileSync(lockFile, JSON.stringify(thisOwner()), { flag: 'wx', mode: privateFile });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw unwritable(lockFile, error, locked);
  }
}

/** One process at a time may judge and replace a lock: of two that both saw it stale, the second would remove the first one's new lock. */
async function take(lockFile: string, locked: Locked): Promise<Held | null> {
  if (create(lockFile, locked)) return null;
  const guard = `${lockFile}.takeover`;
  const taken = guardTakeover(guard, locked);
  if (taken) return taken;
  try {
    const owner = readOwner(lockFile);
    const life = owner === null ? 'dead' : await lifeByLock(owner, lockFile);
    if (owner !== null && life !== 'dead') {
      const who = owner.host === hostname() ? `process ${owner.pid}` : `process ${owner.pid} on ${owner.host}`;
      const held = new Held(locked.code, `${locked.what} is in use by ${who} (${lockFile}). ${locked.remedy}`);
      held.unknown = life === 'unknown';
      return held;
    }
    rmSync(lockFile, { force: true });
    return create(lockFile, locked) ? null : new Held(locked.code, `Another process has just taken ${lockFile}. Try again.`);
  } finally {
    rmdirSync(guard);
  }
}

function guardTakeover(guard: string, locked: Locked): Held | null {
  try {
    mkdirSync(guard, { mode: privateFolder });
    return null;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(guard, cause, locked);
    // Judging takes milliseconds: whoever began so long ago ended in the middle of it.
    if (silentMs(guard) > silenceMs) rmSync(guard, { recursive: true, force: true });
    return new Held(locked.code, `Another process is just taking ${guard.replace(/\.takeover$/, '')}. Try again.`, { cause });
  }
}

async function lifeByLock(owner: Owner, lockFile: string): Promise<ReturnType<typeof lifeOf>> {
  const life = lifeOf(owner);
  if (life !== 'unknown') return life;
  const sign = await askSign(lockFile);
  if (sign === 'shown') return 'alive';
  if (sign === 'left behind' && sharesKernel(owner)) return 'dead';
  return silentMs(lockFile) < silenceMs ? 'unknown' : 'dead';
}

const Owned = z.object({
  host: z.string(),
  pid: z.number(),
  started: z.string().nullable().default(null),
  boot: z.string().nullable().default(null),
  processes: z.string().nullable().default(null),
});

/** The owner, or null when the file is gone or was cut short by a crash. */
function readOwner(lockFile: string): Owner | null {
  try {
    return Owned.parse(JSON.parse(readFileSync(lockFile, 'utf8')));
  } catch {
    return null;
  }
}

function touchedMs(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

function silentMs(path: string): number {
  return Date.now() - (touchedMs(path) ?? 0);
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
