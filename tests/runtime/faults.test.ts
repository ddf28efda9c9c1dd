// The real thing: a Postgres that crashes under a labelling and a fine-tuning job of real processes and comes back, and a device without room
// under a fine-tuning job. Nothing is lost, nothing is done twice, and what happened stands in the job's events.
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFinetuningJob } from '../../src/finetuning/job-input.ts';
import { type Job, listEvents, pauseJob, resumeJob } from '../../src/jobs/jobs.ts';
import { openStore, type Store } from '../../src/store/connect.ts';
import { migrateStore } from '../../src/store/migrate.ts';
import { openSite, quick, ratedLines, type Site } from '../finetuning/workshop.ts';
import { openWorkshop, type Workshop } from '../jobs/workshop.ts';
import { type CrashSite, labelUnder, makeCrashSite, tuneUnder } from './crash-scenes.ts';
import { type Outage, outage } from './outage.ts';

const awayMs = 2_000;

let folder: string;
let site: CrashSite;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steer-faults-'));
  site = await makeCrashSite(folder);
}, 120_000);
afterAll(async () => {
  await site.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a database that is lost in the middle of a job', () => {
  /** Every call was answered at once, with a 503 that says what to do; only the sign of life needs no database. */
  const expectClearAnswers = ({ told }: Outage) => {
    expect(told.length).toBeGreaterThan(20);
    expect(told.filter(({ ms }) => ms > 1_500)).toEqual([]);
    for (const { asked, status, body } of told) {
      if (asked === 'GET /health/live') expect(status).toBe(200);
      else {
        expect([asked, status, body]).toEqual([asked, 503, expect.stringContaining('"code":"database_unavailable"')]);
        expect(JSON.parse(body).error.message).toMatch(/database does not answer.*send the request again/);
      }
    }
  };

  it('labels every row once, in order', { timeout: 120_000 }, async () => {
    const lost = outage(site, awayMs);
    const scene = { rows: 6000, seed: 21, predictor: 'tiny-predictor', leaseMs: 15_000 };
    const { job, kills, ...counts } = await labelUnder(site, scene, lost.disturb);
    expect(counts).toMatchObject({ once: 6000, twice: 0, missing: 0, inOrder: true });
    expect(job).toMatchObject({ status: 'succeeded', progress: { total: 6000, completed: 6000, failed: 0 } });
    expect(lost.events.join('\n')).toMatch(/The database did not answer for \d+ s; the job goes on from its last step/);
    expectClearAnswers(lost);
  });

  it('fine-tunes along the same curve, also where the job could have been taken over meanwhile', {
    timeout: 120_000,
  }, async () => {
    const lost = outage(site, awayMs);
    const outcome = await tuneUnder(site, { epochs: 6, seed: 22, leaseMs: 1_000 }, lost.disturb);
    expect(outcome).toMatchObject({ sameSteps: true, largestDifference: 0 });
    expect(lost.events.join('\n')).toMatch(/The database did not answer for \d+ s/);
    expectClearAnswers(lost);
  });
});

/** A file that is a link to this device opens like any other, and every write to it fails as on a disk without room. */
const noRoom = '/dev/full';

describe.skipIf(!existsSync(noRoom))('a disk without room under a fine-tuning job', () => {
  let store: Store;
  let tiny: Site;
  let workshop: Workshop;
  beforeAll(async () => {
    store = await openStore({ databaseUrl: site.server.url, dataDir: '' });
    await migrateStore(store.db);
    tiny = await openSite(store);
    workshop = await openWorkshop(store, [tiny.definition]);
  });
  afterAll(async () => {
    await workshop.close();
    await tiny.close();
    await store.close();
  });

  const paused = (id: string) => workshop.until(id, ({ status }) => status === 'paused' || status === 'failed');
  const resume = async ({ id }: Job) => {
    await resumeJob(store.db, id);
    return await paused(id);
  };
  const expectPausedByDisk = async ({ id, status }: Job, folder: string) => {
    expect(status).toBe('paused');
    const { level, message } = (await listEvents(store.db, id)).at(-1)!;
    expect(level).toBe('error');
    expect(message).toBe(
      `There is no room left on the disk of ${folder}. The job is paused and nothing is lost. Make room there, then resume it.`,
    );
  };
  const curveOf = async (id: string) => {
    const { status, result } = await workshop.ended(id);
    expect(status).toBe('succeeded');
    return await tiny.text(String(result!.result_file));
  };

  it('is paused with its state kept, as often as there is no room, and follows the same curve once there is', {
    timeout: 60_000,
  }, async () => {
    const training = await tiny.upload(ratedLines(40));
    const hyperparameters = { ...quick, n_epochs: 12, checkpoint_every: 10 };
    const job = await tiny.make({ training, hyperparameters });
    const runFolder = join(tiny.dataDir, 'runs', job.id);

    await workshop.until(job.id, ({ cursor }) => (readFinetuningJob({ ...job, cursor }).state.step ?? 0) >= 10);
    await pauseJob(store.db, job.id);
    expect((await paused(job.id)).status).toBe('paused');
    const curve = join(runFolder, 'metrics.jsonl');
    await rename(curve, `${curve}.kept`);
    await symlink(noRoom, curve);
    for (let tries = 0; tries < 2; tries++) await expectPausedByDisk(await resume(job), runFolder);
    expect((await readdir(runFolder)).filter((name) => name.endsWith('.partial') || name === 'lock')).toEqual([]);
    await rename(`${curve}.kept`, curve);
    await resumeJob(store.db, job.id);

    const undisturbed = await tiny.make({ training, hyperparameters });
    expect(await curveOf(job.id)).toBe(await curveOf(undisturbed.id));
    expect((await readdir(tiny.modelsDir)).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
