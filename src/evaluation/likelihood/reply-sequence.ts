// The last reply of a conversation as a sequence whose counted tokens are the reply's: under a label as a steered model was trained, or without any
// as a base model reads it.
import { encodePieces } from '../../model/tokenizer/encode-prompt.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { AttributeSchema, Label } from '../../steerlm/attributes.ts';
import type { Conversation } from '../../steerlm/conversation.ts';
import { controlTokens, layOutPrompt, type Piece } from '../../steerlm/prompt-layout.ts';
import type { Sequence } from '../../training/packing.ts';

const nothing: AttributeSchema = { name: 'none', version: 0, attributes: [] };

/** Earlier turns keep their labels. The reply counts with the newline and the turn token that end it, as in training. */
export function labelledReply(tokenizer: Tokenizer, schema: AttributeSchema, conversation: Conversation, label: Label): Sequence {
  const { prompt, reply } = partsOf(conversation);
  const ending: Piece[] = [
    { text: '\n', trained: true },
    { control: controlTokens.turn, trained: true },
  ];
  return counting(tokenizer, [...layOutPrompt(schema, prompt, label), { text: reply, trained: true }, ...ending]);
}

/**
 * No turn has a label and only the reply's text counts: how it ended is not the base's affair, and a reply cut short has no end.
 * A tokenizer without the control tokens reads the names of the speakers in their place.
 */
export function unlabelledReply(tokenizer: Tokenizer, conversation: Conversation): Sequence {
  const { prompt, reply } = partsOf(conversation);
  const pieces: Piece[] = [...layOutPrompt(nothing, prompt, {}), { text: reply, trained: true }];
  const knowsControls = Object.values(controlTokens).every((spelling) => {
    const id = tokenizer.tokenId(spelling);
    return id !== undefined && !tokenizer.isText(id);
  });
  return counting(tokenizer, knowsControls ? pieces : pieces.filter((piece) => 'text' in piece));
}

/** Counts the same tokens as unlabelledReply, after a labelled prompt. */
export function labelledText(tokenizer: Tokenizer, schema: AttributeSchema, conversation: Conversation, label: Label): Sequence {
  const { prompt, reply } = partsOf(conversation);
  return counting(tokenizer, [...layOutPrompt(schema, prompt, label), { text: reply, trained: true }]);
}

function partsOf(conversation: Conversation): { prompt: Conversation; reply: string } {
  const reply = conversation.turns.at(-1);
  if (reply?.role !== 'assistant') throw new Error('expected a conversation that ends with a reply');
  return { prompt: { ...conversation, turns: conversation.turns.slice(0, -1) }, reply: reply.content.trim() };
}

function counting(tokenizer: Tokenizer, pieces: readonly Piece[]): Sequence {
  const { ids, trained } = encodePieces(tokenizer, pieces);
  return { ids, weights: Float32Array.from(trained, Number) };
}
