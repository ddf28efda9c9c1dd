// A language model that runs on an upstream which speaks the OpenAI protocol (vLLM serving its safetensors, or a second instance of this
// server). Prompts are laid out and encoded here and go there as token ids, so that no text of a caller becomes a control token there either.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SteerError } from '../errors.ts';
import type { CompletionEvent, CompletionRequest, LanguageModel } from '../generation/language-model.ts';
import { encodePrompt, layOut, type ModelText, readModelText, roomFor } from '../generation/model-text.ts';
import { ReplyText } from '../generation/reply-text.ts';
import { unreadable } from '../model/formats/json-file.ts';
import { encodeLongPrompt } from '../model/tokenizer/encode-prompt.ts';
import { counted } from '../number-text.ts';
import { anyCaller, Shares } from '../turns.ts';
import { Breaker, type Pass } from './breaker.ts';
import { Connection } from './connection.ts';
import { brokeOff, UpstreamFault } from './faults.ts';
import { merge } from './merge.ts';
import { promptOf, toBody } from './request-body.ts';
import { readUpstreamSettings, type UpstreamSettings, upstreamFile } from './settings.ts';
import { UpstreamReply } from './upstream-reply.ts';

export interface UpstreamOptions {
  /** Sent as a bearer token. */
  apiKey?: string | undefined;
  /** Told what went wrong with the upstream, in words for whoever runs this server. */
  onFault?(reason: string): void;
  /** Failures in a row after which the upstream is left alone, and for how long. */
  breaker?: { failures: number; openMs: number };
}

const breakerDefaults = { failures: 5, openMs: 5_000 };
const revisionLetters = 12;

/** Why a reply ends although nothing went wrong; never leaves this file. */
const timeUp = new SteerError('cancelled', 'The time of the reply is up.');

/** Opens the model whose card, tokenizer and upstream.json lie in `folder`. Throws invalid_model, invalid_config or not_ready in one clear line. */
export async function openUpstreamModel(folder: string, options: UpstreamOptions = {}): Promise<LanguageModel> {
  const settings = await readUpstreamSettings(folder);
  const text = await readModelText(folder);
  const connection = new Connection(settings, options.apiKey);
  const contextLength = Math.min(text.contextLength, await findThere(connection, settings, folder, options));
  return new UpstreamModel({ ...text, contextLength }, await revisionOf(folder, text), settings, connection, options);
}

/** Most tokens the upstream takes; Infinity where it does not say. Throws when it does not answer, or has no such model. */
async function findThere(
  connection: Connection,
  { url, model }: UpstreamSettings,
  folder: string,
  { onFault }: UpstreamOptions,
): Promise<number> {
  const listed = await connection.models().catch((error) => {
    if (error instanceof UpstreamFault) onFault?.(error.reason);
    throw error;
  });
  const found = listed.find(({ names }) => names.includes(model));
  if (found) return found.contextLength ?? Number.POSITIVE_INFINITY;
  const known = listed.map(({ names }) => names[0]).join(', ') || 'none';
  throw new SteerError(
    'invalid_model',
    `${join(folder, upstreamFile)}: expected a model ${JSON.stringify(model)} at ${url}, found: ${known}. Correct model or url.`,
  );
}

/** Changes with all that is known here of what the model answers: its weights are elsewhere. */
async function revisionOf(folder: string, { card }: ModelText): Promise<string> {
  const hash = createHash('sha256');
  for (const name of ['config.json', 'tokenizer.json', upstreamFile]) {
    const path = join(folder, name);
    const bytes = await readFile(path).catch((cause) => {
      throw unreadable(path, cause);
    });
    hash.update(createHash('sha256').update(bytes).digest());
  }
  hash.update(JSON.stringify([card.kind, card.attributeSchema, card.promptLayoutVersion]));
  return hash.digest('hex').slice(0, revisionLetters);
}

class UpstreamModel implements LanguageModel {
  readonly id: string;
  readonly revision: string;
  readonly chat;
  readonly schema;
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly mixes = false;
  readonly curves;
  readonly sampling;
  readonly #text: ModelText;
  readonly #settings: UpstreamSettings;
  readonly #connection: Connection;
  readonly #breaker: Breaker;
  readonly #onFault: (reason: string) => void;
  /** Of the calls in hand. */
  readonly #stops = new Set<AbortController>();
  readonly #replies: Shares;
  #disposed = false;

  constructor(
    text: ModelText,
    revision: string,
    settings: UpstreamSettings,
    connection: Connection,
    { breaker = breakerDefaults, onFault = () => {} }: UpstreamOptions,
  ) {
    this.id = text.card.name;
    this.revision = revision;
    this.chat = text.chat;
    this.schema = text.schema;
    this.contextLength = text.contextLength;
    this.vocabSize = text.vocabSize;
    this.curves = text.card.measured?.steering?.curves;
    this.sampling = text.sampling;
    this.#text = text;
    this.#settings = settings;
    this.#replies = new Shares(settings.maxReplies);
    this.#connection = connection;
    this.#breaker = new Breaker(breaker);
    this.#onFault = onFault;
  }

  layOut(...asked: Parameters<LanguageModel['layOut']>): ReturnType<LanguageModel['layOut']> {
    return layOut(this.#text, ...asked);
  }

  encode(pieces: Parameters<LanguageModel['encode']>[0]): number[] {
    return encodePrompt(this.#text.tokenizer, pieces, this.contextLength);
  }

  encodeLong(pieces: Parameters<LanguageModel['encodeLong']>[0]): Promise<number[]> {
    return encodeLongPrompt(this.#text.tokenizer, pieces);
  }

  countTokens(text: string): number {
    return this.#text.tokenizer.encodeText(text).length;
  }

  readonly bytesOf = (token: number): Uint8Array => this.#text.tokenizer.bytesOf(token);

  async *complete(request: CompletionRequest, signal: AbortSignal): AsyncGenerator<CompletionEvent> {
    const maxTokens = Math.min(request.maxTokens, roomFor([promptOf(request).length], this.contextLength));
    if (this.#disposed) throw unloaded();
    const { caller = anyCaller, n } = request;
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
      const body = toBody(request, maxTokens, { model: this.#settings.model, stopTokens: this.#text.stopTokens });
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
    { seed, stop, topLogprobs = null, stopTokens: asked = [], ignoreEos }: CompletionRequest,
    index: number,
    body: Record<string, unknown>,
    signal: AbortSignal,
  ): AsyncGenerator<CompletionEvent> {
    const { tokenizer, stopTokens: own } = this.#text;
    const stopTokens = new Set([...(ignoreEos ? [] : own), ...asked]);
    const reply = new UpstreamReply(new ReplyText(tokenizer, stop), { index, topLogprobs, stopTokens });
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
      throw brokeOff(this.#settings.url, `finish_reason ${ended}`);
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
