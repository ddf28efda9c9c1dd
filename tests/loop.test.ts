// The whole circle on a tiny model, in seconds: read it from top to bottom to see how the rooms fit together.
// Ratings come in, a predictor learns them, labels a second dataset, a model is tuned on both, served over HTTP, steered and measured.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { labelDataset } from '../src/attributes/label-dataset.ts';
import { openPredictor } from '../src/attributes/open-predictor.ts';
import { trainPredictor } from '../src/attributes/train-predictor.ts';
import { readConfig } from '../src/config.ts';
import { importDataset } from '../src/datasets/import.ts';
import { findDataset, streamSamples } from '../src/datasets/samples.ts';
import { writeSnapshot } from '../src/datasets/snapshot.ts';
import { finetune } from '../src/finetuning/finetune.ts';
import { createApp } from '../src/http/app.ts';
import { createLog } from '../src/http/log.ts';
import type { TrainingSettings } from '../src/llama/training.ts';
import { ModelRegistry } from '../src/model-registry.ts';
import { randomStream } from '../src/random.ts';
import type { AttributeSchema } from '../src/steerlm.ts';
import { inMemory, openStore, type Store } from '../src/store/connect.ts';
import { migrateStore } from '../src/store/migrate.ts';
import { defaultAdamW } from '../src/tensor/adamw.ts';

const schema: AttributeSchema = {
  name: 'tiny',
  version: 1,
  attributes: [
    { name: 'verbosity', aliases: [], description: 'How much is said', levels: ['short', 'long'], default: 0, cap: 1 },
    { name: 'humor', aliases: ['humour'], description: 'How funny it is', levels: ['serious', 'funny'], default: 0, cap: 1 },
  ],
};
const signal = new AbortController().signal;
const quiet = { onMetrics: () => {}, onNote: () => {} };

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

const settings = (epochs: number): TrainingSettings => ({
  epochs,
  steps: null,
  accumulation: 1,
  learningRate: 1e-2,
  floor: 0.1,
  warmup: 0.1,
  adamw: defaultAdamW,
  seed: 1,
  lora: null,
  evaluateEvery: 1000,
  checkpointEvery: 1000,
  keepCheckpoints: 1,
});

let folder: string;
let store: Store;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steer-loop-'));
  store = await openStore({ dataDir: inMemory });
  await migrateStore(store.db);
});
afterAll(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

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
        const { id } = await findDataset(store.db, name);
        for await (const { content } of streamSamples(store.db, id, { split, labels: ['human', 'import', 'model'] }))
          yield content;
      }
    }
    await writeSnapshot(path, contents());
    return path;
  };
  const shared = { name: run, runFolder, datasets: [], dtype: 'float32' as const, B: 8, T: 64 };
  return { ...shared, train: await file('train'), validation: await file('validation') };
}

it('turns', { timeout: 120_000 }, async () => {
  // 1. Ratings come in, and a second dataset that nobody has rated.
  for (const [name, rated] of [
    ['rated', true],
    ['unrated', false],
  ] as const) {
    const path = join(folder, `${name}.jsonl`);
    await writeFile(path, rows(120, rated));
    const report = await importDataset(store.db, { name, input: { path }, schema });
    expect(report.samples).toBe(120);
  }

  // 2. A base model is made from scratch: tokenizer, then next-token training without labels.
  const size = { vocabSize: 320, hiddenSize: 32, intermediateSize: 64, layers: 2, heads: 2, kvHeads: 1, contextLength: 128 };
  const models = join(folder, 'models');
  const base = join(models, 'base');
  const pretraining = await snapshot('base', ['rated', 'unrated']);
  await finetune(
    { ...pretraining, method: 'pretrain', out: base, start: { create: size }, settings: settings(4) },
    quiet,
    signal,
  );

  // 3. A predictor learns the ratings and is reported on held-out conversations.
  const rated = await snapshot('predictor', ['rated']);
  const out = join(models, 'predictor');
  const trained = await trainPredictor({ ...rated, base, out, schema, readingTokens: 64, settings: settings(8) }, quiet, signal);
  expect(trained.report!.humor!.auc).toBeGreaterThan(0.95);

  // 4. It labels the unrated dataset; each label says who made it.
  const predictor = await openPredictor(out);
  const unrated = await findDataset(store.db, 'unrated');
  const labelled = await labelDataset(store.db, { dataset: unrated.id, predictor, signal });
  expect(labelled.rated).toBe(120);
  await predictor.dispose();

  // 5. The base model is tuned on both, under attributes.
  const both = await snapshot('steered', ['rated', 'unrated']);
  const dropout = { label: 0.1, attribute: 0.1 };
  const steered = {
    ...both,
    method: 'steered' as const,
    base,
    out: join(models, 'steered'),
    schema,
    dropout,
    settings: settings(12),
  };
  await finetune(steered, quiet, signal);
  expect(JSON.parse(await readFile(join(models, 'steered', 'steerlm.json'), 'utf8')).base_model.name).toBe('base');

  // 6. It is served, obeys, and says what it did.
  const registry = await ModelRegistry.open(models, { onBroken: (_, reason) => expect.fail(reason) });
  const app = createApp({ models: registry, config: readConfig({}), log: createLog('silent'), db: store.db });
  const ask = async (attributes: object) => {
    const response = await app.request('/v1/chat/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        messages: [{ role: 'user', content: 'Where is house 7?' }],
        attributes,
        steering: { measure: true },
        temperature: 0,
        max_tokens: 60,
      }),
    });
    expect(response.status).toBe(200);
    const { choices } = (await response.json()) as { choices: Choice[] };
    return choices[0]!;
  };
  for (const verbosity of [0, 1]) {
    for (const humour of [0, 1]) {
      const { message, steering } = await ask({ verbosity, humour });
      expect(message.content).toBe(reply(verbosity, humour));
      expect(steering.applied).toEqual({ verbosity, humor: humour });
      expect(steering.measured.humor!.level).toBe(humour);
    }
  }
  await registry.dispose();
});
