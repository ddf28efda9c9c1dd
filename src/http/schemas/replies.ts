// Completions as OpenAI's clients read them, whole and in chunks, with the steering each choice carries beside.
import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { LanguageModel } from '../../generation/language-model.ts';
import type { AddedVectors } from '../../generation/vector-weights.ts';
import { ChatLogprobs, TextLogprobs } from './logprobs.ts';

export const Measured = z.object({
  value: z.number().openapi({ description: 'Expected level' }),
  level: z.int().openapi({ description: 'Likeliest level' }),
  confidence: z.number().min(0).max(1).openapi({ description: '0 is a uniform guess, 1 is certainty' }),
});

export const Ground = z
  .object({
    unseen: z.number().min(0).max(1).openapi({
      description: "Share of the reply's runs of two and three words that are new or rare to the predictor's training",
    }),
    unlike: z.boolean().openapi({
      description:
        'Whether that is more than all but one in a hundred replies held out of training had, for its length: the ratings say little then',
    }),
  })
  .openapi('Ground', {
    description:
      'How far the reply is from what the predictor was trained on. Absent for a reply of one or two words, and for a predictor that does not know',
  });

export const Steering = z
  .object({
    requested: z
      .record(z.string(), z.number().nullable())
      .openapi({ description: 'What the request asked, by canonical attribute name' }),
    applied: z.record(z.string(), z.number()).openapi({
      description: 'What the prompt says: defaults filled in, caps held; what lies between two levels is mixed from both',
    }),
    applied_by: z.record(z.string(), z.enum(['label', 'instruction'])).openapi({
      description:
        'How each of them reached the model: as the label it was trained on, or as an instruction in words. Empty where none did',
    }),
    bad_words: z.int().optional().openapi({
      description:
        "How many words the model's card kept out of the reply because of what was applied; GET /v1/models/{id} lists them. Absent where it kept none out",
    }),
    expected: z.record(z.string(), z.number()).optional().openapi({
      description:
        'With `calibrated`: the level that replies were measured to have where `applied` is asked for. Where it is not what was requested, that is out of the reach of the model',
    }),
    vectors: z.record(z.string(), z.number()).optional().openapi({
      description:
        'Weights of the steering vectors it was written under, at its start; of one that a schedule adds later 0. Absent where none was added',
    }),
    vector_tokens: z.literal('all').optional().openapi({ description: 'They were added to the prompt too' }),
    measured: z.record(z.string(), Measured).optional().openapi({ description: 'What the predictor reads in the reply' }),
    ground: Ground.optional(),
    deadline: z.literal(true).optional().openapi({ description: 'The reply ended because `max_ms` was over' }),
    candidates: z.int().optional().openapi({ description: 'Candidates this reply was chosen from, with `best_of`' }),
  })
  .openapi('Steering', { description: 'Told with each choice; in a stream, with the last chunk of the choice' });

const Reasoning = z.string().openapi({ description: 'What the model thought before it answered, where it does' });
const Applied = z.record(z.string(), z.number());
const FinishReason = z.enum(['stop', 'length']);
const TokenIds = z.array(z.int()).optional().openapi({ description: 'With return_token_ids' });

const Usage = z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() }).openapi('Usage');

export const Stored = z.literal(false).optional().openapi({
  description:
    'What was replied could not be kept, so it cannot be found or rated; the log says why. In a stream, with the last chunk',
});

const head = {
  id: z.string(),
  created: z.int().openapi({ description: 'Unix seconds' }),
  model: z.string(),
  system_fingerprint: z
    .string()
    .openapi({ description: 'Changes when the weights do, or the steering vectors that the reply was written under' }),
  stored: Stored,
};

export const ChatCompletion = z
  .object({
    ...head,
    object: z.literal('chat.completion'),
    choices: z.array(
      z.object({
        index: z.int(),
        message: z.object({
          role: z.literal('assistant'),
          content: z.string(),
          reasoning_content: Reasoning.optional(),
          refusal: z.null(),
          attributes: Applied,
        }),
        logprobs: ChatLogprobs.nullable(),
        finish_reason: FinishReason,
        steering: Steering,
      }),
    ),
    usage: Usage,
  })
  .openapi('ChatCompletion');

export const ChatCompletionChunk = z
  .object({
    ...head,
    object: z.literal('chat.completion.chunk'),
    choices: z.array(
      z.object({
        index: z.int(),
        delta: z.object({
          role: z.literal('assistant').optional(),
          content: z.string().optional(),
          reasoning_content: Reasoning.optional(),
          attributes: Applied.optional(),
        }),
        logprobs: ChatLogprobs.nullable(),
        finish_reason: FinishReason.nullable(),
        steering: Steering.optional(),
      }),
    ),
    usage: Usage.nullable().optional().openapi({ description: 'With stream_options.include_usage: null until the last chunk' }),
  })
  .openapi('ChatCompletionChunk');

export const TextCompletion = z
  .object({
    ...head,
    object: z.literal('text_completion'),
    choices: z.array(
      z.object({
        index: z.int(),
        text: z.string(),
        logprobs: TextLogprobs.nullable(),
        token_ids: TokenIds,
        finish_reason: FinishReason,
      }),
    ),
    usage: Usage,
  })
  .openapi('TextCompletion');

export const TextCompletionChunk = z
  .object({
    ...head,
    object: z.literal('text_completion'),
    choices: z.array(
      z.object({
        index: z.int(),
        text: z.string(),
        logprobs: TextLogprobs.nullable(),
        token_ids: TokenIds,
        finish_reason: FinishReason.nullable(),
      }),
    ),
    usage: Usage.nullable().optional(),
  })
  .openapi('TextCompletionChunk');

export type ChatCompletion = z.infer<typeof ChatCompletion>;
export type ChatCompletionChunk = z.infer<typeof ChatCompletionChunk>;
export type Steering = z.infer<typeof Steering>;

/** What is told of the words that a model's card kept out. */
export function countBadWords(words: readonly string[] = []): Pick<Steering, 'bad_words'> {
  return words.length === 0 ? {} : { bad_words: words.length };
}

/** What is told of the vectors a reply was written under. */
export function tellVectors(added: AddedVectors | undefined): Pick<Steering, 'vectors' | 'vector_tokens'> {
  if (!added) return {};
  return { vectors: { ...added.weights }, ...(added.tokens === 'all' ? { vector_tokens: 'all' } : {}) };
}
export type TextCompletion = z.infer<typeof TextCompletion>;
export type TextCompletionChunk = z.infer<typeof TextCompletionChunk>;

/** What all parts of one reply repeat. */
export interface ReplyHead {
  id: string;
  created: number;
  model: string;
  system_fingerprint: string;
}

/** A new id under that prefix, the time, and the model's name and what it computes with. */
export function toReplyHead(prefix: string, model: LanguageModel, added?: AddedVectors): ReplyHead {
  return {
    id: `${prefix}-${randomUUID().replaceAll('-', '')}`,
    created: Math.floor(Date.now() / 1000),
    model: model.id,
    system_fingerprint: fingerprintOf(model, added),
  };
}

/** The revision of the model, and of the vectors where there are any. */
export function fingerprintOf({ revision }: Pick<LanguageModel, 'revision'>, added: AddedVectors | undefined): string {
  return added ? `${revision}-v${added.revision}` : revision;
}
