// Answers one request with tokens: reads the prompt once, then continues it n times, one token of one reply a step.
// Token ids in, token ids out: knows no text and no tokenizer. Several requests take turns because each awaits the runs of the decoder.
import { SteerError } from '../errors.ts';
import { randomStream } from '../random.ts';
import { KeyValueCache } from './cache.ts';
import type { Decoder } from './decoder.ts';
import type { CompletionRequest, FinishReason } from './language-model.ts';
import { sampleToken } from './sampler.ts';

/** Which ids a reply may hold, and which end it. */
export interface Vocabulary {
  /** (V): 1 where an id may be picked. */
  allowed: Uint8Array;
  /** Picking one of these ends the reply; they are not part of it. */
  stopTokens: number[];
}

/** prompt and maxTokens together fit the context. */
export interface GenerationRequest extends Omit<CompletionRequest, 'stop'> {
  /** (n), in shared memory: the caller sets ended[i] to 1 when it wants no more of reply i. */
  ended: Uint8Array;
}

export type GenerationEvent = { index: number; token: number } | { index: number; finished: FinishReason };

/** Tokens of a prompt read in one run: a cancelled request holds the thread no longer than that. */
const prefillTokens = 128;

interface Reply {
  index: number;
  cache: KeyValueCache;
  /** Scores of the next token, (V). */
  logits: Float32Array;
  random: () => number;
  /** Tokens given so far. */
  tokens: number;
  over: boolean;
}

/** Emits the tokens of all n replies as they come and the end of each. Throws `cancelled` within one step of an abort. */
export async function generate(
  decoder: Decoder,
  vocabulary: Vocabulary,
  request: GenerationRequest,
  emit: (event: GenerationEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  let open = startReplies(request, await prefill(decoder, request.prompt, signal));
  while (open.length > 0) {
    for (const reply of open) {
      refuseAborted(signal);
      await step(decoder, vocabulary, request, reply, emit);
    }
    open = open.filter((reply) => !reply.over);
  }
}

async function prefill(
  decoder: Decoder,
  prompt: readonly number[],
  signal: AbortSignal,
): Promise<Pick<Reply, 'cache' | 'logits'>> {
  const cache = new KeyValueCache(decoder.shape);
  let logits: Float32Array = new Float32Array(0);
  for (let start = 0; start < prompt.length; start += prefillTokens) {
    refuseAborted(signal);
    logits = await decoder.run(prompt.slice(start, start + prefillTokens), cache);
  }
  return { cache, logits };
}

function startReplies({ n, seed }: GenerationRequest, { cache, logits }: Pick<Reply, 'cache' | 'logits'>): Reply[] {
  return Array.from({ length: n }, (_, index) => ({
    index,
    cache: index === 0 ? cache : cache.copy(),
    logits,
    random: randomStream(seed + index),
    tokens: 0,
    over: false,
  }));
}

/** Picks the reply's next token and, unless it was the last, reads it. */
async function step(
  decoder: Decoder,
  { allowed, stopTokens }: Vocabulary,
  request: GenerationRequest,
  reply: Reply,
  emit: (event: GenerationEvent) => void,
): Promise<void> {
  const { index } = reply;
  const finish = (finished: FinishReason): void => {
    reply.over = true;
    emit({ index, finished });
  };
  if (Atomics.load(request.ended, index) === 1) return finish('stop');
  const token = sampleToken(reply.logits, request, allowed, reply.random);
  if (stopTokens.includes(token)) return finish('stop');
  emit({ index, token });
  reply.tokens++;
  if (reply.tokens >= request.maxTokens) return finish('length');
  reply.logits = await decoder.run([token], reply.cache);
}

function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new SteerError('cancelled', 'The request was cancelled.');
}
