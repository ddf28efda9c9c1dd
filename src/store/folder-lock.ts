// Keeps a second process out of a PGlite folder: PGlite itself has no lock, and two writers corrupt the data.
// The lock is a file naming its holder. A holder that died is replaced; its pid may live on in another process, so the start time counts too.
import { mkdirSync, readFileSync, rmdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { SteerError } from '../errors.ts';

interface Holder {
  pid: number;
  host: string;
  /** Start of the process in clock ticks since boot, where /proc tells. */
  started: string | null;
}

/** A holder on another host (two containers, one volume) cannot be looked up; it counts as alive while it keeps touching the file. */
const heartbeatMs = 5_000;
const foreignSilenceMs = 60_000;

/** Takes the lock file and returns the function that gives it back. Throws `database_unavailable` naming the holder. */
export function lockFolder(lockFile: string): () => void {
  const own: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  if (!create(lockFile, own)) takeOver(lockFile, own);
  const heartbeat = setInterval(() => touch(lockFile), heartbeatMs).unref();
  const release = () => {
    clearInterval(heartbeat);
    process.removeListener('exit', release);
    rmSync(lockFile, { force: true });
  };
  process.once('exit', release);
  return release;
}

function create(lockFile: string, own: Holder): boolean {
  try {
    writeFileSync(lockFile, JSON.stringify(own), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw unwritable(lockFile, error);
  }
}

/** One process at a time may judge and replace a lock: of two that both saw it stale, the second would remove the first one's new lock. */
function takeOver(lockFile: string, own: Holder): void {
  const guard = `${lockFile}.takeover`;
  try {
    mkdirSync(guard);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(lockFile, cause);
    throw refusal(`Another process is opening the database of ${lockFile}. Try again; if none runs, remove ${guard}.`, cause);
  }
  try {
    const holder = readHolder(lockFile);
    if (holder !== null && isAlive(holder, lockFile)) {
      const who = holder.host === own.host ? `process ${holder.pid}` : `process ${holder.pid} on ${holder.host}`;
      throw refusal(
        `The embedded database is in use by ${who} (${lockFile}). Stop that process, set another DATA_DIR, or share a Postgres server through DATABASE_URL.`,
      );
    }
    rmSync(lockFile, { force: true });
    if (!create(lockFile, own)) throw refusal(`Another process has just opened the database of ${lockFile}. Try again.`);
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

function refusal(message: string, cause?: unknown): SteerError {
  return new SteerError('database_unavailable', message, { cause });
}

function unwritable(lockFile: string, cause: unknown): SteerError {
  return refusal(
    `Cannot write ${lockFile} (${(cause as Error).message}). Make the folder writable or set another DATA_DIR.`,
    cause,
  );
}
