// From the body of a chat request to the prompt of one model: which model, which label, which token ids. Runs nothing.
import { z } from '@hono/zod-openapi';
import type { LanguageModel } from '../generation/language-model.ts';
import {
  applyAttributes,
  type Conversation,
  findAttribute,
  type Label,
  layOutPrompt,
  type Piece,
  type RequestedAttributes as Requested,
} from '../steerlm.ts';
import { findModel, type Models } from './served-models.ts';
import { Messages, RequestedAttributes, toConversation } from './wire/messages.ts';
import { refuseUnsupported, samplingFields } from './wire/sampling.ts';

export const ChatBody = z
  .looseObject({
    ...samplingFields,
    messages: Messages,
    attributes: RequestedAttributes.nullish(),
    steering: z
      .strictObject({
        measure: z
          .boolean()
          .nullish()
          .openapi({ description: 'Rate each reply with the predictor and tell it in `steering.measured`' }),
      })
      .nullish(),
  })
  .superRefine(refuseUnsupported)
  .openapi('ChatRequest', {
    description:
      'Fields of the OpenAI protocol not listed here are ignored, or refused if they would change the reply. Without max_tokens a reply may fill the rest of the context',
  });

export type ChatBody = z.infer<typeof ChatBody>;

export interface ChatPrompt {
  model: LanguageModel;
  conversation: Conversation;
  /** As asked, by canonical name. */
  requested: Requested;
  applied: Label;
  pieces: Piece[];
  tokenIds: number[];
}

/** The prompt a chat body leads to. Throws model_not_found, unknown_attribute or attribute_out_of_range. */
export async function toChatPrompt(models: Models, body: ChatBody): Promise<ChatPrompt> {
  const model = await models.language(findModel(models, body.model, ['language']).id);
  const { schema } = model;
  const asked = body.attributes ?? {};
  const applied = applyAttributes(schema, asked);
  const requested = Object.fromEntries(Object.entries(asked).map(([name, value]) => [findAttribute(schema, name).name, value]));
  const conversation = toConversation(body.messages, schema);
  const pieces = layOutPrompt(schema, conversation, applied);
  return { model, conversation, requested, applied, pieces, tokenIds: model.encode(pieces) };
}
