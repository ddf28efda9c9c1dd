// What an upstream tells of a reply over POST /chat/completions, brought to the form of the other route. Servers differ: a role, a usage or [DONE]
// may be missing, and thoughts come in one of two fields, or in the text.
import { z } from 'zod';
import type { Likely } from '../generation/language-model.ts';
import type { Chunk } from './chunks.ts';

const Token = z.object({ token: z.string(), logprob: z.number(), bytes: z.array(z.int().min(0).max(255)).nullish() });
type Token = z.infer<typeof Token>;

const Told = z
  .object({
    /** Left out of a sign of life. */
    choices: z
      .array(
        z.object({
          /** A refusal is what the model says. */
          delta: z
            .object({
              content: z.string().nullish(),
              refusal: z.string().nullish(),
              reasoning_content: z.string().nullish(),
              reasoning: z.string().nullish(),
            })
            .nullish(),
          finish_reason: z.string().nullish(),
          logprobs: z
            .object({ content: z.array(Token.extend({ top_logprobs: z.array(Token).default([]) })).nullish() })
            .nullish(),
        }),
      )
      .nullish(),
    error: z.unknown().optional(),
    usage: z
      .object({ prompt_tokens: z.int().min(0).optional(), completion_tokens: z.int().min(0) })
      .nullish()
      .catch(null),
  })
  .refine(({ choices, error }) => choices || !error);

export const ChatChunk = Told.transform(({ choices, usage }): Chunk => {
  return {
    usage,
    choices: (choices ?? []).map(({ delta, finish_reason: reason, logprobs }) => ({
      text: `${delta?.content ?? ''}${delta?.refusal ?? ''}`,
      reasoning: delta?.reasoning_content ?? delta?.reasoning ?? '',
      // Some say '' until the reply is over.
      finish_reason: reason || null,
      ...(logprobs?.content
        ? { told: logprobs.content.map((each) => ({ ...likely(each), top: each.top_logprobs.map(likely) })) }
        : {}),
    })),
  };
});

function likely({ token, logprob, bytes }: Token): Likely {
  return { token: -1, logprob, bytes: bytes ? Uint8Array.from(bytes) : new TextEncoder().encode(token) };
}
