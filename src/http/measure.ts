// Reads replies back with a predictor: what `steering.measured` tells beside what was applied.

import { SteerError } from '../errors.ts';
import type { Measure } from '../generation/best-of.ts';
import type { Measured } from '../generation/replies.ts';
import { own } from '../own.ts';
import type { ConversationScore, Predictor } from '../predictor/predictor.ts';
import { findPredictorFor, type Models } from '../registry/models.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';

/** Measure for a conversation by the predictor that knows the model's attributes. Throws invalid_request when none does. */
export async function prepareMeasure(
  models: Models,
  schema: AttributeSchema,
  conversation: Conversation,
  call: { signal: AbortSignal; caller?: string | undefined },
): Promise<Measure> {
  const card = findPredictorFor(models, schema);
  if (!card) {
    throw new SteerError(
      'invalid_request',
      `steering.measure needs a predictor of the attributes of ${schema.name}, and none is served. ` +
        'Leave steering.measure out, or train one with "steer train-predictor" and put it under MODELS_DIR.',
      { details: { param: 'steering.measure' } },
    );
  }
  const predictor = await models.predictor(card.id);
  return (replies) => measure(predictor, schema, conversation, replies, call);
}

async function measure(
  predictor: Predictor,
  schema: AttributeSchema,
  conversation: Conversation,
  replies: string[],
  { signal, caller }: { signal: AbortSignal; caller?: string | undefined },
): Promise<Measured[]> {
  const conversations = replies.map((content) => ({
    system: conversation.system,
    turns: [...conversation.turns, { role: 'assistant' as const, content }],
  }));
  const scores = await predictor.score(conversations, signal, caller);
  return scores.map((score) => toMeasured(score, schema));
}

function toMeasured(score: ConversationScore, schema: AttributeSchema): Measured {
  const measured: Measured = {};
  for (const { name } of schema.attributes) {
    const attribute = own(score.attributes, name);
    if (attribute) measured[name] = { value: attribute.value, level: attribute.level, confidence: attribute.confidence };
  }
  return measured;
}
