import type { Measure } from '../generation/best-of.ts';
import { inOrder, type Reply, type ReplyEvent, toReply } from '../generation/replies.ts';
import { trimReply } from '../steerlm/prompt-layout.ts';
import type { ChatPrompt } from './chat.ts';
import type { Stored } from './record.ts';
import { countUsage, holdClosingNewline } from './replies.ts';
import { toChatLogprobs } from './schemas/logprobs.ts';
import {
  type ChatCompletion,
  type ChatCompletionChunk,
  countBadWords,
  type ReplyHead,
  type Steering,
  tellVectors,
} from './schemas/replies.ts';

/** A reply with what was asked of it and what was read in it. */
export interface SteeredReply extends Reply {
  steering: Steering;
}

/** Replies with their steering; measured all at once where a measure is given. */
export async function steer(replies: Reply[], prompt: ChatPrompt, measure: Measure | undefined): Promise<SteeredReply[]> {
  const known = replies.every(({ measured }) => measured);
  const readings = known ? replies : await measure?.(replies.map((reply) => reply.text));
  return replies.map((reply, i) => {
    const { measured, ground } = readings?.[i] ?? {};
    const { deadline, candidates } = reply;
    const steering = {
      requested: prompt.requested,
      applied: prompt.applied,
      applied_by: prompt.appliedBy,
      ...countBadWords(prompt.badWords),
      ...(prompt.expected ? { expected: prompt.expected } : {}),
      ...tellVectors(prompt.vectors),
      ...(measured ? { measured } : {}),
      ...(ground ? { ground } : {}),
      ...(deadline ? { deadline } : {}),
      ...(candidates ? { candidates } : {}),
    };
    return { ...reply, steering };
  });
}

/** The whole completion. */
export function toChatCompletion(head: ReplyHead & Stored, prompt: ChatPrompt, replies: SteeredReply[]): ChatCompletion {
  return {
    ...head,
    object: 'chat.completion',
    choices: replies.map((reply, index) => ({
      index,
      message: {
        role: 'assistant',
        content: reply.text,
        ...(reply.reasoning === undefined ? {} : { reasoning_content: reply.reasoning }),
        refusal: null,
        attributes: prompt.applied,
      },
      logprobs: reply.tokens ? toChatLogprobs(reply.tokens, prompt.model.bytesOf) : null,
      finish_reason: reply.finishReason,
      steering: reply.steering,
    })),
    usage: countUsage(prompt.tokenIds.length, replies),
  };
}

export interface ChunkOptions {
  n: number;
  includeUsage: boolean;
  measure: Measure | undefined;
  /** Called once with all replies, before the chunk that ends the last of them. */
  onReplies: (replies: SteeredReply[]) => Promise<Stored>;
}

/** The completion in chunks: a role for each choice, deltas as they come, then per choice its finish reason and steering, then usage. */
export async function* toChatChunks(
  head: ReplyHead,
  prompt: ChatPrompt,
  events: AsyncIterable<ReplyEvent>,
  options: ChunkOptions,
): AsyncGenerator<ChatCompletionChunk> {
  type Choice = ChatCompletionChunk['choices'][number];
  const usage = options.includeUsage ? { usage: null } : {};
  const chunk = (choice: Pick<Choice, 'index' | 'delta'> & Partial<Choice>): ChatCompletionChunk => {
    return { ...head, object: 'chat.completion.chunk', choices: [{ logprobs: null, finish_reason: null, ...choice }], ...usage };
  };
  for (let index = 0; index < options.n; index++) {
    yield chunk({ index, delta: { role: 'assistant', content: '', attributes: prompt.applied } });
  }
  const hold = holdClosingNewline();
  const done = new Map<number, SteeredReply>();
  let stored: Stored = {};
  for await (const event of events) {
    const { index } = event;
    if (event.kind === 'delta') {
      const content = hold(index, event.text);
      const logprobs = event.tokens ? { logprobs: toChatLogprobs(event.tokens, prompt.model.bytesOf) } : {};
      const { reasoning } = event;
      if (reasoning !== undefined) yield chunk({ index, delta: { reasoning_content: reasoning } });
      if (content !== '' || event.tokens) yield chunk({ index, delta: { content }, ...logprobs });
      continue;
    }
    const [reply] = await steer([toReply(event, trimReply)], prompt, options.measure);
    if (!reply) continue;
    done.set(index, reply);
    if (done.size === options.n) stored = await options.onReplies(inOrder(done, options.n));
    yield { ...chunk({ index, delta: {}, finish_reason: reply.finishReason, steering: reply.steering }), ...stored };
  }
  const usageOfAll = countUsage(prompt.tokenIds.length, inOrder(done, options.n));
  if (options.includeUsage) yield { ...head, ...stored, object: 'chat.completion.chunk', choices: [], usage: usageOfAll };
}
