// Remembered completions in the shapes of OpenAI's stored ones, each choice with its steering.
import { z } from '@hono/zod-openapi';
import { conversationOf } from '../../feedback/conversation.ts';
import type { Remembered, Reply } from '../../feedback/remembered.ts';
import { recordOf } from '../../record-of.ts';
import type { Label } from '../../steerlm/attributes.ts';
import { toInvalidRequest } from '../problem.ts';
import { period } from './feedback.ts';
import { pageFields, pageOf } from './pages.ts';
import { Measured, Steering } from './replies.ts';

const StoredSteering = z
  .object({
    ...Steering.shape,
    measured: z
      .record(z.string(), Measured.partial({ level: true, confidence: true }))
      .optional()
      .openapi({ description: 'What the predictor read in the reply; of completions kept by earlier versions the value alone' }),
  })
  .openapi('StoredSteering');

export const StoredCompletion = z
  .object({
    object: z.literal('chat.completion'),
    id: z.string(),
    created: z.int().openapi({ description: 'Unix seconds' }),
    model: z.string(),
    system_fingerprint: z.string(),
    seed: z.int().openapi({ description: 'Of the first choice; choice i used seed + i' }),
    choices: z.array(
      z.object({
        index: z.int(),
        message: z.object({
          role: z.literal('assistant'),
          content: z.string(),
          refusal: z.null(),
          attributes: z.record(z.string(), z.number()),
        }),
        logprobs: z.null().openapi({ description: 'Not kept' }),
        finish_reason: z.string(),
        steering: StoredSteering,
      }),
    ),
    usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() }),
    metadata: z.record(z.string(), z.string()),
  })
  .openapi('StoredChatCompletion');

export const StoredCompletionList = pageOf(StoredCompletion).openapi('StoredChatCompletionList');

const Metadata = recordOf(z.string().max(64), z.string().max(512));

export const StoredCompletionQuery = z.object({
  ...pageFields,
  ...period,
  model: z.string().max(256).optional(),
  order: z.enum(['asc', 'desc']).default('asc').openapi({ description: 'By time' }),
  metadata: Metadata.optional().openapi({
    param: { style: 'deepObject', explode: true },
    description: 'What the metadata of its request must say, as in `metadata[topic]=tea`',
  }),
  unrated_by: z.string().max(128).optional().openapi({ description: 'Leaves out what this rater has given feedback on' }),
});

const metadataKey = /^metadata\[(.*)\]$/s;

/** The metadata asked for as `metadata[key]=value`, which a query holds under as many names; undefined without any. Throws `invalid_request`. */
export function metadataOf(query: Record<string, string>): Record<string, string> | undefined {
  const said = Object.entries(query).flatMap(([name, value]) => {
    const key = metadataKey.exec(name)?.[1];
    return key === undefined ? [] : [[key, value] as const];
  });
  if (said.length === 0) return undefined;
  const { data, error } = z.object({ metadata: Metadata }).safeParse({ metadata: Object.fromEntries(said) });
  if (data) return data.metadata;
  throw toInvalidRequest(error);
}

export const DeletedCompletion = z
  .object({ id: z.string(), object: z.literal('chat.completion.deleted'), deleted: z.literal(true) })
  .openapi('DeletedChatCompletion');

export const StoredMessageList = pageOf(
  z.object({
    id: z.string(),
    role: z.enum(['system', 'user', 'assistant']),
    content: z.string(),
  }),
).openapi('StoredChatMessageList');

export function toStoredCompletion(replies: Remembered): z.infer<typeof StoredCompletion> {
  const [{ id, model, revision, created, createdAt, promptTokens, seed, metadata }] = replies;
  const completionTokens = replies.reduce((sum, reply) => sum + (reply.spentTokens ?? reply.completionTokens), 0);
  return {
    object: 'chat.completion',
    id,
    created: created ?? Math.floor(createdAt.getTime() / 1000),
    model,
    system_fingerprint: revision,
    seed,
    choices: replies.map(toChoice),
    usage: { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens },
    metadata: (metadata ?? {}) as Record<string, string>,
  };
}

/** The conversation that was answered. */
export function toStoredMessages(id: string, request: Record<string, unknown>) {
  const conversation = conversationOf(request) ?? { system: '', turns: [] };
  const system = conversation.system === '' ? [] : [{ role: 'system' as const, content: conversation.system }];
  return [...system, ...conversation.turns].map(({ role, content }, i) => ({ id: `${id}-${i}`, role, content }));
}

function toChoice({ choice, reply, finishReason, requested, applied, measured, steering }: Reply) {
  return {
    index: choice,
    message: { role: 'assistant' as const, content: reply, refusal: null, attributes: applied },
    logprobs: null,
    finish_reason: finishReason,
    steering: {
      requested,
      applied,
      applied_by: byLabel(applied),
      ...(steering ?? (measured ? { measured: toMeasured(measured) } : {})),
    },
  };
}

/** Replies that were kept before it was told how were labelled. */
function byLabel(applied: Label): Record<string, 'label'> {
  return Object.fromEntries(Object.keys(applied).map((name) => [name, 'label']));
}

function toMeasured(values: Label) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
}
