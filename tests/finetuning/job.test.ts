// Fine-tuning as a job, on both databases with real workers and training processes: what comes out, what is refused before any compute, and
// that a run which was paused, killed or taken over follows the very curve of one that was not.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFinetuningJob } from '../../src/finetuning/job-input.ts';
import { listCheckpoints } from '../../src/finetuning/job-records.ts';
import { cancelJob, type Job, listEvents, pauseJob, resumeJob } from '../../src/jobs/jobs.ts';
import { layOutPrompt } from '../../src/steerlm/prompt-layout.ts';
import type { Store } from '../../src/store/connect.ts';
import { models as modelRows } from '../../src/store/schema.ts';
import { settingsOf } from '../../src/training/training-settings.ts';
import { openWorkshop, type Workshop } from '../jobs/workshop.ts';
import { testDatabases } from '../store/databases.ts';
import { readableByOthers } from '../store/readable-by-others.ts';
import { openSite, quick, ratedLines, type Site, tone } from './workshop.ts';

describe.each(await testDatabases())('fine-tuning jobs on $name', ({ open }) => {
  let store: Store;
  let site: Site;
  let workshop: Workshop;

  beforeAll(async () => {
    store = await open();
    site = await openSite(store);
    workshop = await openWorkshop(store, [site.definition]);
  });
  afterAll(async () => {
    await workshop.close();
    await site.close();
    await store.close();
  });

  const succeed = async ({ id }: Job): Promise<Job> => {
    const job = await workshop.ended(id);
    expect(job.error).toBe(null);
    expect(job.status).toBe('succeeded');
    return job;
  };
  const failureOf = async ({ id }: Job) => {
    const job = await workshop.ended(id);
    expect(job.status).toBe('failed');
    return { error: job.error!, state: readFinetuningJob(job).state };
  };
  const curveOf = async (job: Job) => {
    const [head, ...rows] = (await site.text(String(job.result!.result_file))).trimEnd().split('\n');
    expect(head).toBe('step,train_loss,valid_loss,learning_rate,grad_norm,epoch,num_tokens');
    return rows;
  };
  const messages = async ({ id }: Job) => (await listEvents(store.db, id)).map(({ message }) => message);
  /** Steps a run has made, those it repeats counted again. */
  const stepped = ({ id }: Job) => {
    const path = join(site.dataDir, 'runs', id, 'metrics.jsonl');
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
  };
  const steps = async (job: Job, count: number) => {
    for (const end = Date.now() + 60_000; stepped(job) < count && Date.now() < end; ) await new Promise((r) => setTimeout(r, 5));
    expect(stepped(job)).toBeGreaterThanOrEqual(count);
  };
  /** A run long enough to be interrupted. */
  const long = { ...quick, n_epochs: 20, checkpoint_every: 10_000, evaluate_every: 50 };

  test('a steered model comes out of an uploaded file, with its report, curve, checkpoints and record', async () => {
    const training = await site.upload(ratedLines(80));
    const job = await succeed(await site.make({ training }));
    const { state } = readFinetuningJob(job);
    expect(state.report).toMatchObject({ bad_lines: { count: 0 }, context_length: 128, row_tokens: 64 });
    const { tokens, truncated_share: cut, samples } = state.report!;
    const longer = tokens.histogram.filter(({ up_to }) => up_to > 64).reduce((sum, bin) => sum + bin.samples, 0);
    expect(cut).toBeCloseTo(longer / samples.train);
    expect(state.report!.samples.train + state.report!.samples.validation).toBe(80);
    expect(state.report!.labels.humor!.levels.reduce((a, b) => a + b)).toBe(state.report!.replies);

    const short = job.id.slice('ftjob-'.length, 'ftjob-'.length + 8);
    const name = `ft:base:test:${short}`;
    expect(job.result).toMatchObject({ model: name, folder: `ft-base-test-${short}` });
    const rows = await curveOf(job);
    expect(rows.map((row) => Number(row.split(',')[0]))).toEqual(
      Array.from({ length: Number(job.result!.steps) }, (_, i) => i + 1),
    );
    expect(rows.at(-1)!.split(',')[2]).not.toBe('');

    const checkpoints = await listCheckpoints(store.db, job.id, { limit: 20 });
    expect(checkpoints.map(({ step }) => step % 6)).toEqual(checkpoints.map(() => 0));
    expect(checkpoints.length).toBe(Math.min(3, Math.floor((rows.length - 1) / 6)));
    const known = site.models.list().map(({ id }) => id);
    expect(known).toEqual(expect.arrayContaining([name, ...checkpoints.map(({ model }) => model)]));
    const onDisk = readdirSync(site.modelsDir).filter((folder) => folder.includes(short));
    expect(onDisk).toHaveLength(1 + checkpoints.length);
    // What a further job needs to make the run longer, and no more.
    const left = readdirSync(join(site.dataDir, 'runs', job.id)).sort();
    expect(left.filter((file) => file.startsWith('step-'))).toEqual([`step-${String(job.result!.steps).padStart(8, '0')}`]);
    expect(left.filter((file) => !file.startsWith('step-'))).toEqual(['metrics.jsonl', 'train.jsonl', 'validation.jsonl']);

    for (const id of [name, checkpoints[0]!.model]) {
      const model = await site.models.language(id);
      const prompt = model.encode(
        layOutPrompt(model.schema, { system: '', turns: [{ role: 'user', content: 'gate' }] }, { humor: 2 }),
      );
      const request = { prompt, maxTokens: 3, temperature: 0, topP: 1, topK: 0, stop: [], seed: 1, n: 1 };
      const events = [];
      for await (const event of model.complete(request, new AbortController().signal)) events.push(event);
      expect(events.at(-1)).toMatchObject({ kind: 'end' });
      site.models.unload(id);
    }
    const [record] = await store.db.select().from(modelRows).where(eq(modelRows.name, name));
    expect(record).toMatchObject({ kind: 'steered', revision: job.result!.revision, schema: tone });
    expect((await listEvents(store.db, job.id)).filter(({ type }) => type === 'metrics').at(-1)!.data).toMatchObject({
      step: rows.length,
      loss: expect.any(Number),
      grad_norm: expect.any(Number),
      learning_rate: expect.any(Number),
      epoch: expect.any(Number),
      num_tokens: job.result!.trained_tokens,
      eval_loss: expect.any(Number),
    });
  });

  test('data that cannot be learnt from is refused before any compute, with the report', async () => {
    const unsaid = await site.make({ training: await site.upload(ratedLines(30, (i) => ({ humor: i % 3 }))) });
    const { error, state } = await failureOf(unsaid);
    expect(error).toMatchObject({ code: 'invalid_dataset', param: 'training_file' });
    expect(error.message).toMatch(/No reply of the training data is labelled for verbosity\./);
    expect(state).toMatchObject({ plan: null, step: 0, report: { labels: { verbosity: { labelled: 0, share: 0 } } } });

    const lines = ratedLines(10).split('\n');
    const bad = [...lines.slice(0, 4), '{"messages": "none"}', ...lines.slice(4), 'no JSON'].join('\n');
    const torn = await failureOf(await site.make({ training: await site.upload(bad, 'torn.jsonl') }));
    expect(torn.error.message).toMatch(/^2 lines cannot be read\. torn\.jsonl, line 5: .*torn\.jsonl, line 12: /);
    expect(torn.state.report!.bad_lines).toMatchObject({ count: 2, first: [{ line: 5 }, { line: 12 }] });

    const bare = ratedLines(10).replaceAll(/,"attributes":\{[^}]*\}/g, '');
    const unlabelled = await failureOf(await site.make({ training: await site.upload(bare), schema: null }));
    expect(unlabelled.error.message).toMatch(/No reply of the training data is labelled\. Label it first/);
    const wide = { ...quick, row_tokens: 4096 };
    const rows = await failureOf(
      await site.make({ training: await site.upload(bare), method: 'supervised', hyperparameters: wide }),
    );
    expect(rows.error).toMatchObject({ code: 'invalid_request', param: 'hyperparameters.row_tokens' });
  });

  test('a chosen attribute is enough, plain fine-tuning needs no label, and data may be held out by a file of its own', async () => {
    const training = await site.upload(ratedLines(30, (i) => ({ humor: i % 3 })));
    const validation = await site.upload(ratedLines(12));
    const steered = await succeed(await site.make({ training, validation, attributes: ['humor'] }));
    expect(readFinetuningJob(steered).state.report!.samples).toEqual({ train: 30, validation: 12 });
    const [card] = site.models.list().filter(({ id }) => id === steered.result!.model);
    expect(card!.schema.attributes.map(({ name }) => name)).toEqual(['humor']);
    const adapted = { ...quick, learning_rate: 'auto' as const, lora_rank: 2, n_steps: 5, held_out_replies: 3 };
    const plain = await succeed(await site.make({ training, method: 'supervised', suffix: '', hyperparameters: adapted }));
    const { plan } = readFinetuningJob(plain).state;
    expect(plan!.settings).toMatchObject({
      learningRate: settingsOf('supervised', { accumulation: 1, seed: 0, loraRank: 2 }).learningRate,
    });
    expect(plain.result!.steps).toBe(5);
    expect(site.models.list().find(({ id }) => id === plain.result!.model)).toMatchObject({
      kind: 'language',
      schema: { attributes: [] },
      base: 'base',
    });
  });

  test('a second round remembers what the first one was trained on', async () => {
    const first = await succeed(await site.make({ training: await site.bringIn('monday', ratedLines(30)) }));
    const model = String(first.result!.model);
    const second = await succeed(await site.make({ training: await site.bringIn('tuesday', ratedLines(40)), model }));
    const made = site.models.list().find(({ id }) => id === second.result!.model)!;
    expect(made.datasets.map(({ name }) => name)).toEqual(['monday', 'tuesday']);
    expect(made.base).toBe(model);
  });

  test('a predictor comes out of a stored dataset, ending early when the held-out loss stops falling', async () => {
    const training = await site.bringIn('rated', ratedLines(120));
    const hyperparameters = { ...quick, learning_rate: 0.5, n_epochs: 60, evaluate_every: 2, early_stopping: { patience: 2 } };
    const job = await succeed(await site.make({ method: 'predictor', training, schema: null, hyperparameters }));
    const { plan } = readFinetuningJob(job).state;
    expect(Number(job.result!.steps)).toBeLessThan(plan!.steps!);
    const losses = (await curveOf(job)).flatMap((row) => (row.split(',')[2] === '' ? [] : [Number(row.split(',')[2])]));
    expect(job.result!.eval_loss).toBe(Math.min(...losses));
    const predictor = await site.models.predictor(String(job.result!.model));
    const turns = [{ role: 'assistant' as const, content: 'gate' }];
    const [score] = await predictor.score([{ system: '', turns }], new AbortController().signal);
    expect(Object.keys(score!.attributes)).toEqual(['humor', 'verbosity']);
  });

  test('a run that is paused, and whose process is killed, follows the same curve', { timeout: 120_000 }, async () => {
    const training = await site.upload(ratedLines(40));
    const reference = await curveOf(await succeed(await site.make({ training, hyperparameters: long })));

    const job = await site.make({ training, hyperparameters: long });
    const runFolder = join(site.dataDir, 'runs', job.id);
    await steps(job, 30);
    await pauseJob(store.db, job.id);
    const paused = await workshop.until(job.id, ({ status }) => status === 'paused');
    const { step } = readFinetuningJob(paused).state;
    expect(step).toBeGreaterThan(0);
    const [kept] = await listCheckpoints(store.db, job.id, { limit: 1 });
    expect(kept).toMatchObject({ step, metrics: { train_loss: expect.any(Number) } });
    expect(existsSync(join(runFolder, 'train.jsonl'))).toBe(true);
    expect(readableByOthers(join(site.dataDir, 'runs'))).toEqual([]);
    await resumeJob(store.db, job.id);
    await steps(job, stepped(job) + 5);
    const { pid } = JSON.parse(readFileSync(join(runFolder, 'lock'), 'utf8'));
    // What stops a server stops its whole group; the worker decides what becomes of the run.
    process.kill(pid, 'SIGTERM');
    await steps(job, stepped(job) + 5);
    process.kill(pid, 'SIGKILL');
    const done = await succeed(job);
    expect(await curveOf(done)).toEqual(reference);
    expect(await messages(job)).toContainEqual(`The training process ended early; going on from step ${step}.`);
  });

  test('the run of an ended job is made longer by another, the same way each time; older runs are gone', {
    timeout: 120_000,
  }, async () => {
    const training = await site.upload(ratedLines(40));
    const first = await succeed(await site.make({ training, hyperparameters: { ...quick, n_steps: 8 } }));
    const longer = { training, hyperparameters: { ...quick, n_steps: 14 }, continues: first.id };
    const [second, again] = [await succeed(await site.make(longer)), await succeed(await site.make(longer))];
    expect(second.result).toMatchObject({ steps: 14, model: expect.stringContaining(second.id.slice(6, 14)) });
    const curve = await curveOf(second);
    expect(curve.slice(0, 8)).toEqual(await curveOf(first));
    expect(await curveOf(again)).toEqual(curve);
    expect(await messages(second)).toContainEqual(`Going on from step 8 of ${first.id}.`);
    const card = JSON.parse(readFileSync(join(site.modelsDir, String(second.result!.folder), 'steerlm.json'), 'utf8'));
    expect(card.recipe.cycles).toEqual([
      { from: 0, to: 8 },
      { from: 8, to: 14 },
    ]);
    await succeed(await site.make({ training }));
    expect(existsSync(join(site.dataDir, 'runs', first.id))).toBe(false);
    const { error } = await failureOf(await site.make(longer));
    expect(error).toMatchObject({ code: 'not_found', param: 'continue_from' });
  });

  test('a run of so many minutes settles on a number of steps, and keeps to it after a pause', { timeout: 120_000 }, async () => {
    const hyperparameters = { ...quick, minutes: 0.1, checkpoint_every: 10_000, evaluate_every: 10_000 };
    const job = await site.make({ training: await site.upload(ratedLines(40)), hyperparameters });
    await steps(job, 1);
    // Where this process was held up the run may have ended meanwhile.
    await pauseJob(store.db, job.id).catch((error) => expect(error.code).toBe('conflict'));
    const paused = await workshop.until(job.id, ({ status }) => status !== 'running' && status !== 'queued');
    const settled = paused.progress.total;
    expect(settled).toBeGreaterThan(0);
    if (paused.status === 'paused') await resumeJob(store.db, job.id);
    const done = await succeed(job);
    expect(done.result!.steps).toBe(settled);
    expect(await curveOf(done)).toHaveLength(settled!);
  });

  test('a cancelled run keeps its last checkpoint as a model', { timeout: 120_000 }, async () => {
    const job = await site.make({ training: await site.upload(ratedLines(40)), hyperparameters: long });
    await steps(job, 5);
    await cancelJob(store.db, job.id);
    expect((await workshop.ended(job.id)).status).toBe('cancelled');
    const [checkpoint] = await listCheckpoints(store.db, job.id, { limit: 1 });
    expect(site.models.list().map(({ id }) => id)).toContain(checkpoint!.model);
  });
});
