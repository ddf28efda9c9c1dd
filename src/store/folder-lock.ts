// Keeps a second process out of a folder that only one may write: a PGlite database, which has no lock of its own, or a training run.
// The lock is a file naming its owner. One that died on this machine is replaced at once; on another machine it has to be silent for a while.
import { randomUUID } from 'node:crypto';
import { statSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type FailureCode, SteerError } from '../errors.ts';
import { createLock, readLock, removeLock, replaceLock } from './lock-file.ts';
import { lifeOf, type Owner, sharesKernel, thisOwner } from './owner.ts';
import { askSign, showSign } from './sign-of-life.ts';

/** An owner elsewhere cannot be looked up; it counts as alive while it keeps touching the file. */
const heartbeatMs = 5_000;
const silenceMs = 60_000;
const lookAgainMs = 250;
/** Each time it came to nothing another process was quicker. So many times, and it is something else, as a link that leads nowhere. */
const mostTries = 100;

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
  const mine = JSON.stringify({ ...thisOwner(), token: randomUUID() });
  for (let told = false; ; ) {
    const refusal = await take(lockFile, mine, locked);
    if (refusal === null) return hold(lockFile, mine);
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

/**
 * A lock file goes through these states:
 *
 *   absent ── created ──► owner lives ── owner removes it ──► absent
 *                              │
 *                          owner dies ──► dead ── replaced ──► owner lives
 *
 * At most one process holds it. Creating fails where a file is, and the file appears with its whole text. Only its owner removes it. Only who holds
 * the guard (a lock beside it, under the same rules) replaces it, and only after finding under the guard the text of the owner it knows to be dead:
 * no text comes twice, the dead change nothing, nobody can create where a file is, and other takers wait for the guard. A guard whose holder
 * died is a dead lock like any other, with a guard of its own.
 *
 * Two things are known by silence alone, so a process that was halted for a minute may find itself replaced: an owner on a machine that
 * cannot be seen from here, and a file without its text (unreadable, or on a disk without hard links just being written).
 */
class Held extends SteerError {
  /** Nobody here can say whether the owner still runs. */
  unknown = false;
}

function hold(lockFile: string, mine: string): () => void {
  const heartbeat = setInterval(() => touch(lockFile, mine), heartbeatMs).unref();
  const hideSign = showSign(lockFile);
  const release = () => {
    clearInterval(heartbeat);
    process.removeListener('exit', release);
    // Before the lock: whoever takes that next shows a sign in the same place.
    hideSign();
    removeLock(lockFile, mine);
  };
  process.once('exit', release);
  return release;
}

/** Null once the file holds `mine`, else who is in the way. */
async function take(lockFile: string, mine: string, locked: Locked): Promise<Held | null> {
  for (let tries = 0; tries < mostTries; tries++) {
    const found = readLock(lockFile);
    if (found === null) {
      if (writing(lockFile, locked, () => createLock(lockFile, mine))) return null;
      continue;
    }
    const life = await lifeByLock(found, lockFile);
    if (life !== 'dead') return held(found, life, lockFile, locked);
    const outcome = await takeOver(lockFile, found, mine, locked);
    if (outcome !== 'changed') return outcome;
  }
  return new Held(locked.code, `Another process was quicker to take ${lockFile} each time. Try again.`);
}

/** Replaces the lock whose text is that of a dead owner. `changed` when it is no longer there or has given a sign of life. */
async function takeOver(lockFile: string, dead: string, mine: string, locked: Locked): Promise<Held | null | 'changed'> {
  const guard = `${lockFile}.taking`;
  const guardText = JSON.stringify({ ...thisOwner(), token: randomUUID() });
  const other = await take(guard, guardText, locked);
  if (other) {
    const busy = new Held(locked.code, `Another process is just taking ${lockFile}. Try again.`, { cause: other });
    busy.unknown = other.unknown;
    return busy;
  }
  try {
    // An owner judged by its silence may have spoken meanwhile.
    if ((await lifeByLock(dead, lockFile)) !== 'dead' || readLock(lockFile) !== dead) return 'changed';
    writing(lockFile, locked, () => replaceLock(lockFile, mine));
    return null;
  } finally {
    removeLock(guard, guardText);
  }
}

function held(found: string, life: 'alive' | 'unknown', lockFile: string, locked: Locked): Held {
  const owner = ownerIn(found);
  const place = owner === null || owner.host === hostname() ? '' : ` on ${owner.host}`;
  const who = owner === null ? 'another process' : `process ${owner.pid}${place}`;
  const refusal = new Held(locked.code, `${locked.what} is in use by ${who} (${lockFile}). ${locked.remedy}`);
  refusal.unknown = life === 'unknown';
  return refusal;
}

async function lifeByLock(found: string, lockFile: string): Promise<ReturnType<typeof lifeOf>> {
  const owner = ownerIn(found);
  const life = owner === null ? 'unknown' : lifeOf(owner);
  if (life !== 'unknown') return life;
  const sign = owner === null ? 'none' : await askSign(lockFile);
  if (sign === 'shown') return 'alive';
  if (owner !== null && sign === 'left behind' && sharesKernel(owner)) return 'dead';
  return silentMs(lockFile) < silenceMs ? 'unknown' : 'dead';
}

const Owned = z.object({
  host: z.string(),
  pid: z.number(),
  started: z.string().nullable().default(null),
  boot: z.string().nullable().default(null),
  processes: z.string().nullable().default(null),
});

/** The owner a lock names; null where its text is not whole. */
function ownerIn(found: string): Owner | null {
  try {
    return Owned.parse(JSON.parse(found));
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

function touch(lockFile: string, mine: string): void {
  try {
    if (readLock(lockFile) === mine) utimesSync(lockFile, new Date(), new Date());
  } catch {
    // Removed by hand: nothing to keep alive.
  }
}

function writing<T>(lockFile: string, { code }: Locked, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    const message = `Cannot write ${lockFile} (${(cause as Error).message}). Make the folder writable or set another DATA_DIR.`;
    throw new SteerError(code, message, { cause });
  }
}
