// SentencePiece's way to find tokens in the terms of BPE: it joins the two neighbours that make the piece of the highest score, so the pairs that make
// a piece are merges, in the order of the scores.
import { giveWay } from '../../event-loop.ts';
import type { Splitter } from '../tokenizer/word-cuts.ts';

export interface Piece {
  spelling: string;
  score: number;
}

/** Pieces cut up in one go: a few milliseconds. */
const piecesTogether = 2048;

/** Every pair of pieces that makes a piece, as "left right", best score first. Pieces spell spaces as ▁. */
export async function mergesOf(pieces: readonly Piece[]): Promise<string[]> {
  const written = pieces.filter(({ spelling }) => !spelling.includes(' '));
  const known = new Set(written.map(({ spelling }) => spelling));
  const merges: string[] = [];
  for (const [index, { spelling }] of written.toSorted((a, b) => b.score - a.score).entries()) {
    if (index % piecesTogether === 0) await giveWay();
    for (let at = 1; at < spelling.length; at++) {
      const left = spelling.slice(0, at);
      if (!known.has(left)) continue;
      const right = spelling.slice(at);
      if (known.has(right)) merges.push(`${left} ${right}`);
    }
  }
  return merges;
}

/** Of pieces with a space inside, as a regular expression has room for. */
const mostAcross = 64;
const insideSpace = /[^▁]▁/g;

/**
 * Cuts a text before its spaces, where no piece of the vocabulary goes across: the tokens are the same, and each word is looked up by itself. Null
 * where too many pieces do.
 */
export function spaceCuts(pieces: readonly Piece[]): Splitter | null {
  const across: string[] = [];
  for (const { spelling } of pieces) {
    for (const { index } of spelling.matchAll(insideSpace)) {
      const [before, after] = [spelling.slice(0, index + 1), spelling.slice(index + 2)].map(escaped);
      across.push(`(?<=${before})▁(?=${after})`);
    }
    if (across.length > mostAcross) return null;
  }
  const inWord = [...across, '[^▁]'].join('|');
  return { type: 'Split', pattern: { Regex: `▁*(?:${inWord})+|▁+` }, behavior: 'Isolated', invert: false };
}

/** Whether a splitter only cuts before spaces, where no token goes across. */
export function cutsAtSpaces(splitter: Splitter): boolean {
  return splitter.type === 'Split' && String((splitter.pattern as { Regex?: unknown } | undefined)?.Regex).startsWith('▁*(?:');
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
