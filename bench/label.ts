// What does it cost to have a dataset labelled over HTTP, beside the scoring itself? Rows a second from the upload of a file to the exported one,
// against the same predictor scoring the same rows in a loop, before and after; and whether the server's memory stays flat.
import { openAsBlob } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateCorpus } from '../models/corpus/grammar.ts';
import { openPredictor } from '../src/predictor/open.ts';
import type { Conversation } from '../src/steerlm/conversation.ts';
import { startPostgres } from '../tests/store/postgres-server.ts';
import { median, recordSection, table } from './results.ts';
import { type Serving, startServing } from './serving.ts';

const predictorFolder = 'models/npc-predictor';
const seed = 31;
/** Replies of one call, as the job has them. */
const replies = 256;
/** Of the rows, for the raw speed: every tenth, twice. */
const rawEvery = 10;

/** First exchanges of conversations without their system turn, no two alike: content that comes up again would be copied, not scored. */
function* distinctRows(count: number): Generator<Conversation> {
  const seen = new Set<string>();
  for (const { conversation } of generateCorpus({ seed, conversations: Number.POSITIVE_INFINITY })) {
    const end = conversation.turns.findIndex(({ role }) => role === 'assistant');
    const turns = conversation.turns.slice(0, end + 1).map(({ role, content }) => ({ role, content }));
    const row = { system: '', turns };
    const key = JSON.stringify(row);
    if (seen.has(key)) continue;
    seen.add(key);
    yield row;
    if (seen.size === count) return;
  }
}

async function writeRows(path: string, count: number): Promise<Conversation[]> {
  const file = await open(path, 'w');
  const some: Conversation[] = [];
  let index = 0;
  for (const row of distinctRows(count)) {
    if (index++ % rawEvery === 0) some.push(row);
    await file.write(`${JSON.stringify({ messages: row.turns })}\n`);
  }
  await file.close();
  return some;
}

/** Rows a second of the predictor alone, in calls as large as the job's. */
async function rawSpeed(rows: Conversation[]): Promise<number> {
  const predictor = await openPredictor(predictorFolder, { threads: availableParallelism() });
  const { signal } = new AbortController();
  await predictor.score(rows.slice(0, replies), signal);
  const started = performance.now();
  for (let from = 0; from < rows.length; from += replies) await predictor.score(rows.slice(from, from + replies), signal);
  const seconds = (performance.now() - started) / 1000;
  await predictor.dispose();
  return rows.length / seconds;
}

interface Turnaround {
  /** Seconds. */
  upload: number;
  import: number;
  label: number;
  export: number;
  /** Resident memory, MiB: ready, when labelling began, at its quarters, and at most. */
  ready: number;
  quarters: number[];
  most: number;
}

async function ask<T>(url: string, init?: RequestInit): Promise<T> {
  const reply = await fetch(url, init);
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`);
  return (await reply.json()) as T;
}

const json = (body: object): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

async function turnAround({ url, memoryMiB }: Serving, path: string, count: number): Promise<Turnaround> {
  const figures: Turnaround = { upload: 0, import: 0, label: 0, export: 0, ready: memoryMiB(), quarters: [], most: 0 };
  const watch = setInterval(() => {
    figures.most = Math.max(figures.most, memoryMiB());
  }, 100);
  const timed = async <T>(phase: 'upload' | 'import' | 'label' | 'export', run: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await run();
    figures[phase] = (performance.now() - started) / 1000;
    return result;
  };
  try {
    const file = await timed('upload', async () => {
      const form = new FormData();
      form.set('purpose', 'user_data');
      form.set('file', await openAsBlob(path), 'rows.jsonl');
      return await ask<{ id: string }>(`${url}/v1/files`, { method: 'POST', body: form });
    });
    const dataset = await timed('import', () =>
      ask<{ id: string }>(`${url}/v1/datasets`, json({ name: 'rows', file_id: file.id })),
    );
    await timed('label', () => label(url, dataset.id, count, () => figures.quarters.push(memoryMiB())));
    await timed('export', () => download(`${url}/v1/datasets/${dataset.id}/export?format=nemo&labels=model`, count));
  } finally {
    clearInterval(watch);
  }
  return figures;
}

interface LabelJob {
  id: string;
  status: string;
  progress: { completed: number; failed: number; cached: number };
}

async function label(url: string, dataset: string, count: number, onQuarter: () => void): Promise<void> {
  let job = await ask<LabelJob>(`${url}/v1/datasets/${dataset}/label`, json({}));
  for (let quarter = 0; !['succeeded', 'failed', 'cancelled'].includes(job.status); await sleep(250)) {
    job = await ask<LabelJob>(`${url}/v1/jobs/${job.id}`);
    for (; job.progress.completed >= (quarter * count) / 4 && quarter <= 4; quarter++) onQuarter();
  }
  const { completed, cached } = job.progress;
  if (job.status !== 'succeeded' || completed !== count || cached !== 0) throw new Error(`Not labelled: ${JSON.stringify(job)}`);
}

async function download(url: string, count: number): Promise<void> {
  const reply = await fetch(url);
  let lines = 0;
  for await (const chunk of reply.body!) for (const byte of chunk) if (byte === 10) lines++;
  if (lines !== count) throw new Error(`Expected ${count} rows in the export, found ${lines}.`);
}

/** 100,000 rows on both databases; `--rows 2000` for fewer. */
export async function run(args: string[]): Promise<void> {
  const at = args.indexOf('--rows');
  const count = at === -1 ? 100_000 : Number(args[at + 1]);
  const folder = await mkdtemp(join(tmpdir(), 'steer-label-'));
  try {
    const path = join(folder, 'rows.jsonl');
    const some = await writeRows(path, count);
    const raw = [await rawSpeed(some)];
    const measured: [string, Turnaround][] = [];
    for (const name of ['Postgres', 'PGlite'] as const) {
      const postgres = name === 'Postgres' ? await startPostgres() : undefined;
      const serving = await startServing(join(folder, name), postgres?.url);
      try {
        measured.push([name, await turnAround(serving, path, count)]);
      } finally {
        await serving.stop();
        await postgres?.stop();
      }
      raw.push(await rawSpeed(some));
    }
    await report(count, raw, measured);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function report(count: number, raw: number[], measured: [string, Turnaround][]): Promise<void> {
  const alone = median(raw);
  const rows = measured.map(([name, figures]) => {
    const speed = count / (figures.upload + figures.import + figures.label + figures.export);
    const phases = (['upload', 'import', 'label', 'export'] as const).map((phase) => `${figures[phase].toFixed(1)} s`);
    const memory = [figures.ready, ...figures.quarters, figures.most].map((mebibytes) => mebibytes.toFixed(0)).join(' · ');
    const ratio = `${((100 * speed) / alone).toFixed(0)} %`;
    return [name, speed.toFixed(0), ratio, `${((100 * count) / figures.label / alone).toFixed(0)} %`, ...phases, memory];
  });
  const intro =
    `${count} rows, the first exchanges of generated conversations (about 180 characters), no two alike; upload, import, label and export over 127.0.0.1. ` +
    `The predictor alone scores ${alone.toFixed(0)} rows a second (median of ${raw.map((speed) => speed.toFixed(0)).join(', ')}: every tenth row, before and after each server). ` +
    'Memory is the resident memory of the server: ready · labelling at 0, 25, 50, 75 and 100 % · most of all.';
  const head = [
    'database',
    'rows/s end to end',
    'of scoring alone',
    'labelling alone',
    'upload',
    'import',
    'label',
    'export',
    'MiB',
  ];
  await recordSection('label', `${intro}\n\n${table(head, rows)}`);
}
