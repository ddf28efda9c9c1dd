// From the body of a chat request to the prompt of one model: which model, which label, which token ids. Runs nothing.
import { z } from '@hono/zod-openapi';
import { SteerError } from '../errors.ts';
import type { LanguageModel, Phase } from '../generation/language-model.ts';
import { toBranches } from '../generation/steered-prompt.ts';
import { findModel, type Models } from '../registry/models.ts';
import {
  type AttributeSchema,
  applyAttributes,
  findAttribute,
  type Label,
  type RequestedAttributes as Requested,
} from '../steerlm/attributes.ts';
import { requestFor } from '../steerlm/calibration.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import { layOutPrompt, type Piece } from '../steerlm/prompt-layout.ts';
import { Messages, RequestedAttributes, toConversation } from './schemas/messages.ts';
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
      'Fields of the OpenAI protocol not listed here are ignored, or refused if they would change the reply. Without max_tokens a reply may fill the rest of the context',
  });

export type ChatBody = z.infer<typeof ChatBody>;

export interface ChatPrompt {
  model: LanguageModel;
  conversation: Conversation;
  /** As asked, by canonical name. */
  requested: Requested;
  applied: Label;
  /** Levels the reply is to be read at: those applied, but where they were calibrated those asked for. */
  aim: Label;
  pieces: Piece[];
  tokenIds: number[];
  /** Where the reply is mixed from several prompts, or its attributes change on the way. */
  phases?: Phase[];
}

/** The prompt a chat body leads to. Throws model_not_found, unknown_attribute or attribute_out_of_range. */
export async function toChatPrompt(models: Models, body: ChatBody): Promise<ChatPrompt> {
  const model = await models.language(findModel(models, body.model, ['language']).id);
  const { schema } = model;
  const requested = canonical(schema, body.attributes ?? {});
  const aim = applyAttributes(schema, requested);
  const applied = applyAttributes(schema, body.steering?.calibrated ? calibrate(model, requested) : requested);
  const conversation = toConversation(body.messages, schema);
  const pieces = layOutPrompt(schema, conversation, applied);
  const prompt = { model, conversation, requested, applied, aim, pieces, tokenIds: model.encode(pieces) };
  const phases = toPhases(prompt, body);
  return isPlain(phases) ? prompt : { ...prompt, phases };
}

/** One phase after the other, each under the labels the dial gives for what holds by then. */
function toPhases({ model, conversation, requested, applied }: ChatPrompt, { steering }: ChatBody): Phase[] {
  const { schema } = model;
  const schedule = steering?.schedule ?? [];
  const setting = { strength: steering?.strength ?? 1, against: steering?.against ?? 'null' };
  let asked = requested;
  const later = schedule.map(({ attributes }, i) => {
    asked = { ...asked, ...namingField(`steering.schedule.${i}`, () => canonical(schema, attributes)) };
    return applyAttributes(schema, steering?.calibrated ? calibrate(model, asked) : asked);
  });
  return [applied, ...later].map((label, i) => {
    return { branches: toBranches(model, conversation, label, setting), until: schedule[i]?.after };
  });
}

/** What to ask for so that replies measure what was asked. Throws `invalid_request` for an attribute whose curve nobody measured. */
function calibrate({ id, schema, curves = {} }: LanguageModel, asked: Requested): Requested {
  const capped = applyAttributes(schema, asked);
  return Object.fromEntries(
    Object.entries(asked).map(([name, value]) => {
      if (value === null) return [name, null];
      const curve = curves[name];
      if (curve) return [name, requestFor(curve, capped[name] as number).requested];
      throw new SteerError(
        'invalid_request',
        `steering.calibrated: what ${id} gives where ${name} is asked for was never measured. Leave it out, or run: steer evaluate steering.`,
        { details: { param: 'steering.calibrated' } },
      );
    }),
  );
}

function isPlain([first, ...later]: Phase[]): boolean {
  return later.length === 0 && first!.branches.length === 1;
}

function canonical(schema: AttributeSchema, asked: Requested): Requested {
  applyAttributes(schema, asked);
  return Object.fromEntries(Object.entries(asked).map(([name, value]) => [findAttribute(schema, name).name, value]));
}

/** Runs `read`; a refusal names the field it is about. */
function namingField<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SteerError)) throw error;
    const param = `${field}.${error.details.param ?? 'attributes'}`;
    throw new SteerError(error.code, error.message, { cause: error, details: { param } });
  }
}
