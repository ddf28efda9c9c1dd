// Conversations as the predictor reads them: one sequence per rated reply, cut from the left when too long, closed by the label token.
import type { SampleContent } from '../datasets/sample.ts';
import { encodePieces } from '../model/tokenizer/encode-prompt.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { AttributeSchema, Label } from '../steerlm/attributes.ts';
import type { Conversation, Turn } from '../steerlm/conversation.ts';
import { layOutScoring } from '../steerlm/prompt-layout.ts';

export interface Reading {
  ids: number[];
  /** The start was cut off to fit. */
  truncated: boolean;
}

const nothing: AttributeSchema = { name: 'none', version: 0, attributes: [] };

/**
 * Token ids of a conversation up to its last turn, at most `limit` of them. What is too long loses its oldest turns first; a last turn
 * that is too long itself loses what stands before its end. Costs no more than the limit, however long the conversation.
 */
export function readConversation(tokenizer: Tokenizer, { system, turns }: Conversation, limit: number): Reading {
  // A token spells at least one character, so no more of a text than this can be read.
  const readable = limit * tokenizer.longestToken;
  const encode = (head: string, said: Turn[]): number[] =>
    encodePieces(tokenizer, layOutScoring(nothing, { system: head, turns: said })).ids;
  const opening = encode(system.slice(-readable), []);
  const bare = encode('', []).length;
  const [head, close] = [opening.slice(0, -1), opening.slice(-1)];
  const kept: number[][] = [];
  let length = opening.length;
  let truncated = system.length > readable;
  for (const turn of turns.toReversed()) {
    const ids = encode('', [{ ...turn, content: turn.content.slice(-readable) }]).slice(bare - 1, -1);
    if (length + ids.length > limit && kept.length > 0) {
      truncated = true;
      break;
    }
    kept.unshift(ids);
    length += ids.length;
  }
  const ids = [...head, ...kept.flat(), ...close];
  return { ids: ids.slice(-limit), truncated: truncated || ids.length > limit };
}

/** The conversation up to and including turn `end`. */
export function upTo(conversation: Conversation, end: number): Conversation {
  return { ...conversation, turns: conversation.turns.slice(0, end + 1) };
}

/** Every assistant turn of a sample by its index, with the conversation up to and including it. */
export function* repliesOf(content: SampleContent): Generator<{ turn: number; conversation: Conversation }> {
  if (content.kind === 'text') return;
  const { conversation } = content;
  for (const [turn, { role }] of conversation.turns.entries()) {
    if (role === 'assistant') yield { turn, conversation: upTo(conversation, turn) };
  }
}

/** Every labelled assistant turn of a sample, with the conversation that leads up to it. */
export function* ratedReplies(content: SampleContent): Generator<{ conversation: Conversation; label: Label }> {
  if (content.kind === 'text') return;
  const { conversation } = content;
  for (const [end, { role, label }] of conversation.turns.entries()) {
    if (role === 'assistant' && label && Object.keys(label).length > 0) yield { conversation: upTo(conversation, end), label };
  }
}
