// A language model that runs on an upstream which speaks the OpenAI protocol: vLLM serving its safetensors, a second instance of this server, or
// whatever answers chats.

import { join } from 'node:path';
import { SteerError } from '../errors.ts';
import type { CompletionEvent, CompletionRequest, LanguageModel } from '../generation/language-model.ts';
import { readModelText, roomFor } from '../generation/model-text.ts';
import { readModelCard, refusePredictor, upstreamFile } from '../model/model-folder.ts';
import { counted } from '../number-text.ts';
import { anyCaller, Shares } from '../turns.ts';
import { Breaker, type Pass } from './breaker.ts';
import { chatDialect, chatRoute, defaultContext } from './chat-dialect.ts';
import { Connection, type Listed } from './connection.ts';
import type { Dialect, KnownModel } from './dialect.ts';
import { brokeOff, UpstreamFault, withheld } from './faults.ts';
import { merge } from './merge.ts';
import { promptOf } from './request-body.ts';
import { readUpstreamSettings, type UpstreamSettings } from './settings.ts';
import { tokenDialect, tokenRoute } from './token-dialect.ts';
import { UpstreamReply } from './upstream-reply.ts';

export interface UpstreamOptions {
  /** Sent as a bearer token to an upstream that has no key of its own. */
  apiKey?: string | undefined;
  /** The key in an environment variable; undefined where it is not set. */
  keyOf?: ((variable: string) => string | undefined) | undefined;
  /** Told what went wrong with the upstream, in words for whoever runs this server. */
  onFault?(reason: string): void;
  /** Failures in a row after which the upstream is left alone, and for how long. */
  breaker?: { failures: number; openMs: number };
}

const breakerDefaults = { failures: 5, openMs: 5_000 };

/** Why a reply ends although nothing went wrong; never leaves this file. */
const timeUp = new SteerError('cancelled', 'The time of the reply is up.');

/** Opens the model that upstream.json in `folder` tells of. Throws invalid_model, invalid_config or not_ready in one clear line. */
export async function openUpstreamModel(folder: string, options: UpstreamOptions = {}): Promise<LanguageModel> {
  const settings = await readUpstreamSettings(folder);
  const key = keyFor(settings, folder, options);
  const open = settings.protocol === 'chat' ? openByMessages : openByTokens;
  const { dialect, connection } = await open(folder, settings, key, options);
  const calls = new UpstreamCalls(dialect, settings, connection, options);
  return {
    ...dialect.model,
    mixes: false,
    complete: (request, signal) => calls.complete(request, signal),
    dispose: () => calls.dispose(),
  };
}

/** What is known of the model without asking its upstream. Throws invalid_model. */
export async function readUpstreamModel(folder: string): Promise<KnownModel> {
  const settings = await readUpstreamSettings(folder);
  const { protocol, model, contextLength = defaultContext } = settings;
  const { model: known } =
    protocol === 'chat'
      ? await chatDialect(folder, await readModelCard(folder), settings, contextLength)
      : await tokenDialect(folder, await readModelText(folder), model);
  return known;
}

type Opened = Promise<{ dialect: Dialect; connection: Connection }>;

async function openByTokens(
  folder: string,
  settings: UpstreamSettings,
  key: string | undefined,
  options: UpstreamOptions,
): Opened {
  const text = await readModelText(folder);
  const connection = new Connection(settings, tokenRoute, key);
  const contextLength = Math.min(text.contextLength, await findThere(connection, settings, folder, options));
  return { connection, dialect: await tokenDialect(folder, { ...text, contextLength }, settings.model) };
}

async function openByMessages(
  folder: string,
  settings: UpstreamSettings,
  key: string | undefined,
  options: UpstreamOptions,
): Opened {
  const card = await readModelCard(folder);
  refusePredictor(folder, card);
  const connection = new Connection(settings, chatRoute, key);
  const there = await contextThere(connection, settings, options);
  const contextLength = Math.min(settings.contextLength ?? there ?? defaultContext, there ?? Number.POSITIVE_INFINITY);
  return { connection, dialect: await chatDialect(folder, card, settings, contextLength) };
}

/** Throws invalid_config where the model's own key is missing. */
function keyFor({ apiKeyEnv }: UpstreamSettings, folder: string, { apiKey, keyOf }: UpstreamOptions): string | undefined {
  if (apiKeyEnv === undefined) return apiKey;
  const key = keyOf?.(apiKeyEnv);
  if (key !== undefined) return key;
  const message = `${join(folder, upstreamFile)} says that ${apiKeyEnv} holds its key, and that is not set. Set it and start again.`;
  throw new SteerError('invalid_config', message);
}

/** The models the upstream names; what is wrong with it is told. */
async function listThere(connection: Connection, { onFault }: UpstreamOptions): Promise<Listed[]> {
  return await connection.models().catch((error) => {
    if (error instanceof UpstreamFault) onFault?.(error.reason);
    throw error;
  });
}

/** Most tokens the upstream takes; Infinity where it does not say. Throws when it does not answer, or has no such model. */
async function findThere(
  connection: Connection,
  { url, model }: UpstreamSettings,
  folder: string,
  options: UpstreamOptions,
): Promise<number> {
  const listed = await listThere(connection, options);
  const found = listed.find(({ names }) => names.includes(model));
  if (found) return found.contextLength ?? Number.POSITIVE_INFINITY;
  const known = listed.map(({ names }) => names[0]).join(', ') || 'none';
  throw new SteerError(
    'invalid_model',
    `${join(folder, upstreamFile)}: expected a model ${JSON.stringify(model)} at ${url}, found: ${known}. Correct model or url.`,
  );
}

/**
 * Most tokens the upstream takes; undefined where it does not say. Hosts list what they please, some nothing, and take names that they do not list, so
 * that only the first reply shows whether there is such a model. Throws when nobody answers or the key is refused.
 */
async function contextThere(
  connection: Connection,
  { model }: UpstreamSettings,
  options: UpstreamOptions,
): Promise<number | undefined> {
  try {
    const listed = await connection.models();
    return listed.find(({ names }) => names.includes(model))?.contextLength;
  } catch (error) {
    if (!(error instanceof UpstreamFault)) throw error;
    if (!['not_ready', 'invalid_config'].includes(error.code)) return undefined;
    options.onFault?.(error.reason);
    throw error;
  }
}

class UpstreamCalls {
  readonly #dialect: Dialect;
  readonly #url: string;
  readonly #connection: Connection;
  readonly #breaker: Breaker;
  readonly #onFault: (reason: string) => void;
  /** Of the calls in hand. */
  readonly #stops = new Set<AbortController>();
  readonly #replies: Shares;
  #disposed = false;

  constructor(
    dialect: Dialect,
    { url, maxReplies }: UpstreamSettings,
    connection: Connection,
    { breaker = breakerDefaults, onFault = () => {} }: UpstreamOptions,
  ) {
    this.#dialect = dialect;
    this.#url = url;
    this.#replies = new Shares(maxReplies);
    this.#connection = connection;
    this.#breaker = new Breaker(breaker);
    this.#onFault = onFault;
  }

  async *complete(request: CompletionRequest, signal: AbortSignal): AsyncGenerator<CompletionEvent> {
    const maxTokens = Math.min(request.maxTokens, roomFor([promptOf(request).length], this.#dialect.model.contextLength));
    if (this.#disposed) throw unloaded();
    const { caller = anyCaller, n } = request;
    const body = this.#dialect.toBody(request, maxTokens);
    this.#refuseTooMany(caller, n);
    const pass = this.#breaker.enter();
    const stop = new AbortController();
    const cancel = () => stop.abort(new SteerError('cancelled', 'The request was cancelled.'));
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    const { maxMs } = request;
    const deadline = maxMs === undefined ? undefined : setTimeout(() => stop.abort(timeUp), maxMs);
    this.#stops.add(stop);
    this.#replies.take(caller, n);
    try {
      const replies = Array.from({ length: request.n }, (_, index) => this.#reply(request, index, body, stop.signal));
      for await (const event of merge(replies, () => stop.abort())) {
        // A reply whose time was up says nothing of the upstream.
        if (event.kind === 'delta' || !event.deadline) pass.well();
        yield event;
      }
    } catch (error) {
      this.#judge(pass, error);
      throw error;
    } finally {
      pass.leave();
      clearTimeout(deadline);
      signal.removeEventListener('abort', cancel);
      this.#stops.delete(stop);
      this.#replies.give(caller, n);
    }
  }

  async *#reply(
    request: CompletionRequest,
    index: number,
    body: Record<string, unknown>,
    signal: AbortSignal,
  ): AsyncGenerator<CompletionEvent> {
    const { seed, topLogprobs = null } = request;
    const stopTokens = this.#dialect.stopTokensOf(request);
    const reply = new UpstreamReply(this.#dialect.readerOf(request), { index, topLogprobs, stopTokens });
    let ended: string | undefined;
    try {
      for await (const chunk of this.#connection.complete({ ...body, seed: seed + index }, signal)) {
        const delta = reply.take(chunk);
        if (delta) yield delta;
        if (reply.stopped) break;
        ended = chunk.choices[0]?.finish_reason ?? ended;
      }
    } catch (error) {
      if (error !== timeUp) throw error;
      const rest = reply.finish(false);
      if (rest) yield rest;
      yield reply.end('length', true);
      return;
    }
    if (!reply.stopped && ended !== 'stop' && ended !== 'length') {
      throw ended === 'content_filter' ? withheld(this.#url, ended) : brokeOff(this.#url, `finish_reason ${ended}`);
    }
    const rest = reply.stopped ? undefined : reply.finish(ended === 'stop');
    if (rest) yield rest;
    yield reply.end(reply.stopped || ended === 'stop' ? 'stop' : 'length', false);
  }

  /** A request that asks for more than may be written at all is let in by itself. */
  #refuseTooMany(caller: string, n: number): void {
    const { used, total } = this.#replies;
    if (used === 0 || (this.#replies.fits(n) && this.#replies.allows(caller, n))) return;
    const own = this.#replies.heldBy(caller);
    const message = `This model is writing ${counted(used, 'reply')}, of at most ${total}; ${own} for this caller. Try again shortly.`;
    throw new SteerError('overloaded', message, { details: { retryAfterS: 1 } });
  }

  #judge(pass: Pass, error: unknown): void {
    if (!(error instanceof UpstreamFault)) return;
    this.#onFault(error.reason);
    if (error.unwell) pass.unwell();
    else pass.well();
  }

  /** Cuts off the calls in hand. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    for (const stop of this.#stops) stop.abort(unloaded());
  }
}

function unloaded(): SteerError {
  return new SteerError('not_ready', 'The model was unloaded. Try again.');
}
