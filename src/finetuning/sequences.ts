// Samples to token sequences with their loss masks: plain language modelling, and attribute-conditioned SFT (steerlm/prompt-layout.ts says what is trained).
import type { SampleContent } from '../datasets/sample.ts';
import { encodePieces } from '../model/tokenizer/encode-prompt.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { documentSeparator } from '../model/tokenizer/tokenizer-training.ts';
import { randomStream } from '../random.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import { isTarget, layOutTraining, type Piece } from '../steerlm/prompt-layout.ts';
import type { Sequence } from '../training/packing.ts';
import { dropLabels, type LabelDropout } from './label-dropout.ts';

/** Attributes of data whose labels are not to be read. */
export const unlabelled: AttributeSchema = { name: 'none', version: 0, attributes: [] };

/** Whether all its replies are context, so that a row of it would be computed to teach nothing. */
function isContextAlone({ turns }: Conversation): boolean {
  return turns.some(({ trained }) => trained === false) && !turns.some(isTarget);
}

/** A sample's pieces for pre-training: the layout of a conversation without any label. */
export function plainPieces(content: SampleContent): Piece[] {
  return content.kind === 'text' ? [{ text: content.text, trained: true }] : layOutTraining(unlabelled, content.conversation);
}

/**
 * Each sample ends with the document separator. Every token counts but those of replies that are context alone, or of a conversation only the replies and the turn tokens that end them: what
 * nobody could foresee, as the names of a system turn, then teaches nothing.
 */
export function pretrainingSequence(tokenizer: Tokenizer, content: SampleContent, repliesOnly = false): Sequence {
  const separator = tokenizer.tokenId(documentSeparator);
  const masked = repliesOnly && content.kind === 'conversation';
  if (masked && isContextAlone(content.conversation)) return { ids: [], weights: [] };
  const pieces = plainPieces(content);
  const counted = masked ? pieces : pieces.map((piece) => ({ ...piece, trained: piece.context !== true }));
  const { ids, trained } = encodePieces(tokenizer, counted);
  const between = separator === undefined ? [] : [separator];
  const edge = between.map(() => (masked ? 0 : 1));
  const weights = trained.map(Number);
  return { ids: [...between, ...ids, ...between], weights: Float32Array.from([...edge, ...weights, ...edge]) };
}

/** Attribute-conditioned SFT: replies and the turn tokens that end them count. Sample `index` of an epoch always loses the same labels. */
export function steeredSequence(
  tokenizer: Tokenizer,
  schema: AttributeSchema,
  content: SampleContent,
  dropout: LabelDropout,
  keys: { seed: number; epoch: number; index: number },
): Sequence {
  if (content.kind === 'text' || isContextAlone(content.conversation)) return { ids: [], weights: [] };
  const random = randomStream(keys.seed, 'labels', keys.epoch, keys.index);
  const { ids, trained } = encodePieces(
    tokenizer,
    layOutTraining(schema, dropLabels(content.conversation, schema, dropout, random)),
  );
  return { ids, weights: Float32Array.from(trained, Number) };
}
