// From the body of a chat request to the prompt of one model: which model, which label, which token ids. Runs nothing.
import { z } from '@hono/zod-openapi';
import { awaitRoom } from '../event-loop.ts';
import type { LanguageModel } from '../generation/language-model.ts';
import { layOutAsked, type SteeredPrompt, settleLabels, steerPrompt } from '../generation/steered-prompt.ts';
import { settleVectors } from '../generation/vector-weights.ts';
import { findChatModel, type Models } from '../registry/models.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import { namedUnlessItIs } from './refusals.ts';
import { Messages, RequestedAttributes, toConversation } from './schemas/messages.ts';
import { countBadWords, tellVectors } from './schemas/replies.ts';
import { mostTopLogprobs, refuseUnsupported, samplingFields } from './schemas/sampling.ts';
import { SteeringRequest } from './schemas/steering.ts';

export const ChatBody = z
  .looseObject({
    ...samplingFields,
    messages: Messages,
    attributes: RequestedAttributes.nullish(),
    steering: SteeringRequest.nullish(),
    logprobs: z.boolean().nullish().openapi({ description: 'Tell how likely each token of a reply was, by the raw scores' }),
    top_logprobs: z
      .int()
      .min(0)
      .max(mostTopLogprobs)
      .nullish()
      .openapi({ description: 'With logprobs: so many of the likeliest beside it' }),
  })
  .superRefine((body, context) => {
    refuseUnsupported(body, context);
    if (!body.top_logprobs || body.logprobs) return;
    context.addIssue({ code: 'custom', path: ['top_logprobs'], message: 'needs logprobs: true' });
  })
  .openapi('ChatRequest', {
    description:
      'Fields of the OpenAI protocol not listed here are ignored, or refused if they would change the reply. Without max_tokens a reply has at most 1024 tokens, or what the context holds',
  });

export type ChatBody = z.infer<typeof ChatBody>;

export interface ChatPrompt extends SteeredPrompt {
  model: LanguageModel;
  conversation: Conversation;
}

/** The prompt a chat body leads to. Throws model_not_found, context_length_exceeded and what does not hold of attributes and vectors. */
export async function toChatPrompt(models: Models, body: ChatBody): Promise<ChatPrompt> {
  const { model, conversation, asked } = await readChat(models, body);
  return { model, conversation, ...(await namedUnlessItIs('messages', () => steerPrompt(model, conversation, asked))) };
}

/** The prompt under the label itself, whatever its length. Throws model_not_found and what does not hold of attributes and vectors. */
export async function toShownPrompt(models: Models, body: ChatBody) {
  const { model, conversation, asked } = await readChat(models, body);
  const { later: _, aim: __, applied, appliedBy, badWords, ...told } = settleLabels(model, asked);
  const { vectors } = await settleVectors(model, asked);
  const pieces = await layOutAsked(model, conversation, applied, asked.method);
  const steering = { ...told, applied, applied_by: appliedBy, ...countBadWords(badWords), ...tellVectors(vectors) };
  return { model, pieces, tokenIds: await model.encodeLong(pieces), steering };
}

async function readChat(models: Models, { steering, ...body }: ChatBody) {
  const model = await models.language(findChatModel(models, body.model).id);
  // Laying out and encoding a prompt takes longer than anything else a request does before it waits.
  await awaitRoom();
  const conversation = toConversation(body.messages, model.schema);
  const asked = {
    attributes: body.attributes ?? {},
    method: steering?.method ?? undefined,
    strength: steering?.strength ?? undefined,
    against: steering?.against ?? undefined,
    calibrated: steering?.calibrated ?? undefined,
    vectors: steering?.vectors ?? undefined,
    vectorTokens: steering?.vector_tokens ?? undefined,
    schedule: steering?.schedule?.map(({ after, attributes, vectors }) => {
      return { after, attributes: attributes ?? undefined, vectors: vectors ?? undefined };
    }),
  };
  return { model, conversation, asked };
}
