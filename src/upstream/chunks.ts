// What an upstream tells of a completion, in the OpenAI protocol and vLLM's additions to it: from bytes to checked chunks.
import { createParser } from 'eventsource-parser';
import { z } from 'zod';
import type { TokenLikelihood } from '../generation/language-model.ts';

/** Longest single event, characters. */
const longestEvent = 2 ** 22;

export const Chunk = z.object({
  choices: z.array(
    z.object({
      text: z.string(),
      finish_reason: z.string().nullish(),
      /** Told by vLLM, and by this server, on `return_token_ids`. */
      token_ids: z.array(z.int().min(0)).nullish(),
      /** With names such as `token_id:12` on `return_tokens_as_token_ids`. */
      logprobs: z
        .object({
          tokens: z.array(z.string()),
          token_logprobs: z.array(z.number().nullable()),
          top_logprobs: z.array(z.record(z.string(), z.number()).nullable()).nullish(),
        })
        .nullish(),
    }),
  ),
  usage: z.object({ completion_tokens: z.int().min(0) }).nullish(),
});
/** A chunk of either route; what is asked by messages may tell thoughts apart, likelihoods without ids, and how long it found the prompt. */
export interface Chunk {
  choices: (z.infer<typeof Chunk>['choices'][number] & { reasoning?: string; told?: TokenLikelihood[] })[];
  usage?: { prompt_tokens?: number | undefined; completion_tokens: number } | null | undefined;
}
export type Choice = Chunk['choices'][number];

/** Data of the server-sent events in a body, in order. Throws when one is longer than any could be. */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const events: string[] = [];
  const decoder = new TextDecoder();
  let fault: Error | undefined;
  const parser = createParser({
    maxBufferSize: longestEvent,
    onEvent: ({ data }) => void events.push(data),
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') fault = error;
    },
  });
  for await (const bytes of body) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    yield* events.splice(0);
    if (fault) throw fault;
  }
}

export const ModelList = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      /** This server's other names of it. */
      aliases: z.array(z.string()).nullish(),
      /** Most tokens of prompt and reply there: vLLM's name for it and this server's. */
      max_model_len: z.int().min(1).nullish(),
      context_length: z.int().min(1).nullish(),
    }),
  ),
});
