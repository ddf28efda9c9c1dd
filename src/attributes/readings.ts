// Conversations as the predictor reads them: one sequence per rated reply, cut from the left when too long, closed by the label token.
import type { SampleContent } from '../datasets/sample.ts';
import { encodePieces } from '../llama/encode.ts';
import type { Tokenizer } from '../llama/tokenizer.ts';
import { type AttributeSchema, type Conversation, type Label, layOutScoring } from '../steerlm.ts';

export interface Reading {
  ids: number[];
  /** The start was cut off to fit. */
  truncated: boolean;
}

const nothing: AttributeSchema = { name: 'none', version: 0, attributes: [] };

/**
 * Token ids of a conversation up to its last turn, at most `limit` of them. What is too long loses its oldest turns first, then the
 * start of the reply: the system text and the end always stay.
 */
export function readConversation(tokenizer: Tokenizer, conversation: Conversation, limit: number): Reading {
  const encode = (turns: Conversation['turns']): number[] =>
    encodePieces(tokenizer, layOutScoring(nothing, { ...conversation, turns })).ids;
  let { turns } = conversation;
  let ids = encode(turns);
  const truncated = ids.length > limit;
  while (ids.length > limit && turns.length > 1) {
    turns = turns.slice(1);
    ids = encode(turns);
  }
  return { ids: ids.length > limit ? ids.slice(-limit) : ids, truncated };
}

/** The conversation up to and including turn `end`. */
export function upTo(conversation: Conversation, end: number): Conversation {
  return { ...conversation, turns: conversation.turns.slice(0, end + 1) };
}

/** Every labelled assistant turn of a sample, with the conversation that leads up to it. */
export function* ratedReplies(content: SampleContent): Generator<{ conversation: Conversation; label: Label }> {
  if (content.kind === 'text') return;
  const { conversation } = content;
  for (const [end, { role, label }] of conversation.turns.entries()) {
    if (role === 'assistant' && label && Object.keys(label).length > 0) yield { conversation: upTo(conversation, end), label };
  }
}
