// How a reply is drawn, in OpenAI's words: what both completion routes accept, and which fields they refuse rather than ignore.
import { randomInt } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import { settleDrawing } from '../../generation/drawing-defaults.ts';
import type { CompletionRequest, LanguageModel } from '../../generation/language-model.ts';
import { badWord } from '../../model/bad-words.ts';
import { leastRepetitionPenalty } from '../../model/sampling-defaults.ts';
import { recordOf } from '../../record-of.ts';
import type { Asker } from '../caller.ts';
import { structureFields, toConstraint } from './structure.ts';

const mostReplies = 8;
export const mostTopLogprobs = 20;
const mostBiases = 1024;
const mostBadWords = 64;
const mostMs = 600_000;
const mostStops = 4;
const rawMaxTokens = 16;
/** A model that never ends its reply would write until a context of many thousands is full. */
const chatMaxTokens = 1024;

const StopString = z.string().min(1).max(256);

export const ModelName = z.string().max(256).nullish().openapi({
  description: 'Id or alias of a model; absent means `default`',
});

/** Where a caller says nothing. */
const absent = "absent means what the model's generation_config.json says";

export const samplingFields = {
  model: ModelName,
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z
    .int()
    .min(1)
    .nullish()
    .openapi({ description: 'Newer name of max_tokens; holds where both are given' }),
  temperature: z
    .number()
    .min(0)
    .max(2)
    .nullish()
    .openapi({ description: `0 picks the likeliest token; ${absent}, or 1` }),
  top_p: z
    .number()
    .min(0)
    .max(1)
    .nullish()
    .openapi({ description: `0 picks the likeliest token; ${absent}, or 1` }),
  top_k: z
    .int()
    .min(-1)
    .nullish()
    .openapi({ description: `0 and -1 mean no limit; ${absent}, or no limit` }),
  seed: z
    .int()
    .nullish()
    .openapi({ description: 'The same request with the same seed gives the same reply; reply i uses seed + i' }),
  stop: z
    .union([StopString, z.array(StopString).max(mostStops)], {
      error: `expected a string or a list of at most ${mostStops} strings, none empty or longer than 256 characters`,
    })
    .nullish(),
  min_p: z
    .number()
    .min(0)
    .max(1)
    .nullish()
    .openapi({ description: `Drops tokens less likely than this share of the likeliest; ${absent}, or 0` }),
  min_tokens: z.int().min(0).nullish().openapi({ description: 'No stop token is picked before the reply has so many tokens' }),
  stop_token_ids: z
    .array(z.int().min(0))
    .max(64)
    .nullish()
    .openapi({ description: "Token ids that end the reply beside the model's own" }),
  ignore_eos: z.boolean().nullish().openapi({ description: "The model's own stop tokens are never picked" }),
  repetition_penalty: z
    .number()
    .min(leastRepetitionPenalty)
    .max(10)
    .nullish()
    .openapi({
      description: `Above 1 makes tokens of prompt and reply less likely; over both, as in transformers and vLLM; ${absent}, or 1`,
    }),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z
    .number()
    .min(-2)
    .max(2)
    .nullish()
    .openapi({ description: `Above 0 makes tokens less likely each time the reply has them; ${absent}, or 0` }),
  logit_bias: recordOf(z.string(), z.number().min(-100).max(100))
    .superRefine((bias, context) => {
      const [odd] = Object.keys(bias).filter((id) => !/^\d{1,9}$/.test(id));
      if (odd !== undefined)
        context.addIssue({ code: 'custom', path: [odd], message: 'expected a token id as key, such as "1000"' });
      if (Object.keys(bias).length > mostBiases)
        context.addIssue({ code: 'custom', message: `expected at most ${mostBiases} biases` });
    })
    .nullish()
    .openapi({ description: 'Added to the score of a token before it is picked: -100 all but bars it, 100 all but forces it' }),
  bad_words: z
    .array(badWord)
    .max(mostBadWords)
    .nullish()
    .openapi({
      description:
        "Words and phrases that no reply holds. Unlike vLLM's they are found in the text, whatever tokens spell them and however they are cased: where one begins a " +
        'word of the reply, the token that would complete it is not picked, so `fool` keeps out `foolish` too. ' +
        'In JSON they are found in what its strings mean, escapes read. The form of a reply (response_format, structured_outputs) goes before them: where it leaves ' +
        'nothing else after what is said, the word is said. Of choices (structured_outputs.choice) those that hold a word are left out while there are others; ' +
        'the values of an enum and the ways of a pattern are not. Where there is no form, the reply ends',
    }),
  max_ms: z.int().min(1).max(mostMs).nullish().openapi({
    description: 'Milliseconds after which the reply ends with what there is: finish_reason `length`, and `steering.deadline`',
  }),
  service_tier: z
    .enum(['auto', 'default', 'flex', 'priority'])
    .nullish()
    .openapi({ description: '`flex` waits behind all other requests, as those of batches do' }),
  n: z.int().min(1).max(mostReplies).nullish().openapi({ description: 'Number of replies; absent means 1' }),
  stream: z.boolean().nullish().openapi({ description: 'Reply as server-sent events, ended by `[DONE]`' }),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  store: z
    .boolean()
    .nullish()
    .openapi({ description: 'false leaves the replies unremembered: they cannot be rated. Unlike elsewhere, absent means true' }),
  ...structureFields,
  user: z.string().nullish().openapi({ description: 'Accepted and not used' }),
  metadata: recordOf(z.string(), z.string())
    .nullish()
    .openapi({ description: 'Kept with the replies, which GET /v1/chat/completions then finds by it' }),
};

type Sampling = z.infer<z.ZodObject<typeof samplingFields>>;

const isZero = (value: unknown) => value === 0;
const isOne = (value: unknown) => value === 1;
const isFalse = (value: unknown) => value === false;
const isEmpty = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/** Fields that would change the reply and are not supported, each with the value that asks for nothing. */
const unsupportedFields: Record<string, (value: unknown) => boolean> = {
  tools: isEmpty,
  functions: isEmpty,
  tool_choice: (value) => value === 'none' || value === 'auto',
  function_call: (value) => value === 'none' || value === 'auto',
  prompt_logprobs: isZero,
  audio: () => false,
  modalities: (value) => Array.isArray(value) && value.every((each) => each === 'text'),
  web_search_options: () => false,
  guided_grammar: () => false,
  echo: isFalse,
  suffix: (value) => value === '',
  best_of: isOne,
};

/** Adds an issue for each field in use that would change the reply and is not supported, however unknown to the schema. */
export function refuseUnsupported(body: Record<string, unknown>, context: z.RefinementCtx): void {
  for (const [field, asksNothing] of Object.entries(unsupportedFields)) {
    const value = body[field];
    if (value !== undefined && value !== null && !asksNothing(value)) {
      context.addIssue({ code: 'custom', path: [field], message: 'this server does not support it; leave it out' });
    }
  }
}

/**
 * What the engine is asked for a prompt that came in `field`. Where the caller names no length, messages get the rest of the
 * context and a raw prompt 16 tokens, as in OpenAI's protocol.
 * Throws context_length_exceeded when prompt and reply do not fit together.
 */
export function toCompletionRequest(
  body: Sampling,
  prompt: number[],
  model: LanguageModel,
  field: 'messages' | 'prompt',
  { caller, priority = body.service_tier === 'flex' ? 'batch' : 'interactive' }: Asker = {},
): CompletionRequest {
  const room = model.contextLength - prompt.length;
  const asked = body.max_completion_tokens ?? body.max_tokens;
  const lengthField = body.max_completion_tokens ? 'max_completion_tokens' : 'max_tokens';
  if (room < 1 || (asked ?? 1) > room) {
    const reply = room < 1 ? 'leaves no room for a reply' : `the reply may take ${asked}`;
    throw new SteerError(
      'context_length_exceeded',
      `Expected prompt and reply within ${model.contextLength} tokens; the prompt has ${prompt.length} and ${reply}. ` +
        `Shorten the ${field}${room < 1 ? '' : ` or lower ${lengthField}`}.`,
      { details: { param: room < 1 ? field : lengthField } },
    );
  }
  const { temperature, top_p: topP, top_k: topK, min_p: minP } = body;
  const penalties = { repetitionPenalty: body.repetition_penalty, frequencyPenalty: body.frequency_penalty };
  return {
    prompt,
    maxTokens: asked ?? Math.min(room, field === 'prompt' ? rawMaxTokens : chatMaxTokens),
    ...settleDrawing(model, { temperature, topP, topK, minP, ...penalties }),
    stop: typeof body.stop === 'string' ? [body.stop] : (body.stop ?? []),
    // Engines take 32 unsigned bits; wider and negative seeds keep their low bits.
    seed: (body.seed ?? randomInt(2 ** 31)) >>> 0,
    n: body.n ?? 1,
    minTokens: body.min_tokens ?? 0,
    stopTokens: body.stop_token_ids ?? [],
    ignoreEos: body.ignore_eos ?? false,
    presencePenalty: body.presence_penalty ?? 0,
    logitBias: Object.entries(body.logit_bias ?? {}).map(([id, bias]) => [Number(id), bias]),
    badWords: body.bad_words ?? [],
    maxMs: body.max_ms ?? undefined,
    priority,
    caller,
    constraint: toConstraint(body),
  };
}
