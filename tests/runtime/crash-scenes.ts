// The two scenes of the crash bench and its test: labelling and fine-tuning under a server and a worker that keep dying.
import { cp, mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import postgres from 'postgres';
import type { SampleContent } from '../../src/datasets/sample.ts';
import { writeSnapshot } from '../../src/datasets/snapshot.ts';
import { finetune } from '../../src/finetuning/finetune.ts';
import { trainPredictor } from '../../src/predictor/train.ts';
import { randomStream } from '../../src/random.ts';
import type { AttributeSchema } from '../../src/steerlm/attributes.ts';
import { quickSettings, quickSize, quiet } from '../quick-training.ts';
import { type PostgresServer, startPostgres } from '../store/postgres-server.ts';
import { Pair, torment } from './crash-run.ts';

const schema: AttributeSchema = {
  name: 'tiny',
  version: 1,
  attributes: [
    { name: 'verbosity', aliases: [], description: 'How much is said', levels: ['short', 'long'], default: 0, cap: 1 },
  ],
};

export interface CrashSite {
  server: PostgresServer;
  /** Starts a server and a worker, or on the embedded database a server; a job is taken over after `leaseMs` of silence. */
  open(options?: { leaseMs?: number | undefined; embedded?: boolean | undefined }): Promise<Pair>;
  /** Labels of a dataset as the database holds them, and how many there would be with one a turn and attribute. */
  labelsOf(datasetId: string): Promise<{ labels: number; distinct: number }>;
  stop(): Promise<void>;
}

/** A Postgres, its data in `postgresData` where that is said, and a folder with a tiny base model, a tiny predictor and the shipped one. */
export async function makeCrashSite(folder: string, { postgresData }: { postgresData?: string } = {}): Promise<CrashSite> {
  const modelsDir = join(folder, 'models');
  const dataDir = join(folder, 'data');
  await mkdir(dataDir, { recursive: true });
  await makeModels(folder, modelsDir);
  await cp('models/npc-predictor', join(modelsDir, 'npc-predictor'), { recursive: true });
  const server = await startPostgres(postgresData === undefined ? {} : { data: postgresData });
  const port = await freePort();
  return {
    server,
    open: async ({ leaseMs = 1_000, embedded = false } = {}) => {
      const pair = new Pair({ databaseUrl: embedded ? null : server.url, modelsDir, dataDir, port, leaseMs });
      await pair.start();
      return pair;
    },
    labelsOf: async (datasetId) => {
      const client = postgres(server.url, { max: 1, onnotice: () => {} });
      const [row] = await client<{ labels: number; distinct: number }[]>`
        select count(*)::int as labels, count(distinct (sample_id, turn, attribute))::int as distinct
        from labels join samples on samples.id = sample_id where dataset_id = ${datasetId}`;
      await client.end();
      return row!;
    },
    stop: () => server.stop(),
  };
}

/** Replies of one or two sentences, as NeMo-like messages with or without their label. */
function rowsOf(count: number, seed: number, labelled: boolean): { content: SampleContent; line: string }[] {
  const random = randomStream(seed, 'crash rows', String(labelled));
  return Array.from({ length: count }, (_, i) => {
    const verbosity = Math.round(random());
    const reply = `Go left ${i}.${verbosity ? ' Then walk along the river until you see the old mill.' : ''}`;
    const line = { role: 'user' as const, content: `Where is house ${i}?` };
    const answer = { role: 'assistant' as const, content: reply };
    const content: SampleContent = {
      kind: 'conversation',
      conversation: { system: '', turns: [line, { ...answer, label: { verbosity } }] },
    };
    const messages = [line, labelled ? { ...answer, attributes: { verbosity } } : answer];
    return { content, line: JSON.stringify({ messages }) };
  });
}

async function makeModels(folder: string, modelsDir: string): Promise<void> {
  const files = { train: join(folder, 'train.jsonl'), validation: join(folder, 'validation.jsonl') };
  const contents = rowsOf(120, 1, true).map(({ content }) => content);
  await writeSnapshot(files.train, contents.slice(20));
  await writeSnapshot(files.validation, contents.slice(0, 20));
  const shared = { ...files, datasets: [], dtype: 'float32' as const, B: 8, T: 64, settings: quickSettings(2, 5e-3) };
  const { signal } = new AbortController();
  const base = join(modelsDir, 'tiny-base');
  const run = (name: string) => ({ ...shared, name, out: join(modelsDir, name), runFolder: join(folder, name) });
  await finetune({ ...run('tiny-base'), method: 'pretrain', start: { create: quickSize } }, quiet, signal);
  await trainPredictor({ ...run('tiny-predictor'), base, schema, readingTokens: 64 }, quiet, signal);
}

export interface LabelJob {
  id: string;
  status: string;
  attempt: number;
  progress: { total: number; completed: number; failed: number };
}

/** What is done to the processes or what they stand on while a job runs; answers the job when it has ended. */
export type Disturbance = (pair: Pair, jobId: string) => Promise<LabelJob>;

/** Either process is ended `kills` times. */
function dying(kills: number, seed: number): Disturbance {
  const progressOf = ({ progress }: LabelJob) => progress.completed;
  return (pair, id) => torment<LabelJob>(pair, { kills, seed, path: `/v1/jobs/${id}`, progressOf, timeoutMs: 600_000 });
}

/** Labels `rows` rows with a predictor of the site while either process is ended `kills` times; counts what the database holds in the end. */
export async function crashLabelling(
  site: CrashSite,
  { kills, rows, seed, predictor }: { kills: number; rows: number; seed: number; predictor: string },
) {
  return await labelUnder(site, { rows, seed, predictor }, dying(kills, seed));
}

/** The same under any disturbance. */
export async function labelUnder(
  site: CrashSite,
  { rows, seed, predictor, ...rest }: { rows: number; seed: number; predictor: string; leaseMs?: number; embedded?: boolean },
  disturb: Disturbance,
) {
  const pair = await site.open(rest);
  try {
    const started = performance.now();
    const lines = rowsOf(rows, seed, false).map(({ line }) => line);
    const created = await pair.ask('POST', `/v1/datasets?name=crash-${seed}`, lines.join('\n'));
    const dataset = (await created.json()) as { id: string };
    const headers = { 'idempotency-key': `crash-${seed}` };
    const asked = await pair.ask('POST', `/v1/datasets/${dataset.id}/label`, { model: predictor }, headers);
    const { id } = (await asked.json()) as LabelJob;
    const job = await disturb(pair, id);
    const output = (await pair.text(`/v1/jobs/${id}/output`)).trim().split('\n');
    const seen = output.map((line) => (JSON.parse(line) as { row: number }).row);
    const times = new Map<number, number>();
    for (const row of seen) times.set(row, (times.get(row) ?? 0) + 1);
    // Only the server itself can look into its embedded database.
    const stored = rest.embedded ? { labels: seen.length, distinct: times.size } : await site.labelsOf(dataset.id);
    return {
      job,
      kills: pair.kills,
      attempts: job.attempt,
      seconds: (performance.now() - started) / 1000,
      once: [...times.values()].filter((count) => count === 1).length,
      twice: stored.labels - stored.distinct,
      missing: rows - times.size,
      inOrder: seen.every((row, i) => i === 0 || row > seen[i - 1]!),
    };
  } finally {
    await pair.stop();
  }
}

interface TuningJob {
  id: string;
  status: string;
  fine_tuned_model: string | null;
  result_files: string[];
  error: { message: string } | null;
}

/** Fine-tunes twice with one seed, the second time while processes are ended; compares the curves step by step. */
export async function crashFinetuning(site: CrashSite, { kills, epochs, seed }: { kills: number; epochs: number; seed: number }) {
  return await tuneUnder(site, { epochs, seed }, dying(kills, seed));
}

/** The same under any disturbance. */
export async function tuneUnder(
  site: CrashSite,
  { epochs, seed, ...rest }: { epochs: number; seed: number; leaseMs?: number },
  disturb: Disturbance,
) {
  const pair = await site.open(rest);
  try {
    const lines = rowsOf(400, seed, true).map(({ line }) => line);
    await pair.ask('POST', `/v1/datasets?name=tune-${seed}`, lines.join('\n'));
    const tune = async (disturbance: Disturbance) => {
      const created = await pair.ask('POST', '/v1/fine_tuning/jobs', {
        model: 'tiny-base',
        training_dataset: `tune-${seed}`,
        seed,
        method: {
          type: 'steerlm',
          steerlm: {
            hyperparameters: { n_epochs: epochs, batch_size: 8, row_tokens: 64, learning_rate: 3e-3, checkpoint_every: 10 },
          },
        },
      });
      const { id } = (await created.json()) as TuningJob;
      const path = `/v1/fine_tuning/jobs/${id}`;
      const started = performance.now();
      const ended = await disturbance(pair, id);
      const job = await pair.get<TuningJob>(path);
      if (job.status !== 'succeeded') throw new Error(`The job ${job.status}: ${job.error?.message}`);
      const curve = readCurve(await pair.text(`/v1/files/${job.result_files[0]}/content`));
      return { curve, attempts: ended.attempt, seconds: (performance.now() - started) / 1000 };
    };
    const calm = await tune(dying(0, seed));
    const disturbed = await tune(disturb);
    const differences = calm.curve.map(({ loss }, i) => Math.abs(loss - (disturbed.curve[i]?.loss ?? Number.NaN)));
    return {
      kills: pair.kills,
      attempts: disturbed.attempts,
      seconds: disturbed.seconds,
      steps: disturbed.curve.length,
      sameSteps:
        calm.curve.every(({ step }, i) => disturbed.curve[i]?.step === step) && calm.curve.length === disturbed.curve.length,
      largestDifference: Math.max(...differences),
    };
  } finally {
    await pair.stop();
  }
}

/** Step and training loss of a result CSV. */
function readCurve(csv: string): { step: number; loss: number }[] {
  const [head, ...rows] = csv.trim().split('\n');
  const names = head!.split(',');
  const [step, loss] = [names.indexOf('step'), names.indexOf('train_loss')];
  return rows.map((row) => {
    const cells = row.split(',');
    return { step: Number(cells[step]), loss: Number(cells[loss]) };
  });
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
