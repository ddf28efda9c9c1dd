// Pieces of a prompt to token ids: control tokens by their id, text as text. The one place of this room that knows the prompt layout's pieces.
import { SteerError } from '../../errors.ts';
import type { Piece } from '../../steerlm/prompt-layout.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface EncodedPieces {
  ids: number[];
  /** Per id, whether the loss counts it. */
  trained: boolean[];
}

/** Text that is trained throughout, or not at all. */
type Stretch = Exclude<Piece, { control: unknown }>;

/**
 * Token ids of the pieces. What stands between two control tokens is encoded as one text, as by an engine that renders our chat template: some
 * tokenizers join a full stop to the newline after it. Throws invalid_request when the tokenizer lacks a control token, as that of a model from
 * elsewhere.
 */
export function encodePieces(tokenizer: Tokenizer, pieces: readonly Piece[]): EncodedPieces {
  const encoded: EncodedPieces = { ids: [], trained: [] };
  const add = (ids: readonly number[], trained: boolean) => {
    for (const id of ids) {
      encoded.ids.push(id);
      encoded.trained.push(trained);
    }
  };
  let between: Stretch[] = [];
  const close = () => {
    for (const { ids, trained } of encodeText(tokenizer, between, encoded.ids.length > 0)) add(ids, trained);
    between = [];
  };
  for (const piece of pieces) {
    if ('control' in piece) {
      close();
      add([controlId(tokenizer, piece.control)], piece.trained);
      continue;
    }
    const last = between.at(-1);
    if (last?.trained === piece.trained) between[between.length - 1] = { ...last, text: last.text + piece.text };
    else between.push(piece);
  }
  close();
  return encoded;
}

/** Token ids of a prompt of any length, others of the thread let in between. Throws as `encodePieces` does. */
export async function encodeLongPrompt(tokenizer: Tokenizer, pieces: readonly Piece[]): Promise<number[]> {
  const ids: number[][] = [];
  let between = '';
  for (const piece of pieces) {
    if ('text' in piece) between += piece.text;
    else {
      ids.push(await tokenizer.encodeLongText(between, { afterToken: ids.length > 0 }), [controlId(tokenizer, piece.control)]);
      between = '';
    }
  }
  ids.push(await tokenizer.encodeLongText(between, { afterToken: ids.length > 0 }));
  return ids.flat();
}

/** Ids of each stretch of one text. */
function encodeText(
  tokenizer: Tokenizer,
  stretches: readonly Stretch[],
  afterToken: boolean,
): { ids: number[]; trained: boolean }[] {
  const encode = (text: string) => tokenizer.encodeText(text, { afterToken });
  const ids = encode(stretches.map(({ text }) => text).join(''));
  const begun = stretches.slice(0, -1).map((_, i) => {
    const texts = stretches.slice(0, i + 1).map(({ text }) => text);
    return encode(texts.join(''));
  });
  // A token across two stretches would be half trained, and a reply begins after the ids of its prompt alone.
  if (begun.some((before) => before.some((id, at) => id !== ids[at]))) {
    return stretches.map(({ text, trained }) => ({ ids: encode(text), trained }));
  }
  const ends = [0, ...begun.map(({ length }) => length), ids.length];
  return stretches.map(({ trained }, i) => ({ ids: ids.slice(ends[i], ends[i + 1]), trained }));
}

function controlId(tokenizer: Tokenizer, spelling: string): number {
  const id = tokenizer.tokenId(spelling);
  if (id !== undefined && tokenizer.isAdded(id)) return id;
  const found = id === undefined ? 'no control token' : 'text in place of the control token';
  throw new SteerError(
    'invalid_request',
    `This model only continues texts: its tokenizer has ${found} ${spelling}, so it never learnt the prompt layout of turns and labels. ` +
      'Ask for a completion of a raw text, or make a model of it that knows turns: steer finetune.',
  );
}
