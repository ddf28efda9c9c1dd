// Evaluation as a job, on both databases with real workers and models of random weights: the report is the same whatever happens to a worker, and
// a job that ends early leaves the one there was.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findDataset } from '../../src/datasets/samples.ts';
import { SteerError } from '../../src/errors.ts';
import { createEvaluationJob, EvaluationInput } from '../../src/evaluation/evaluation-input.ts';
import { evaluationJob } from '../../src/evaluation/evaluation-job.ts';
import type { ServedModels } from '../../src/evaluation/served-models.ts';
import type { CompletionRequest, LanguageModel } from '../../src/generation/language-model.ts';
import { cancelJob, listEvents } from '../../src/jobs/jobs.ts';
import { writeGround } from '../../src/model/ground.ts';
import { readModelCard, writeModelCard } from '../../src/model/model-folder.ts';
import { ModelRegistry } from '../../src/registry/model-registry.ts';
import type { Store } from '../../src/store/connect.ts';
import { importText } from '../datasets/import-text.ts';
import { ratedLines, tone } from '../finetuning/workshop.ts';
import { Gate } from '../gate.ts';
import { attemptByHand, openWorkshop, type Workshop } from '../jobs/workshop.ts';
import { testDatabases } from '../store/databases.ts';
import { writeTinyModel } from '../tiny-model.ts';

const quick = { prompts_count: 3, seeds: 1, grid: 1, max_tokens: 6, draws: 20 };
/** Of a condition: defaults, one for each of three levels of two attributes, a target. */
const replies = 3 * (1 + 2 * 3 + 1);

interface Cursor {
  conditions: unknown[];
  likelihood: { done: number } | null;
}

/** The models of a registry, with what was asked of them, and refusals and delays as a test wants. */
class WatchedModels implements ServedModels {
  readonly registry: ModelRegistry;
  requests: (CompletionRequest & { model: string })[] = [];
  refusals = 0;
  readonly gate = new Gate();

  constructor(registry: ModelRegistry) {
    this.registry = registry;
  }

  list = () => this.registry.list();
  refresh = () => this.registry.refresh();
  folderOf = (id: string) => this.registry.folderOf(id);
  predictor = (id: string) => this.registry.predictor(id);
  unload = (id: string) => this.registry.unload(id);

  async language(id: string): Promise<LanguageModel> {
    const model = await this.registry.language(id);
    const watched = this;
    return {
      ...model,
      async *complete(request, signal) {
        watched.requests.push({ ...request, model: id });
        if (watched.refusals-- > 0) throw new SteerError('overloaded', 'Others are first.');
        await watched.gate.pass(signal);
        yield* model.complete(request, signal);
      },
    };
  }
}

describe.each(await testDatabases())('on $name', ({ open }) => {
  const modelsDir = mkdtempSync(join(tmpdir(), 'steer-evaluation-'));
  let store: Store;
  let workshop: Workshop;
  let models: WatchedModels;
  let definition: ReturnType<typeof evaluationJob>;

  beforeAll(async () => {
    const rest = { schema: tone, contextLength: 128 };
    await writeTinyModel(join(modelsDir, 'base'), { kind: 'base', name: 'base', ...rest });
    await writeTinyModel(join(modelsDir, 'steered'), { kind: 'steered', name: 'steered', seed: 2, ...rest });
    await writeTinyModel(join(modelsDir, 'other'), { kind: 'steered', name: 'other', seed: 4, ...rest });
    await writeTinyModel(join(modelsDir, 'judge'), { kind: 'predictor', name: 'judge', seed: 3, ...rest });
    // It has seen nothing, so all replies of three words or more are unlike its training.
    await writeGround(join(modelsDir, 'judge'), {
      ...{ format_version: 1, filter: Buffer.alloc(8).toString('base64'), hashes: 1 },
      ...{ expected: 0, limit: 0, held_out: 100 },
    });
    store = await open();
    const onBroken = (at: string, reason: string) => {
      throw new Error(`${at}: ${reason}`);
    };
    models = new WatchedModels(await ModelRegistry.open(modelsDir, { onBroken, store }));
    definition = evaluationJob({ models, threads: 1 });
    workshop = await openWorkshop(store, [definition]);
    for (const name of ['talk', 'known'])
      await importText(store.db, name, ratedLines(60), { schema: tone, validationShare: 0.5 });
    const card = await readModelCard(join(modelsDir, 'other'));
    await writeModelCard(join(modelsDir, 'other'), { ...card, datasets: [{ name: 'known', hash: 'x' }] });
  });
  afterAll(async () => {
    await workshop.close();
    await models.registry.dispose();
    await store.close();
    rmSync(modelsDir, { recursive: true, force: true });
  });

  const make = async (input: Record<string, unknown>) => {
    const dataset = (await findDataset(store.db, String(input.dataset ?? 'talk'))).id;
    return (await createEvaluationJob(store.db, EvaluationInput.parse({ model: 'steered', ...input, dataset }))).job;
  };
  const asked = (input: object = {}) => ({ kind: 'steering', judge: 'judge', ...quick, ...input });
  const steering = (input: object = {}) => make(asked(input));
  const evaluate = async (making: ReturnType<typeof make>) => {
    const job = await workshop.ended((await making).id);
    expect([job.status, job.error]).toEqual(['succeeded', null]);
    return job;
  };
  /** Has the job worked on by a worker that dies at the step `last` holds of; then others are back. */
  const cut = async (input: Record<string, unknown>, last: (cursor: Cursor) => boolean, change = async () => {}) => {
    await workshop.close();
    const job = await make(input);
    const died = await attemptByHand(store, job, definition, async (step, claim) => {
      if (last(step.cursor as Cursor)) throw new Error('killed');
      await claim.commit(step);
    });
    expect(died).toMatchObject({ message: 'killed' });
    await change();
    models.requests = [];
    workshop = await openWorkshop(store, [definition]);
    return await workshop.ended(job.id);
  };
  const read = (model: string, name: string) => readFileSync(join(modelsDir, model, 'evaluation', name), 'utf8');
  const report = (model: string, kind: string) => {
    const { created_at, ...rest } = JSON.parse(read(model, `${kind}.json`));
    expect(Date.parse(created_at)).toBeGreaterThan(0);
    return rest;
  };

  test('steering: the report beside the model, its curves on the card, the figures in the result', async () => {
    const seeds = 6;
    const job = await evaluate(
      steering({ seeds, strength: [2], controls: [{ name: 'no steering', model: 'other' }], base: 'base' }),
    );
    const names = ['plain prompt', 'strength 2', 'no steering'];
    const written = report('steered', 'steering');
    expect(written).toMatchObject({
      kind: 'steering',
      model: { name: 'steered', precision: 'fp32' },
      prompts: { source: 'talk', split: 'validation', count: 3, seen_in_training: false },
      base: 'base',
      settings: { seeds, targets: 1, max_tokens: 6, temperature: 0.7, top_p: 0.95, frequency_penalty: 0, seed: 0, draws: 20 },
    });
    expect(written.conditions.map(({ name }: { name: string }) => name)).toEqual(names);
    expect((await models.registry.report('steered')).evaluations.steering).toMatchObject(written);
    const { replies, unlike } = written.ground;
    expect(unlike).toBeGreaterThan(0);
    expect(read('steered', 'steering.md')).toContain(
      `> ${unlike} of ${replies} replies are unlike what judge was trained on; its ratings say little there.`,
    );
    const sums = (of: string) =>
      written.conditions.reduce((sum: number, { ground }: { ground: Record<string, number> }) => sum + ground[of]!, 0);
    expect([sums('replies'), sums('unlike')]).toEqual([replies, unlike]);
    expect(job.result).toMatchObject({ figures: { ground: { replies, unlike } } });
    expect(readdirSync(join(modelsDir, 'steered', 'evaluation'))).toHaveLength(4);
    const { curves } = (await readModelCard(join(modelsDir, 'steered'))).measured!.steering!;
    expect(models.list().find(({ id }) => id === 'steered')).toMatchObject({ curves });
    expect(curves.humor!.map(({ requested }) => requested)).toEqual([0, 1, 2]);

    expect(job.result).toMatchObject({ kind: 'steering', model: 'steered', report: '/v1/models/steered/report' });
    const told = job.result!.figures as { conditions: Record<string, unknown>[] };
    expect(told.conditions.map(({ name }) => name)).toEqual(names);
    const [plain] = written.conditions;
    expect(told.conditions[0]).toMatchObject({
      within_spearman: { humor: plain.attributes.humor.figures.within_spearman },
      leakage: plain.leakage.rms.value,
      perplexity_cost: plain.fluency.cost.value,
    });
    const total = 3 * 3 * (seeds * (1 + 1 + 2 * 3) + 1);
    expect(job.progress).toMatchObject({ phase: 'writing', total, completed: total });
    const said = (await listEvents(store.db, job.id)).map(({ message }) => message);
    expect(said).toContain(`Measured: plain prompt, ${total / 3} of ${total} replies.`);
  });

  test('asks behind everybody else, waits where an engine is full, and leaves no model in memory that was not', async () => {
    models.registry.unload('steered');
    await models.registry.load('judge');
    models.requests = [];
    models.refusals = 3;
    const card = await readModelCard(join(modelsDir, 'steered'));
    const { id } = await evaluate(steering());
    expect((await listEvents(store.db, id)).map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^The card of steered stays as it is: there are 3 replies at a level/),
    );
    expect(await readModelCard(join(modelsDir, 'steered'))).toEqual(card);
    expect(models.requests).toHaveLength(replies + 3);
    expect(new Set(models.requests.map(({ priority }) => priority))).toEqual(new Set(['batch']));
    const status = Object.fromEntries(models.list().map(({ id, status: at }) => [id, at]));
    expect(status).toMatchObject({ steered: 'unloaded', judge: 'loaded' });
  });

  test('a worker that dies repeats one condition, and the report is the same', async () => {
    const input = { strength: [1.5, 2], text_instruction: true, seed: 5 };
    await evaluate(steering(input));
    const whole = report('steered', 'steering');
    rmSync(join(modelsDir, 'steered', 'evaluation'), { recursive: true });
    const nothing = async () => expect(readdirSync(join(modelsDir, 'steered', 'evaluation'))).toEqual([]);
    const ended = await cut(asked(input), ({ conditions }) => conditions.length === 2, nothing);
    expect([ended.status, ended.attempt]).toEqual(['succeeded', 2]);
    // The first condition was kept; the three others were asked for.
    expect(models.requests).toHaveLength(3 * replies);
    expect(report('steered', 'steering')).toEqual(whole);
    expect(ended.progress).toMatchObject({ completed: 4 * replies, total: 4 * replies });
  });

  test('a model that changes between two attempts ends the job', async () => {
    const shifty = (seed: number) =>
      writeTinyModel(join(modelsDir, 'shifty'), { kind: 'steered', name: 'shifty', schema: tone, contextLength: 128, seed });
    await shifty(7);
    const input = asked({ strength: [2], controls: [{ name: 'one', model: 'shifty' }] });
    const ended = await cut(
      input,
      ({ conditions }) => conditions.length === 2,
      () => shifty(8),
    );
    expect(ended.error).toMatchObject({ code: 'conflict', message: expect.stringMatching(/^shifty is another than when/) });
  });

  test('a cancelled job stops soon and leaves the earlier report', async () => {
    await evaluate(steering());
    const files = ['steering.json', 'steering.md', 'steering-curves.svg'];
    const before = files.map((name) => read('steered', name));
    models.requests = [];
    models.gate.shut(replies);
    const job = await steering({ strength: [2, 3], seed: 9 });
    const begun = ({ cursor }: { cursor: unknown }) => (cursor as Cursor | null)?.conditions.length === 1;
    await workshop.until(job.id, begun);
    await cancelJob(store.db, job.id);
    const ended = await workshop.ended(job.id);
    models.gate.open();
    expect([ended.status, begun(ended)]).toEqual(['cancelled', true]);
    expect(files.map((name) => read('steered', name))).toEqual(before);
  });

  test('what only the data tells fails the job in the words of the request', async () => {
    const job = await workshop.ended((await steering({ model: 'other', dataset: 'known', split: 'train' })).id);
    expect(job).toMatchObject({ status: 'failed', error: { code: 'invalid_request', param: 'split' } });
    expect(job.error!.message).toMatch(/other was trained on the train split of known .* or add force to have the report marked/);
    expect(existsSync(join(modelsDir, 'other', 'evaluation'))).toBe(false);
    await evaluate(steering({ model: 'other', dataset: 'known', split: 'train', force: true }));
    expect(report('other', 'steering').prompts.seen_in_training).toBe(true);

    const long = await workshop.ended((await steering({ max_tokens: 127 })).id);
    expect(long.error).toMatchObject({ code: 'invalid_dataset', param: 'max_tokens' });
    expect(long.error!.message).toContain('Lower max_tokens.');
  });

  test('a predictor against ratings', async () => {
    const job = await evaluate(make({ kind: 'predictor', model: 'judge' }));
    const written = report('judge', 'predictor');
    expect(written).toMatchObject({
      kind: 'predictor',
      data: { name: 'talk', split: 'validation', labels: ['human', 'import', 'rule'] },
      settings: { seed: 0, limit: null },
      label_makers: { dataset: 'talk', choice: ['human', 'import', 'rule'], counted: [{ source: 'import' }], passed_over: [] },
    });
    expect(job.result!.label_makers).toEqual(written.label_makers);
    const { humor } = written.attributes;
    expect(job.result!.figures).toMatchObject({
      replies: written.replies,
      attributes: { humor: { ratings: humor.n, spearman: humor.figures.spearman, beats_baselines: humor.beats_baselines } },
    });
    expect(job.progress.phase).toBe('writing');
  });

  test('by likelihood; a worker that dies repeats one part, and the report is the same', async () => {
    const input = { kind: 'likelihood', base: 'base', limit: 8, replies: (await findDataset(store.db, 'talk')).id };
    const job = await evaluate(make(input));
    const whole = report('steered', 'likelihood');
    expect(whole).toMatchObject({ base: { name: 'base' }, data: { name: 'talk' }, fluency: { written: { replies: 60 } } });
    expect(job.result!.figures).toMatchObject({
      replies: 8,
      gain: whole.label_information.gain,
      kl_to_base: whole.kl_to_base,
      calibration_change: whole.calibration.change,
      perplexity: whole.fluency.held_out.perplexity,
    });
    rmSync(join(modelsDir, 'steered', 'evaluation', 'likelihood.json'));
    const ended = await cut(input, ({ likelihood }) => likelihood?.done === 2);
    expect([ended.status, ended.attempt]).toEqual(['succeeded', 2]);
    expect(report('steered', 'likelihood')).toEqual(whole);
  });
});
