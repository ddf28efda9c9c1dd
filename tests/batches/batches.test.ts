// Batches on both databases with real workers: the file is checked before anything is answered, answers come in the order of the input and once
// each, and every end leaves the files it should.
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Answer } from '../../src/batches/answering.ts';
import { batchKind, cancelBatch, createBatch, toBatch } from '../../src/batches/batch.ts';
import { batchJob } from '../../src/batches/batch-job.ts';
import { readRequests, validateInput } from '../../src/batches/input.ts';
import { SteerError } from '../../src/errors.ts';
import { listFiles, readFile, storeFile } from '../../src/files/files.ts';
import { createJob, findJob, type Job, pauseJob, resumeJob } from '../../src/jobs/jobs.ts';
import type { Store } from '../../src/store/connect.ts';
import { batchResults } from '../../src/store/work-schema.ts';
import { bytesOf } from '../datasets/import-text.ts';
import { Gate } from '../gate.ts';
import { attemptByHand, openWorkshop, type Workshop } from '../jobs/workshop.ts';
import { testDatabases } from '../store/databases.ts';

const endpoint = '/v1/completions';
const settings = { concurrency: 4, firstWaitMs: 5, longestWaitMs: 20, tries: 4 };
const request = (id: string | number, body: object = {}) => ({
  custom_id: `row-${id}`,
  method: 'POST',
  url: endpoint,
  body: { prompt: `say ${id}`, ...body },
});
const requests = (count: number) => Array.from({ length: count }, (_, i) => request(i));
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

// biome-ignore lint/suspicious/noExplicitAny: lines are read as they are
type Line = any;

describe.each(await testDatabases())('batches on $name', ({ open }) => {
  let store: Store;
  let workshop: Workshop;
  /** Prompts that were answered, as often as they were. */
  let asked: string[] = [];
  const gate = new Gate();
  /** How a prompt is answered where not with an echo. */
  let special: (prompt: string, time: number) => { status: number; body: unknown } | undefined = () => undefined;

  const answer: Answer = async (path, body, signal) => {
    const prompt = String(body.prompt);
    asked.push(prompt);
    // Later ones are often faster: order must not depend on it.
    await new Promise((resolve) => setTimeout(resolve, asked.length % 3));
    await gate.pass(signal);
    if (signal.aborted) throw new SteerError('cancelled', 'Gone.');
    const said = special(prompt, asked.filter((other) => other === prompt).length);
    return { requestId: `req_${asked.length}`, ...(said ?? { status: 200, body: { echo: prompt, path } }) };
  };
  const definition = batchJob(answer, settings);

  beforeAll(async () => {
    store = await open();
  });
  afterAll(async () => {
    await workshop.close();
    await store.close();
  });

  const upload = async (content: string | Uint8Array, purpose = 'batch') =>
    (await storeFile(store.db, { filename: 'in.jsonl', purpose, content: bytesOf(content) })).id;
  const textOf = (lines: object[]) => lines.map((line) => JSON.stringify(line)).join('\n');
  const start = async (content: string | Uint8Array): Promise<Job> => {
    asked = [];
    const inputFileId = await upload(content);
    return (await createBatch(store.db, { inputFileId, endpoint, metadata: { who: 'me' } })).job;
  };
  const read = async (id: string | null | undefined): Promise<Line[]> => {
    const pieces: Uint8Array[] = [];
    for await (const piece of readFile(store.db, id!)) pieces.push(Buffer.from(piece));
    const text = Buffer.concat(pieces).toString();
    expect(text).toMatch(/\n$/);
    return text
      .slice(0, -1)
      .split('\n')
      .map((line) => JSON.parse(line));
  };
  const filesOf = async (job: Job) => {
    const all = await listFiles(store.db, { purpose: 'batch_output', limit: 1000 });
    return all.filter(({ filename }) => filename.startsWith(job.id)).map(({ id }) => id);
  };
  const idsOf = (lines: Line[]) => lines.map(({ custom_id }) => custom_id);
  const rowIds = (rows: number[]) => rows.map((row) => `row-${row}`);

  test('an attempt that dies while answering, and one that dies while its files are written, leave nothing twice', async () => {
    // Steps end after 64 answers or a second; however slow the machine, here they have 64.
    vi.useFakeTimers({ toFake: ['performance'] });
    const job = await start(textOf(requests(150)));
    let steps = 0;
    const killed = await attemptByHand(store, job, definition, async (step, claim) => {
      // Validation, then one step of answers.
      if (++steps > 2) throw new Error('killed while answering');
      await claim.commit(step);
    });
    expect(killed).toMatchObject({ message: 'killed while answering' });
    expect(await store.db.$count(batchResults, eq(batchResults.jobId, job.id))).toBe(64);
    const again = await attemptByHand(store, job, definition, async (step, claim) => {
      if (step.progress.phase === 'done') throw new Error('killed while finalizing');
      await claim.commit(step);
    });
    expect(again).toMatchObject({ message: 'killed while finalizing' });
    expect(toBatch(await findJob(store.db, job.id)).status).toBe('finalizing');
    expect(await filesOf(job)).toHaveLength(1);
    vi.useRealTimers();
    workshop = await openWorkshop(store, [definition]);
    const { status, cursor, job: ended } = toBatch(await workshop.ended(job.id));
    expect([status, ended.attempt, ended.progress]).toEqual([
      'completed',
      3,
      { phase: 'done', total: 150, completed: 150, failed: 0, cached: 0 },
    ]);
    expect(await filesOf(job)).toEqual([cursor!.outputFileId]);
    expect(cursor!.errorFileId).toBeNull();
    expect(idsOf(await read(cursor!.outputFileId))).toEqual(rowIds(upTo(150)));
    expect(await store.db.$count(batchResults, eq(batchResults.jobId, job.id))).toBe(0);
    // What was stored before the death was not asked again.
    expect(asked.filter((prompt) => prompt === 'say 63')).toHaveLength(1);
  });

  test('blank text between requests is counted in lines, and whoever stops the reading of it does', async () => {
    const blank = '\r\n \uFEFF\n'.repeat(300_000);
    const id = await upload(`${blank}${JSON.stringify(request(1))}\n${blank}{`);
    const { requests, problems } = await validateInput(store.db, id, endpoint, new AbortController().signal);
    expect([requests, problems]).toMatchObject([2, [{ code: 'invalid_json_line', line: 1_200_002 }]]);
    const read: unknown[] = [];
    for await (const { customId } of readRequests(store.db, await upload(`${blank}${JSON.stringify(request(1))}`), 0))
      read.push(customId);
    expect(read).toEqual(['row-1']);
    const nothing = validateInput(store.db, await upload(blank), endpoint, AbortSignal.abort());
    await expect(nothing).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('answers come in the order of the input, failures in a file of their own', async () => {
    special = (prompt) => {
      if (prompt.endsWith('7')) return { status: 400, body: { error: { code: 'invalid_request', message: 'No sevens.' } } };
      if (prompt === 'say 20') return { status: 200, body: { text: 'nul \0 and half \ud800 pair' } };
      return undefined;
    };
    const lines = requests(90);
    lines[3] = request(3, { stream: true });
    const job = await start(`${textOf(lines)}\n\n`);
    const { status, cursor, job: ended } = toBatch(await workshop.ended(job.id));
    special = () => undefined;
    const bad = [3, 7, 17, 27, 37, 47, 57, 67, 77, 87];
    expect([status, ended.progress.completed, ended.progress.failed]).toEqual(['completed', 80, 10]);
    const [output, errors] = [await read(cursor!.outputFileId), await read(cursor!.errorFileId)];
    expect(idsOf(output)).toEqual(rowIds(upTo(90).filter((row) => !bad.includes(row))));
    expect(output[0]).toEqual({
      id: expect.stringMatching(/^batch_req_[0-9a-f]{24}$/),
      custom_id: 'row-0',
      response: { status_code: 200, request_id: expect.stringMatching(/^req_/), body: { echo: 'say 0', path: endpoint } },
      error: null,
    });
    expect(output.find(({ custom_id }) => custom_id === 'row-20').response.body.text).toBe('nul \ufffd and half \ufffd pair');
    expect(idsOf(errors)).toEqual(rowIds(bad));
    expect(errors[0]).toMatchObject({ response: { status_code: 400 }, error: { code: 'invalid_request' } });
    expect(errors[1]).toMatchObject({
      response: { status_code: 400 },
      error: { code: 'invalid_request', message: 'No sevens.' },
    });
    expect(asked).not.toContain('say 3');
  });

  test('a refusal is asked again a few times, then it is the answer', async () => {
    special = (prompt, time) => {
      if (prompt === 'say 0' && time < 3) return { status: 429, body: { error: { code: 'overloaded', message: 'Later.' } } };
      if (prompt === 'say 1') return { status: 503, body: { error: { code: 'not_ready', message: 'Never.' } } };
      return undefined;
    };
    const { cursor } = toBatch(await workshop.ended((await start(textOf(requests(3)))).id));
    special = () => undefined;
    expect(idsOf(await read(cursor!.outputFileId))).toEqual(['row-0', 'row-2']);
    expect(await read(cursor!.errorFileId)).toMatchObject([{ custom_id: 'row-1', error: { code: 'not_ready' } }]);
    expect(asked.filter((prompt) => prompt === 'say 1')).toHaveLength(settings.tries);
  });

  test('everything wrong with a file is told with its line, and nothing is answered', async () => {
    const lines = requests(9).map((line) => JSON.stringify(line));
    lines[6] = '{"custom_id": "row-6", ';
    lines[1] = JSON.stringify({ ...request(1), custom_id: undefined });
    lines[2] = JSON.stringify({ ...request(2), method: 'GET' });
    lines[3] = JSON.stringify({ ...request(3), url: '/v1/chat/completions' });
    lines[4] = JSON.stringify(request(0));
    lines[5] = JSON.stringify({ ...request(5), body: 'text' });
    lines[7] = JSON.stringify({ ...request(7), custom_id: 'half \ud800' });
    lines[8] = '[]';
    const { status, cursor, job } = toBatch(await workshop.ended((await start(lines.join('\n'))).id));
    expect(status).toBe('failed');
    expect(cursor!.problems.map(({ code, line, param }) => [line, code, param])).toEqual([
      [2, 'missing_required_parameter', 'custom_id'],
      [3, 'invalid_method', 'method'],
      [4, 'mismatched_url', 'url'],
      [5, 'duplicate_custom_id', 'custom_id'],
      [6, 'invalid_parameter', 'body'],
      [7, 'invalid_json_line', null],
      [8, 'invalid_parameter', 'custom_id'],
      [9, 'invalid_parameter', null],
    ]);
    expect(cursor!.problems[3]!.message).toBe('"row-0" stands on line 1 already');
    expect(job.error!.message).toMatch(
      /^The input file is no batch: line 2, custom_id: expected a string, found nothing \(and 7 more\)/,
    );
    expect(job.error!.param).toBe('custom_id');
    expect(asked).toEqual([]);
  });

  test.each([
    ['an empty file', '\n\n', [[null, 'empty_file']]],
    ['other bytes than UTF-8', Buffer.from([0x7b, 0xff, 0xfe]), [[1, 'invalid_file']]],
  ])('%s is told', async (_, content, problems) => {
    const { status, cursor } = toBatch(await workshop.ended((await start(content)).id));
    expect([status, cursor!.problems.map(({ line, code }) => [line, code])]).toEqual(['failed', problems]);
  });

  test('50,001 requests are one too many', async () => {
    const { status, cursor } = toBatch(await workshop.ended((await start(textOf(requests(50_001)))).id));
    expect([status, cursor!.problems]).toEqual([
      'failed',
      [{ code: 'too_many_requests', line: 50_001, message: 'expected at most 50000 requests, found more', param: null }],
    ]);
  });

  test('a pause keeps the answers there are, a resume asks for the rest', async () => {
    gate.shut(100);
    const job = await start(textOf(requests(400)));
    await workshop.until(job.id, ({ progress }) => progress.completed > 0);
    await pauseJob(store.db, job.id);
    const paused = await workshop.until(job.id, ({ status }) => status === 'paused');
    expect(paused.progress.completed).toBeLessThan(400);
    gate.open();
    await resumeJob(store.db, job.id);
    const { cursor, job: ended } = toBatch(await workshop.ended(job.id));
    expect(ended.progress.completed).toBe(400);
    expect(idsOf(await read(cursor!.outputFileId))).toEqual(rowIds(upTo(400)));
  });

  test.each(['running', 'paused'])('a %s batch that is cancelled hands out what it has and names the rest', async (state) => {
    gate.shut(100);
    const job = await start(textOf(requests(400)));
    await workshop.until(job.id, ({ progress }) => progress.completed > 0);
    if (state === 'paused') {
      await pauseJob(store.db, job.id);
      await workshop.until(job.id, ({ status }) => status === 'paused');
    }
    expect(toBatch(await cancelBatch(store.db, job.id)).status).toBe('cancelling');
    const { status, cursor, job: ended } = toBatch(await workshop.ended(job.id));
    gate.open();
    expect([status, cursor!.cancellingAt]).toEqual(['cancelled', expect.any(Number)]);
    const done = ended.progress.completed;
    expect(done).toBeLessThan(400);
    expect(idsOf(await read(cursor!.outputFileId))).toEqual(rowIds(upTo(done)));
    const rest = await read(cursor!.errorFileId);
    expect(idsOf(rest)).toEqual(rowIds(upTo(400).slice(done)));
    expect(rest[0]).toMatchObject({ response: null, error: { code: 'batch_cancelled' } });
    expect(await store.db.$count(batchResults, eq(batchResults.jobId, job.id))).toBe(0);
  });

  test('what is not answered when the window closes has expired', async () => {
    gate.shut(100);
    asked = [];
    const input_file_id = await upload(textOf(requests(2_000)));
    const input = { input_file_id, endpoint, metadata: null, expires_at: Math.floor(Date.now() / 1000) + 2 };
    const { job } = await createJob(store.db, { kind: batchKind, prefix: 'batch_', input });
    const { status, cursor, job: ended } = toBatch(await workshop.ended(job.id));
    gate.open();
    const done = ended.progress.completed;
    expect([status, ended.status, cursor!.ending]).toEqual(['expired', 'succeeded', 'expired']);
    expect(done).toBeLessThan(2_000);
    const rest = await read(cursor!.errorFileId);
    expect(idsOf(rest)).toEqual(rowIds(upTo(2_000).slice(done)));
    expect(rest[0].error.code).toBe('batch_expired');
  });

  test('an unknown file, and one for something else, are refused', async () => {
    const make = (inputFileId: string) => createBatch(store.db, { inputFileId, endpoint, metadata: null });
    await expect(make('file-none')).rejects.toMatchObject({ code: 'not_found', details: { param: 'input_file_id' } });
    await expect(make(await upload('{}', 'fine-tune'))).rejects.toThrow('has purpose fine-tune');
  });
});
