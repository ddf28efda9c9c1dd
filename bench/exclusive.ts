// One measurement at a time on a machine where several may run: MEASURE_LOCK names a file that is locked meanwhile (util-linux's flock); without it
// nothing waits. A machine that is busy otherwise is given a moment to come to rest.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits no longer than this for others to end: medians over rounds bear the rest. */
const mostRestMs = 5000;
const lookMs = 250;

export async function exclusive<T>(measure: () => Promise<T>): Promise<T> {
  const release = await hold(process.env.MEASURE_LOCK);
  try {
    const until = performance.now() + mostRestMs;
    while ((await busyShare()) > 0.25 && performance.now() < until);
    return await measure();
  } finally {
    await release();
  }
}

/** Of all cores, over a moment: others', since this process only waits. */
async function busyShare(): Promise<number> {
  const sum = () => {
    const times = cpus().map((core) => core.times);
    const idle = times.reduce((total, core) => total + core.idle, 0);
    return { idle, all: times.reduce((total, core) => total + core.user + core.nice + core.sys + core.irq + core.idle, 0) };
  };
  const before = sum();
  await sleep(lookMs);
  const after = sum();
  return 1 - (after.idle - before.idle) / (after.all - before.all || 1);
}

/** Gives what lets go of the lock. */
async function hold(lock: string | undefined): Promise<() => Promise<void>> {
  if (!lock) return async () => {};
  // It says a line once it holds the lock, and ends when it is told nothing more.
  const holder = spawn('flock', [lock, 'sh', '-c', 'echo held; cat >/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'exit');
  const [said] = await Promise.race([once(holder.stdout, 'data'), ended]);
  if (!Buffer.isBuffer(said)) throw new Error(`flock did not lock ${lock}.`);
  return async () => {
    holder.stdin.end();
    await ended;
  };
}
