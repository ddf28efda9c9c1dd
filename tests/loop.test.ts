// The whole circle on a tiny model, in seconds: read it from top to bottom to see how the rooms fit together.
// Ratings come in, a predictor learns them, labels a second dataset, a model is tuned on both, served over HTTP, steered and measured; then people
// rate its replies, and a predictor and a model made from what they said take its place.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { importDataset } from '../src/datasets/import.ts';
import { findDataset, streamSamples } from '../src/datasets/samples.ts';
import { writeSnapshot } from '../src/datasets/snapshot.ts';
import { finetune } from '../src/finetuning/finetune.ts';
import { createLog } from '../src/http/log.ts';
import { labelDataset } from '../src/predictor/label-dataset.ts';
import { openPredictor } from '../src/predictor/open.ts';
import { trainPredictor } from '../src/predictor/train.ts';
import { randomStream } from '../src/random.ts';
import { openRuntime, type Runtime } from '../src/runtime.ts';
import type { AttributeSchema } from '../src/steerlm/attributes.ts';
import { quickSettings, quickSize, quiet } from './quick-training.ts';

const schema: AttributeSchema = {
  name: 'tiny',
  version: 1,
  attributes: [
    { name: 'verbosity', aliases: [], description: 'How much is said', levels: ['short', 'long'], default: 0, cap: 1 },
    { name: 'humor', aliases: ['humour'], description: 'How funny it is', levels: ['serious', 'funny'], default: 0, cap: 1 },
  ],
};
const signal = new AbortController().signal;

/** Replies whose attributes anyone can see: long ones add a sentence, funny ones a goose. */
function reply(verbosity: number, humor: number): string {
  return `Go left.${verbosity ? ' Then walk along the river until you see the old mill.' : ''}${humor ? ' Honk honk.' : ''}`;
}

/** Rows as people share them: OpenAI messages, with the raters' attributes on the reply or without. */
function rows(count: number, rated: boolean): string {
  const random = randomStream('loop', String(rated));
  return Array.from({ length: count }, (_, i) => {
    const attributes = { verbosity: Math.round(random()), humor: Math.round(random()) };
    const answer = {
      role: 'assistant',
      content: reply(attributes.verbosity, attributes.humor),
      ...(rated ? { attributes } : {}),
    };
    return JSON.stringify({ messages: [{ role: 'user', content: `Where is house ${i}?` }, answer] });
  }).join('\n');
}

let folder: string;
let place: Runtime;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steer-loop-'));
  await mkdir(join(folder, 'models'));
  const config = readConfig({ DATA_DIR: join(folder, 'data'), MODELS_DIR: join(folder, 'models') });
  place = await openRuntime(config, createLog('silent'));
  place.work();
});
afterAll(async () => {
  await place.close();
  await rm(folder, { recursive: true });
});

/** Asks the application as a caller would; the reply must be a good one. */
async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const json = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await place.app.request(path, { method, ...json });
  const reply = await response.json();
  expect(response.ok, `${method} ${path}: ${JSON.stringify(reply)}`).toBe(true);
  return reply as T;
}

interface TuningJob {
  id: string;
  status: string;
  fine_tuned_model: string;
  error: unknown;
}

/** Fine-tunes as a job and waits for the model. */
async function tuned(request: object): Promise<string> {
  const { id } = await call<TuningJob>('POST', '/v1/fine_tuning/jobs', request);
  for (;;) {
    const job = await call<TuningJob>('GET', `/v1/fine_tuning/jobs/${id}`);
    if (job.status === 'succeeded') return job.fine_tuned_model;
    expect(job.status, JSON.stringify(job.error)).not.toBe('failed');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

interface Completion {
  id: string;
  model: string;
  choices: Choice[];
}

interface Choice {
  message: { content: string };
  steering: { applied: object; measured: Record<string, { level: number }> };
}

/** The samples of datasets as files a training process reads; labels by people go before labels by models. */
async function snapshot(run: string, names: string[]) {
  const runFolder = join(folder, run);
  const file = async (split: 'train' | 'validation') => {
    const path = join(folder, `${run}-${split}.jsonl`);
    async function* contents() {
      for (const name of names) {
        const { id } = await findDataset(place.db, name);
        for await (const { content } of streamSamples(place.db, id, { split, labels: ['human', 'import', 'model'] }))
          yield content;
      }
    }
    await writeSnapshot(path, contents());
    return path;
  };
  const shared = { name: run, runFolder, datasets: [], dtype: 'float32' as const, B: 8, T: 64 };
  return { ...shared, train: await file('train'), validation: await file('validation') };
}

it('turns', { timeout: 240_000 }, async () => {
  // 1. Ratings come in, and a second dataset that nobody has rated.
  for (const [name, rated] of [
    ['rated', true],
    ['unrated', false],
  ] as const) {
    const path = join(folder, `${name}.jsonl`);
    await writeFile(path, rows(120, rated));
    const report = await importDataset(place.db, { name, input: { path }, schema });
    expect(report.samples).toBe(120);
  }

  // 2. A base model is made from scratch: tokenizer, then next-token training without labels.
  const models = join(folder, 'models');
  const base = join(models, 'base');
  const pretraining = await snapshot('base', ['rated', 'unrated']);
  await finetune(
    { ...pretraining, method: 'pretrain', out: base, start: { create: quickSize }, settings: quickSettings(4) },
    quiet,
    signal,
  );

  // 3. A predictor learns the ratings and is reported on held-out conversations.
  const rated = await snapshot('predictor', ['rated']);
  const out = join(models, 'predictor');
  const trained = await trainPredictor(
    { ...rated, base, out, schema, readingTokens: 64, settings: quickSettings(8) },
    quiet,
    signal,
  );
  expect(trained.report!.humor!.auc).toBeGreaterThan(0.95);

  // 4. It labels the unrated dataset; each label says who made it.
  const predictor = await openPredictor(out);
  const unrated = await findDataset(place.db, 'unrated');
  const labelled = await labelDataset(place.db, { dataset: unrated.id, predictor, signal });
  expect(labelled.rated).toBe(120);
  await predictor.dispose();

  // 5. The base model is tuned on both, under attributes.
  const both = await snapshot('steered', ['rated', 'unrated']);
  const dropout = { label: 0.1, attribute: 0.1, partial: 0.5 };
  const steered = {
    ...both,
    method: 'steered' as const,
    base,
    out: join(models, 'steered'),
    schema,
    dropout,
    settings: quickSettings(12),
  };
  await finetune(steered, quiet, signal);
  expect(JSON.parse(await readFile(join(models, 'steered', 'steerlm.json'), 'utf8')).base_model.name).toBe('base');

  // 6. It is served, obeys, and says what it did. The completions are remembered.
  await place.models.refresh();
  await call('PUT', '/v1/models/aliases/default', { model: 'steered' });
  const ask = (attributes: object, house = 7) =>
    call<Completion>('POST', '/v1/chat/completions', {
      messages: [{ role: 'user', content: `Where is house ${house}?` }],
      attributes,
      steering: { measure: true },
      temperature: 0,
      max_tokens: 60,
    });
  const wishes = [0, 1].flatMap((verbosity) => [0, 1].map((humor) => ({ verbosity, humor })));
  for (const { verbosity, humor } of wishes) {
    const { model, choices } = await ask({ verbosity, humour: humor });
    const { message, steering } = choices[0]!;
    expect(model).toBe('steered');
    expect(message.content).toBe(reply(verbosity, humor));
    expect(steering.applied).toEqual({ verbosity, humor });
    expect(steering.measured.humor!.level).toBe(humor);
  }

  // 7. People rate what they got, and they are hard to please: to them a goose is no joke, and only silence about it is funny.
  for (let house = 0; house < 20; house++) {
    for (const { verbosity, humor } of wishes) {
      const { id } = await ask({ verbosity, humor }, house);
      for (const rater of ['ann', 'bob']) {
        await call('POST', '/v1/feedback', { rater, completion_id: id, ratings: { verbosity, humor: 1 - humor } });
      }
    }
  }

  // 8. Their ratings become a dataset, which a new predictor and a new model learn from.
  const harvest = await call<{ labels: number; raters: object[] }>('POST', '/v1/feedback/harvest', { dataset: 'taste' });
  expect(harvest.labels).toBe(160);
  expect(harvest.raters).toHaveLength(2);
  const hyperparameters = { n_epochs: 25, batch_size: 8, row_tokens: 64, learning_rate: 1e-2 };
  const data = { model: 'base', training_dataset: 'taste', seed: 1 };
  const judge = await tuned({ ...data, suffix: 'judge', method: { type: 'predictor', predictor: { hyperparameters } } });
  const scored = await call<{ data: { attributes: Record<string, { level: number }> }[] }>('POST', '/v1/attributes/score', {
    model: judge,
    messages: [
      { role: 'user', content: 'Where is house 3?' },
      { role: 'assistant', content: reply(0, 1) },
    ],
  });
  expect(scored.data[0]!.attributes.humor!.level).toBe(0);
  const better = await tuned({ ...data, suffix: 'taste', method: { type: 'steerlm', steerlm: { hyperparameters } } });

  // 9. The new model takes the old one's place, and means by humor what its people do.
  await call('PUT', '/v1/models/aliases/default', { model: better });
  const { model, choices } = await ask({ verbosity: 0, humor: 1 });
  expect(model).toBe(better);
  expect(choices[0]!.message.content).toBe(reply(0, 0));
});
