// How likely the tokens of a reply were, in the two shapes of OpenAI's protocol.
import { z } from '@hono/zod-openapi';
import type { Likely, TokenLikelihood } from '../../generation/language-model.ts';

const tokenFields = {
  token: z.string().openapi({ description: 'Its text; where it is part of a character only, with U+FFFD' }),
  logprob: z.number().openapi({ description: 'Natural logarithm of its probability' }),
  bytes: z.array(z.int()),
};

export const ChatLogprobs = z
  .object({
    content: z.array(z.object({ ...tokenFields, top_logprobs: z.array(z.object(tokenFields)) })),
    refusal: z.null(),
  })
  .openapi('ChatLogprobs');
export type ChatLogprobs = z.infer<typeof ChatLogprobs>;

export const TextLogprobs = z
  .object({
    tokens: z.array(z.string()),
    token_logprobs: z.array(z.number()),
    top_logprobs: z.array(z.record(z.string(), z.number())),
    text_offset: z.array(z.int()),
  })
  .openapi('TextLogprobs');
export type TextLogprobs = z.infer<typeof TextLogprobs>;

/** Bytes that a token stands for. */
type BytesOf = (token: number) => Uint8Array;

const utf8 = new TextDecoder();
/** What JSON can hold: a token that could not be picked has no probability. */
const leastLogprob = -9999;

const spoken = (bytes: Uint8Array) => utf8.decode(bytes);
const finite = (logprob: number) => Math.max(leastLogprob, logprob);

/** Tokens as a chat choice tells them. */
export function toChatLogprobs(tokens: readonly TokenLikelihood[], bytesOf: BytesOf): ChatLogprobs {
  const tell = ({ token, logprob, bytes = bytesOf(token) }: Likely) => {
    return { token: spoken(bytes), logprob: finite(logprob), bytes: [...bytes] };
  };
  return { content: tokens.map((each) => ({ ...tell(each), top_logprobs: each.top.map(tell) })), refusal: null };
}

/** Tokens as a text choice tells them, named by their text or by id; `offset` is the length of the text before them. */
export function toTextLogprobs(
  tokens: readonly TokenLikelihood[],
  bytesOf: BytesOf,
  { offset, byId }: { offset: number; byId: boolean },
): TextLogprobs {
  const nameOf = (id: number) => (byId ? `token_id:${id}` : spoken(bytesOf(id)));
  const told: TextLogprobs = { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
  for (const { token, logprob, top } of tokens) {
    told.tokens.push(nameOf(token));
    told.token_logprobs.push(finite(logprob));
    told.top_logprobs.push(Object.fromEntries(top.map((each) => [nameOf(each.token), finite(each.logprob)])));
    told.text_offset.push(offset);
    offset += spoken(bytesOf(token)).length;
  }
  return told;
}
