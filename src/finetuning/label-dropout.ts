// Leaves attributes, or whole labels, unsaid at random while training, so that callers may set only some of them
// and guidance has a branch without a label.
import { own } from '../own.ts';
import type { AttributeSchema, Label } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';

export interface LabelDropout {
  /** Chance that a turn loses its whole label. */
  label: number;
  /** Chance that a single attribute of a kept label goes unsaid. */
  attribute: number;
  /** Chance that a kept label is cut to a part of any size: callers name one attribute or two, and that must not be a rare sight. */
  partial: number;
}

/** Where nobody says otherwise. */
export const defaultDropout: LabelDropout = { label: 0.1, attribute: 0.1, partial: 0.5 };

/** The conversation with labels thinned out, each turn on its own. */
export function dropLabels(
  conversation: Conversation,
  schema: AttributeSchema,
  dropout: LabelDropout,
  random: () => number,
): Conversation {
  const thin = (label: Label): Label => {
    if (random() < dropout.label) return {};
    // Each attribute goes with a chance that is drawn first, so that every number of them is as likely.
    const chance = random() < dropout.partial ? random() : dropout.attribute;
    const kept = schema.attributes.filter(({ name }) => own(label, name) !== undefined && random() >= chance);
    return Object.fromEntries(kept.map(({ name }) => [name, label[name] as number]));
  };
  return { ...conversation, turns: conversation.turns.map((turn) => (turn.label ? { ...turn, label: thin(turn.label) } : turn)) };
}
