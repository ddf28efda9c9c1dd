// Models and data small enough to train in a second, and a place where fine-tuning jobs run on them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFile, storeFile } from '../../src/files/files.ts';
import { finetuningJobs } from '../../src/finetuning/job.ts';
import { createFinetuningJob, FinetuningInput, hyperparameters } from '../../src/finetuning/job-input.ts';
import type { JobDefinition } from '../../src/jobs/define.ts';
import type { Job } from '../../src/jobs/jobs.ts';
import { trainPredictor } from '../../src/predictor/train.ts';
import { randomStream } from '../../src/random.ts';
import { ModelRegistry } from '../../src/registry/model-registry.ts';
import type { AttributeSchema } from '../../src/steerlm/attributes.ts';
import type { Store } from '../../src/store/connect.ts';
import { bytesOf, importText } from '../datasets/import-text.ts';
import { writeTinyModel } from '../tiny-model.ts';

export const tone: AttributeSchema = {
  name: 'tone',
  version: 1,
  attributes: ['humor', 'verbosity'].map((name) => ({
    name,
    aliases: [],
    description: '',
    levels: ['none', 'some', 'much'],
    default: 1,
    cap: 2,
  })),
};

/** OpenAI messages with attributes on the replies, as a JSON lines text. */
export function ratedLines(
  count: number,
  attributes: (i: number) => object = (i) => ({ humor: i % 3, verbosity: (i >> 1) % 3 }),
): string {
  const random = randomStream('rated lines');
  const words = ['gate', 'guard', 'baker', 'said', 'shut', 'too', 'much', 'what'];
  const say = () =>
    Array.from({ length: 3 + Math.floor(random() * 5) }, () => words[Math.floor(random() * words.length)]).join(' ');
  const lines = Array.from({ length: count }, (_, i) => {
    const messages = [
      { role: 'user', content: `${say()} ${i}` },
      { role: 'assistant', content: say(), attributes: attributes(i) },
    ];
    return JSON.stringify({ messages });
  });
  return lines.join('\n');
}

/** Hyperparameters under which a run is a few quick steps. */
export const quick = hyperparameters.parse({
  n_epochs: 3,
  batch_size: 4,
  row_tokens: 64,
  learning_rate: 0.01,
  checkpoint_every: 6,
});

export interface Site {
  models: ModelRegistry;
  modelsDir: string;
  dataDir: string;
  definition: JobDefinition;
  /** Stores a file to train on. */
  upload(text: string, filename?: string): Promise<{ file: string }>;
  bringIn(name: string, text: string): Promise<{ dataset: string }>;
  make(input: Partial<FinetuningInput> & Pick<FinetuningInput, 'training'>): Promise<Job>;
  /** A stored file's text. */
  text(fileId: string): Promise<string>;
  close(): Promise<void>;
}

/** Folders with a base, a steered model and a predictor, and the job definition over them. */
export async function openSite(store: Store): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'steer-finetuning-'));
  const [modelsDir, dataDir] = [join(folder, 'models'), join(folder, 'data')];
  const rest = { schema: tone, contextLength: 128 };
  await writeTinyModel(join(modelsDir, 'base'), { kind: 'base', name: 'base', ...rest });
  await writeTinyModel(join(modelsDir, 'steered'), { kind: 'steered', name: 'steered', seed: 2, ...rest });
  await writeTinyModel(join(modelsDir, 'rater'), { kind: 'predictor', name: 'rater', seed: 3, ...rest });
  const onBroken = (at: string, reason: string) => {
    throw new Error(`${at}: ${reason}`);
  };
  const models = await ModelRegistry.open(modelsDir, { onBroken, store });
  const [definition] = finetuningJobs({ models, modelsDir, dataDir, trainPredictor });
  return {
    models,
    modelsDir,
    dataDir,
    definition: definition!,
    upload: async (text, filename = 'rated.jsonl') => {
      const { id } = await storeFile(store.db, { filename, purpose: 'fine-tune', content: bytesOf(text) });
      return { file: id };
    },
    bringIn: async (name, text) => ({ dataset: (await importText(store.db, name, text, { schema: tone })).id }),
    make: async (input) => {
      const rest = {
        method: 'steerlm',
        model: 'base',
        validation: null,
        labels: 'latest',
        schema: tone,
        attributes: null,
      } as const;
      const asked = { ...rest, hyperparameters: quick, bootstrap: null, seed: 7, suffix: 'test', metadata: {}, ...input };
      return (await createFinetuningJob(store.db, FinetuningInput.parse(asked))).job;
    },
    text: async (fileId) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of readFile(store.db, fileId)) pieces.push(piece);
      return Buffer.concat(pieces).toString();
    },
    close: async () => {
      await models.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
