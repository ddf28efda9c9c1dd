// Pieces of a prompt to token ids: control tokens by their id, text as text. The one place of this room that knows the prompt layout's pieces.
import { SteerError } from '../errors.ts';
import { controlTokens, type Piece } from '../steerlm.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface EncodedPieces {
  ids: number[];
  /** Per id, whether the loss counts it. */
  trained: boolean[];
}

/** Token ids of the pieces, each encoded on its own. Throws invalid_model when the tokenizer lacks a control token. */
export function encodePieces(tokenizer: Tokenizer, pieces: readonly Piece[]): EncodedPieces {
  const encoded: EncodedPieces = { ids: [], trained: [] };
  for (const piece of pieces) {
    const ids = 'control' in piece ? [controlId(tokenizer, controlTokens[piece.control])] : tokenizer.encodeText(piece.text);
    for (const id of ids) {
      encoded.ids.push(id);
      encoded.trained.push(piece.trained);
    }
  }
  return encoded;
}

function controlId(tokenizer: Tokenizer, spelling: string): number {
  const id = tokenizer.tokenId(spelling);
  if (id !== undefined && !tokenizer.isText(id)) return id;
  throw new SteerError(
    'invalid_model',
    `Expected the control token ${spelling} in the tokenizer, found ${id === undefined ? 'none' : 'it as ordinary text'}. ` +
      'Add the control tokens with Tokenizer.withAddedTokens and let the embeddings grow before training.',
  );
}
