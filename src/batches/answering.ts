// Answers the requests of a batch, several at once, and keeps the answers in the order of the input: an answer is stored when all before it are
// there. What was not stored when an attempt ended is asked again.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SteerError } from '../errors.ts';
import type { JobContext } from '../jobs/define.ts';
import type { Tx } from '../store/connect.ts';
import { interruptionOf } from '../store/interruption.ts';
import { storable } from '../store/storable.ts';
import { batchResults } from '../store/work-schema.ts';
import type { BatchCursor, BatchInput } from './batch.ts';
import { type BatchRequest, readRequests } from './input.ts';

export interface Reply {
  /** HTTP status. */
  status: number;
  requestId: string;
  body: unknown;
  /**
   * Stores what the route would have kept of the reply. Called in the transaction that stores the reply itself: a line that is answered
   * again after a crash is remembered once, under the id its output tells.
   */
  remember?: (tx: Tx) => Promise<void>;
}

/** Answers one request as the route would that it names. Throws `cancelled` when the signal says so. */
export type Answer = (endpoint: string, body: Record<string, unknown>, signal: AbortSignal) => Promise<Reply>;

export interface AnsweringSettings {
  /** Requests answered at once: enough to keep an engine busy, few enough to leave its queue to others. */
  concurrency: number;
  /** First wait before a refused request is asked again; it doubles up to `longestWaitMs`. */
  firstWaitMs: number;
  longestWaitMs: number;
  /** How often a request is asked before its refusal counts as the answer. */
  tries: number;
}

export const defaultAnswering: AnsweringSettings = { concurrency: 8, firstWaitMs: 250, longestWaitMs: 15_000, tries: 24 };

/** Answers stored in one step. */
const stepRows = 64;
const stepMs = 1_000;

interface Result {
  row: number;
  ok: boolean;
  line: Record<string, unknown>;
  remember: Reply['remember'];
}

/** Answers every request from `cursor.row` on until the file ends or the signal stops it; answers the cursor after the last answer stored. */
export async function answerAll(
  context: JobContext<BatchInput>,
  cursor: BatchCursor,
  { answer, settings, signal }: { answer: Answer; settings: AnsweringSettings; signal: AbortSignal },
): Promise<BatchCursor> {
  const { db, input } = context;
  const left = new AbortController();
  const stop = AbortSignal.any([signal, left.signal]);
  const keep = new Keeper(context, cursor);
  const running: Promise<Result>[] = [];
  const takeFirst = async () => {
    await keep.add(await running[0]!);
    running.shift();
  };
  try {
    for await (const request of readRequests(db, input.input_file_id, cursor.row)) {
      if (stop.aborted) break;
      const result = answerOne(answer, input.endpoint, request, settings, stop);
      result.catch(() => {});
      running.push(result);
      if (running.length >= settings.concurrency) await takeFirst();
    }
    while (running.length > 0) await takeFirst();
  } catch (error) {
    if (!signal.aborted) throw error;
    // Those that were answered just before the stop are kept as far as none before them is missing.
    for (const settled of await Promise.allSettled(running)) {
      if (settled.status === 'rejected') break;
      if (settled.value.row === keep.next) await keep.add(settled.value);
    }
  } finally {
    left.abort();
    await Promise.allSettled(running);
  }
  return await keep.flush();
}

/** Collects results in order and stores them in steps. */
class Keeper {
  readonly #context: JobContext<BatchInput>;
  #cursor: BatchCursor;
  #results: Result[] = [];
  #completed: number;
  #failed: number;
  #stored = performance.now();

  constructor(context: JobContext<BatchInput>, cursor: BatchCursor) {
    this.#context = context;
    this.#cursor = cursor;
    this.#completed = context.progress.completed;
    this.#failed = context.progress.failed;
  }

  /** Place of the request whose result comes next. */
  get next(): number {
    return this.#cursor.row + this.#results.length;
  }

  async add(result: Result): Promise<void> {
    this.#results.push(result);
    if (this.#results.length >= stepRows || performance.now() - this.#stored >= stepMs) await this.flush();
  }

  async flush(): Promise<BatchCursor> {
    const results = this.#results;
    this.#stored = performance.now();
    if (results.length === 0) return this.#cursor;
    const completed = this.#completed + results.filter(({ ok }) => ok).length;
    const failed = this.#failed + results.filter(({ ok }) => !ok).length;
    const cursor = { ...this.#cursor, row: this.next };
    await this.#context.commit({
      cursor,
      progress: { completed, failed },
      write: async (tx) => {
        await tx.insert(batchResults).values(results.map(({ row, ok, line }) => ({ jobId: this.#context.id, row, ok, line })));
        for (const { remember } of results) await remember?.(tx);
      },
    });
    [this.#cursor, this.#results, this.#completed, this.#failed] = [cursor, [], completed, failed];
    return cursor;
  }
}

async function answerOne(
  answer: Answer,
  endpoint: string,
  { row, customId, body }: BatchRequest,
  settings: AnsweringSettings,
  signal: AbortSignal,
): Promise<Result> {
  if (body.stream === true) return toResult(row, customId, refusedStream());
  for (let tries = 1, waitMs = settings.firstWaitMs; ; tries++, waitMs = Math.min(2 * waitMs, settings.longestWaitMs)) {
    const reply = await ask(answer, endpoint, body, signal);
    const refused = reply.status === 429 || reply.status === 503;
    if (!refused || tries >= settings.tries) return toResult(row, customId, reply);
    await sleep(waitMs * (0.5 + Math.random()), undefined, { signal }).catch((cause) => {
      throw new SteerError('cancelled', 'The batch was stopped.', { cause });
    });
  }
}

/** A fault of the route answers this request alone; a stop, or a database that is away, concerns the batch. */
async function ask(answer: Answer, endpoint: string, body: Record<string, unknown>, signal: AbortSignal): Promise<Reply> {
  try {
    const reply = await answer(endpoint, body, signal);
    if (signal.aborted) throw new SteerError('cancelled', 'The batch was stopped.');
    return reply;
  } catch (error) {
    if (signal.aborted || interruptionOf(error) !== null) throw error;
    const message = 'The request failed on a fault of the server; its log has the cause.';
    return {
      status: 500,
      requestId: '',
      body: { error: { message, type: 'server_error', param: null, code: 'internal_error' } },
    };
  }
}

function refusedStream(): Reply {
  const message = 'stream: expected false or nothing, a batch keeps whole replies.';
  return {
    status: 400,
    requestId: '',
    body: { error: { message, type: 'invalid_request_error', param: 'stream', code: 'invalid_request' } },
  };
}

function toResult(row: number, customId: string, { status, requestId, body, remember }: Reply): Result {
  const ok = status >= 200 && status < 300;
  const response = { status_code: status, request_id: requestId, body };
  return { row, ok, line: storable({ ...lineHead(customId), response, error: ok ? null : errorOf(body, status) }), remember };
}

/** What every line of an output or error file begins with. */
export function lineHead(customId: string): { id: string; custom_id: string } {
  return { id: `batch_req_${randomBytes(12).toString('hex')}`, custom_id: customId };
}

function errorOf(body: unknown, status: number): { code: string; message: string } {
  const { code, message } = (body as { error?: { code?: unknown; message?: unknown } } | null)?.error ?? {};
  return { code: String(code ?? status), message: String(message ?? `The request was answered with status ${status}.`) };
}
