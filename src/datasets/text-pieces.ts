// Long texts in pieces, for work that other work must be able to come between.

/** Characters worked on in one go: a few milliseconds of parsing or hashing. */
export const pieceLength = 256 * 1024;

/** The text in pieces of about that length, no character cut in two. */
export function* inPieces(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const wanted = from + pieceLength;
    const to = isHighSurrogate(text.charCodeAt(wanted - 1)) ? wanted + 1 : wanted;
    yield text.slice(from, to);
    from = to;
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
