// Reads replies back with a predictor: what `steering.measured` tells beside what was applied.

import { SteerError } from '../errors.ts';
import type { Measure } from '../generation/best-of.ts';
import type { LanguageModel } from '../generation/language-model.ts';
import type { Measured, Reading } from '../generation/replies.ts';
import { own } from '../own.ts';
import type { ConversationScore, Predictor } from '../predictor/predictor.ts';
import { findModel, findPredictorFor, type ModelCard, type Models } from '../registry/models.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';

export interface MeasureOptions {
  /** Name of the predictor that the caller chose. */
  chosen?: string | null | undefined;
  signal: AbortSignal;
  caller?: string | undefined;
}

/**
 * Measure for a conversation by the predictor that was chosen, or by that of the attributes the model was trained on. Throws invalid_request where there
 * is none, and model_not_found for a name nobody has.
 */
export async function prepareMeasure(
  models: Models,
  model: Pick<LanguageModel, 'id' | 'chat' | 'schema'>,
  conversation: Conversation,
  { chosen, ...call }: MeasureOptions,
): Promise<Measure> {
  const predictor = await models.predictor(predictorOf(models, model, chosen).id);
  return (replies) => measure(predictor, model.schema, conversation, replies, call);
}

/** The predictor it would be; throws what prepareMeasure does. */
export function predictorOf(
  models: Models,
  { id, chat, schema }: Pick<LanguageModel, 'id' | 'chat' | 'schema'>,
  chosen: MeasureOptions['chosen'],
): ModelCard {
  const refused = (message: string) => new SteerError('invalid_request', message, { details: { param: 'steering.predictor' } });
  if (typeof chosen === 'string') {
    const card = findModel(models, chosen, ['predictor']);
    if (sharedNames(card.schema, schema).size > 0) return card;
    const rated = card.schema.attributes.map(({ name, levels }) => `${name} (${levels.length} levels)`).join(', ');
    throw refused(`steering.predictor: ${card.id} rates ${rated}, none of which ${id} is asked for on that scale.`);
  }
  if (chat !== 'labels') {
    const names = models.list().flatMap((card) => (card.kind === 'predictor' ? [card.id] : []));
    const known =
      names.length > 0
        ? `served: ${names.join(', ')}; mind what it was trained on`
        : 'none is served: make one with "steer train-predictor"';
    throw refused(
      `steering.predictor: nobody has measured what ${id} writes, so measure and best_of need the name of a predictor that fits its text (${known}).`,
    );
  }
  const card = findPredictorFor(models, schema);
  if (card) return card;
  throw new SteerError(
    'invalid_request',
    `steering.measure needs a predictor of the attributes of ${schema.name}, and none is served. ` +
      'Leave steering.measure out, or train one with "steer train-predictor" and put it under MODELS_DIR.',
    { details: { param: 'steering.measure' } },
  );
}

async function measure(
  predictor: Predictor,
  schema: AttributeSchema,
  conversation: Conversation,
  replies: string[],
  { signal, caller }: { signal: AbortSignal; caller?: string | undefined },
): Promise<Reading[]> {
  const conversations = replies.map((content) => ({
    system: conversation.system,
    turns: [...conversation.turns, { role: 'assistant' as const, content }],
  }));
  const scores = await predictor.score(conversations, signal, caller);
  const names = sharedNames(predictor.schema, schema);
  return scores.map((score) => ({ measured: toMeasured(score, names), ground: score.ground }));
}

/** Attributes that both know, on the same scale. */
function sharedNames(rated: AttributeSchema, asked: AttributeSchema): Set<string> {
  const levels = new Map(asked.attributes.map((attribute) => [attribute.name, attribute.levels.length]));
  return new Set(
    rated.attributes.flatMap((attribute) => (levels.get(attribute.name) === attribute.levels.length ? [attribute.name] : [])),
  );
}

function toMeasured(score: ConversationScore, names: Iterable<string>): Measured {
  const measured: Measured = {};
  for (const name of names) {
    const attribute = own(score.attributes, name);
    if (attribute) measured[name] = { value: attribute.value, level: attribute.level, confidence: attribute.confidence };
  }
  return measured;
}
