// A day's work with nothing but the official OpenAI client, against `steer serve` as people start it: a file goes up, a batch is answered, a
// model is fine-tuned on another file, and the model chats. The models are the shipped ones.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateCorpus } from '../models/corpus/grammar.ts';
import { startSteer } from './cli/steer.ts';

const shipped = fileURLToPath(new URL('../models', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'steer-client-'));
let server: ReturnType<typeof startSteer>;
let client: OpenAI;

beforeAll(async () => {
  for (const name of ['npc', 'npc-base', 'npc-predictor', 'default']) {
    cpSync(join(shipped, name), join(folder, 'models', name), { recursive: true });
  }
  server = startSteer(folder, ['serve'], { env: { PORT: '0' } });
  await server.said('"msg":"ready"');
  const url = /"url":"(http:[^"]+)"/.exec(server.output())?.[1];
  client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(async () => {
  server.kill('SIGTERM');
  await server.ended;
  rmSync(folder, { recursive: true, force: true });
});

const lines = (rows: object[]) => Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'));

async function until<T extends { status: string }>(get: () => Promise<T>, ends: string[]): Promise<T> {
  for (;;) {
    const seen = await get();
    if (ends.includes(seen.status)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

test('the log and the list of models say what the shipped model is and how to fetch another', async () => {
  const told = expect.stringContaining('npx steer pull smollm2-135m');
  const lines = server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  expect(lines.map((line) => JSON.parse(line))).toContainEqual(expect.objectContaining({ level: 30, model: 'npc', msg: told }));
  expect((await client.models.retrieve('default')) as object).toMatchObject({ id: 'npc', description: told });
});

test('files and a batch', { timeout: 120_000 }, async () => {
  const body = (content: string) => ({ messages: [{ role: 'user', content }], attributes: { verbosity: 0 }, max_tokens: 24 });
  const request = { method: 'POST', url: '/v1/chat/completions' };
  const rows = ['Where is the market?', 'Any rumours?', 'Goodbye.'].map((line, i) => ({
    custom_id: `r${i}`,
    ...request,
    body: body(line),
  }));
  const bad = { custom_id: 'bad', ...request, body: { ...body('Hello'), attributes: { verbosity: 9 } } };
  const input = await client.files.create({ purpose: 'batch', file: await toFile(lines([...rows, bad]), 'requests.jsonl') });
  const created = await client.batches.create({
    input_file_id: input.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  });
  const batch = await until(() => client.batches.retrieve(created.id), ['completed', 'failed']);
  expect(batch).toMatchObject({ status: 'completed', request_counts: { total: 4, completed: 3, failed: 1 } });
  const output = (await (await client.files.content(batch.output_file_id!)).text()).trim().split('\n');
  const answers = output.map((line) => JSON.parse(line));
  expect(answers.map(({ custom_id }) => custom_id)).toEqual(['r0', 'r1', 'r2']);
  for (const { response } of answers) expect(response.body.choices[0].message.content).not.toBe('');
  const errors = await (await client.files.content(batch.error_file_id!)).text();
  expect(JSON.parse(errors)).toMatchObject({ custom_id: 'bad', error: { code: 'attribute_out_of_range' } });
  expect((await client.files.list()).data.map(({ id }) => id)).toContain(input.id);
});

test('a fine-tuning job, its events and checkpoints, and the model it makes', { timeout: 240_000 }, async () => {
  const rows = [...generateCorpus({ seed: 5, conversations: 60 })].map(({ conversation }) => ({
    messages: [
      { role: 'system', content: conversation.system },
      ...conversation.turns.map(({ label, ...turn }) => (label ? { ...turn, attributes: label } : turn)),
    ],
  }));
  const file = await client.files.create({ purpose: 'fine-tune', file: await toFile(lines(rows), 'talk.jsonl') });
  const method = { type: 'steerlm', steerlm: { schema: 'npc', hyperparameters: { n_epochs: 1, batch_size: 4 } } } as unknown;
  const created = await client.fineTuning.jobs.create({
    model: 'npc',
    training_file: file.id,
    suffix: 'talk',
    seed: 1,
    method: method as OpenAI.FineTuning.JobCreateParams.Method,
  });
  const job = await until(() => client.fineTuning.jobs.retrieve(created.id), ['succeeded', 'failed', 'cancelled']);
  expect(job, JSON.stringify(job.error)).toMatchObject({ status: 'succeeded' });
  const events = await client.fineTuning.jobs.listEvents(job.id);
  expect(events.data.some(({ type }) => type === 'metrics')).toBe(true);
  expect((await client.fineTuning.jobs.checkpoints.list(job.id)).data.length).toBeGreaterThan(0);
  const curve = await (await client.files.content(job.result_files[0]!)).text();
  expect(curve).toMatch(/^step,train_loss,/);
  const names = (await client.models.list()).data.map(({ id }) => id);
  expect(names).toContain(job.fine_tuned_model);
  const reply = await client.chat.completions.create({
    model: job.fine_tuned_model!,
    messages: [{ role: 'user', content: 'Where is the market?' }],
    max_tokens: 40,
  });
  expect(reply.model).toBe(job.fine_tuned_model);
  expect(reply.choices[0]!.message.content).not.toBe('');
});
