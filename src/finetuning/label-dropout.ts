// Leaves attributes, or whole labels, unsaid at random while training, so that callers may set only some of them
// and guidance has a branch without a label.
import type { AttributeSchema, Conversation, Label } from '../steerlm.ts';

export interface LabelDropout {
  /** Chance that a turn loses its whole label. */
  label: number;
  /** Chance that a single attribute of a kept label goes unsaid. */
  attribute: number;
}

/** The conversation with labels thinned out, each turn on its own. */
export function dropLabels(
  conversation: Conversation,
  schema: AttributeSchema,
  dropout: LabelDropout,
  random: () => number,
): Conversation {
  const thin = (label: Label): Label => {
    if (random() < dropout.label) return {};
    const kept = schema.attributes.filter(({ name }) => label[name] !== undefined && random() >= dropout.attribute);
    return Object.fromEntries(kept.map(({ name }) => [name, label[name] as number]));
  };
  return { ...conversation, turns: conversation.turns.map((turn) => (turn.label ? { ...turn, label: thin(turn.label) } : turn)) };
}
