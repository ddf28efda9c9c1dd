// The replies an upstream is asked for: each within its time and its caller's share, spared while the upstream is unwell, cut off when the model goes.
import { SteerError } from '../errors.ts';
import type { CompletionEvent, CompletionRequest } from '../generation/language-model.ts';
import { roomFor } from '../generation/model-text.ts';
import { counted } from '../number-text.ts';
import { anyCaller, Shares } from '../turns.ts';
import { Breaker, type Pass } from './breaker.ts';
import type { Connection } from './connection.ts';
import type { Dialect } from './dialect.ts';
import { brokeOff, UpstreamFault, withheld, writesOn } from './faults.ts';
import { merge } from './merge.ts';
import { promptOf } from './request-body.ts';
import type { UpstreamSettings } from './settings.ts';
import { UpstreamReply } from './upstream-reply.ts';

export interface CallOptions {
  /** Told what went wrong with the upstream, in words for whoever runs this server. */
  onFault?(reason: string): void;
  /** Failures in a row after which the upstream is left alone, and for how long. */
  breaker?: { failures: number; openMs: number };
}

const breakerDefaults = { failures: 5, openMs: 5_000 };

/** Why a reply ends although nothing went wrong; never leaves this file. */
const timeUp = new SteerError('cancelled', 'The time of the reply is up.');

export class UpstreamCalls {
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
    { breaker = breakerDefaults, onFault = () => {} }: CallOptions,
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
      const replies = Array.from({ length: request.n }, (_, index) =>
        this.#reply({ ...request, maxTokens }, index, body, stop.signal),
      );
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
    const { seed, topLogprobs = null, maxTokens } = request;
    const stopTokens = this.#dialect.stopTokensOf(request);
    const reply = new UpstreamReply(this.#dialect.readerOf(request), { index, topLogprobs, stopTokens, maxTokens });
    let ended: string | undefined;
    try {
      for await (const chunk of this.#connection.complete({ ...body, seed: seed + index }, signal)) {
        if (!reply.admits(chunk)) {
          this.#onFault(writesOn(this.#url, maxTokens));
          ended = 'length';
          break;
        }
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
