// Does a full disk lose anything? Models, run folders and the data of either database lie in turn on a small disk in memory, which is filled to
// the last byte while a job runs and emptied again after a while. Mounting such a disk takes root on Linux; where that fails, the bench says so.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pair } from '../tests/runtime/crash-run.ts';
import {
  type CrashSite,
  type Disturbance,
  type LabelJob,
  labelUnder,
  makeCrashSite,
  tuneUnder,
} from '../tests/runtime/crash-scenes.ts';
import { recordSection, table } from './results.ts';

interface Scene {
  name: string;
  job: 'label' | 'tune';
  /** What of the site lies on the small disk. */
  on: 'models' | 'data' | 'postgres' | 'embedded';
  megabytes: number;
}

const scenes: Scene[] = [
  { name: 'fine-tuning, models', job: 'tune', on: 'models', megabytes: 80 },
  { name: 'fine-tuning, run folder', job: 'tune', on: 'data', megabytes: 40 },
  { name: 'labelling, data of Postgres', job: 'label', on: 'postgres', megabytes: 200 },
  { name: 'labelling, embedded database', job: 'label', on: 'embedded', megabytes: 200 },
];

/** Runs the scenes and writes their rows; `--scene models` for one. */
export async function run(args: string[]): Promise<void> {
  const only = args.includes('--scene') ? args[args.indexOf('--scene') + 1] : undefined;
  const rows: string[][] = [];
  for (const scene of scenes.filter(({ on }) => only === undefined || on === only)) rows.push(await play(scene));
  const head = ['job, and what lay on the full disk', 'while it was full', 'afterwards'];
  await recordSection(
    'full-disk',
    `A disk in memory filled to the last byte while a job runs, then emptied.\n\n${table(head, rows)}`,
  );
}

async function play({ name, job, on, megabytes }: Scene): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'steer-full-'));
  const disk = join(folder, 'disk');
  await mkdir(disk);
  mount(disk, megabytes);
  let site: CrashSite | undefined;
  try {
    if (on === 'models') await symlink(disk, join(folder, 'models'));
    if (on === 'data' || on === 'embedded') await symlink(disk, join(folder, 'data'));
    site = await makeCrashSite(folder, on === 'postgres' ? { postgresData: join(disk, 'data') } : {});
    const seen: string[] = [];
    const disturb = filling(disk, seen);
    const embedded = on === 'embedded';
    if (job === 'tune') {
      const { sameSteps, steps, largestDifference, attempts } = await tuneUnder(site, { epochs: 8, seed: 31 }, disturb);
      const left = (await readdir(join(folder, 'models'))).filter((each) => each.startsWith('.'));
      const curve = `${steps} steps in ${attempts} attempts, ${sameSteps ? 'each once' : 'NOT THE SAME'}, largest difference of a loss ${largestDifference}`;
      return [name, seen.join('; '), `${curve}; ${left.length} torn folders left`];
    }
    const counts = await labelUnder(site, { rows: 30_000, seed: 32, predictor: 'tiny-predictor', embedded }, disturb);
    const { once, missing, twice, inOrder } = counts;
    return [
      name,
      seen.join('; '),
      `${counts.job.status}, ${once} rows exactly once, ${missing} missing, ${twice} twice, order ${inOrder ? 'kept' : 'LOST'}`,
    ];
  } finally {
    await site?.stop();
    execFileSync('/bin/umount', ['-l', disk]);
    await rm(folder, { recursive: true, force: true });
  }
}

function mount(folder: string, megabytes: number): void {
  try {
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', folder], { stdio: 'pipe' });
    // Postgres runs as another user.
    execFileSync('chmod', ['755', dirname(folder), folder]);
  } catch (cause) {
    throw new Error(`This bench mounts a disk in memory, which takes root on Linux: ${(cause as Error).message}`, { cause });
  }
}

const patienceMs = 60_000;

/** Fills the disk once the job has got somewhere, empties it when the job is paused (or will not be), resumes it and waits for its end. */
function filling(disk: string, seen: string[]): Disturbance {
  return async (pair, id) => {
    await until(pair, id, ({ progress }) => progress.completed > 0, patienceMs);
    const started = performance.now();
    let full = true;
    const keepFull = (async () => {
      for (; full; await sleep(100)) await fill(disk);
    })();
    const paused = await until(pair, id, ({ status }) => status === 'paused', patienceMs);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    full = false;
    await keepFull;
    seen.push(`${paused ? paused.status : 'no answer'} after ${seconds} s`);
    await rm(join(disk, ballast));
    await until(pair, id, ({ status }) => status !== 'running', 5_000);
    await sleep(1_000);
    const { data } = await pair.get<{ data: { level: string; message: string }[] }>(`/v1/jobs/${id}/events?limit=100`);
    const told = data.findLast(({ level }) => level !== 'info');
    seen.push(told ? `"${told.message.replace(dirname(disk), '…')}"` : 'no event');
    const now = await pair.get<LabelJob>(`/v1/jobs/${id}`);
    if (now.status === 'paused') await pair.ask('POST', `/v1/jobs/${id}/resume`);
    const job = await until(pair, id, ended, patienceMs);
    if (!job || !ended(job)) throw new Error(`The job did not end: ${JSON.stringify(job)}`);
    return job;
  };
}

const ballast = 'ballast';

async function fill(disk: string): Promise<void> {
  const file = await open(join(disk, ballast), 'a');
  try {
    for (let bytes = 1 << 20; bytes >= 1; ) {
      const written = await file.write(Buffer.alloc(bytes)).then(
        ({ bytesWritten }) => bytesWritten,
        () => 0,
      );
      if (written < bytes) bytes >>= 4;
    }
  } finally {
    await file.close();
  }
}

/** The job as soon as that holds of it or it has ended, or as it stands when the patience is over; null where nobody answers. */
async function until(pair: Pair, id: string, holds: (job: LabelJob) => boolean, ms: number): Promise<LabelJob | null> {
  let job: LabelJob | null = null;
  for (const end = performance.now() + ms; performance.now() < end; await sleep(50)) {
    const reply = await fetch(`${pair.url}/v1/jobs/${id}`, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
    job = reply?.ok ? ((await reply.json()) as LabelJob) : null;
    if (job && (holds(job) || ended(job))) return job;
  }
  return job;
}

function ended({ status }: LabelJob): boolean {
  return ['succeeded', 'failed', 'cancelled'].includes(status);
}
