// Ranges of code points as ranges of UTF-8 bytes (the method of Russ Cox's RE2).
import type { CharacterRange } from './expression.ts';

/** First and last byte at each place of an encoded character. */
export type ByteSpans = readonly (readonly [number, number])[];

/** Last code point of one, two, three and four bytes. */
const lengthEnds = [0x7f, 0x7ff, 0xffff, 0x10ffff];

/**
 * Spans that together hold exactly the characters of the range. Spans of one list or of ascending lists start with the same first byte or
 * with bytes they do not share, and so on at the places after it, so that a tree over them reads deterministically.
 */
export function utf8Spans(range: CharacterRange): ByteSpans[] {
  const spans: ByteSpans[] = [];
  let [first] = range;
  for (const end of lengthEnds) {
    if (first > end) continue;
    split(first, Math.min(range[1], end), spans);
    if (range[1] <= end) break;
    first = end + 1;
  }
  return spans;
}

/** Both ends take the same number of bytes. */
function split(first: number, last: number, spans: ByteSpans[]): void {
  const at = last > 0x7f ? border(first, last) : undefined;
  if (at === undefined) {
    const to = encode(last);
    spans.push(encode(first).map((byte, place) => [byte, to[place]!]));
  } else {
    split(first, at - 1, spans);
    split(at, last, spans);
  }
}

/** Where a second part begins, if the range is no single list of spans: only whole blocks of continuation bytes share leading ones. */
function border(first: number, last: number): number | undefined {
  for (const bits of [6, 12, 18]) {
    const low = (1 << bits) - 1;
    if (first >> bits === last >> bits) return;
    if ((first & low) !== 0) return (first | low) + 1;
    if ((last & low) !== low) return last & ~low;
  }
  return;
}

function encode(codePoint: number): number[] {
  if (codePoint <= 0x7f) return [codePoint];
  const continued = 0x80 | (codePoint & 0x3f);
  if (codePoint <= 0x7ff) return [0xc0 | (codePoint >> 6), continued];
  const middle = 0x80 | ((codePoint >> 6) & 0x3f);
  if (codePoint <= 0xffff) return [0xe0 | (codePoint >> 12), middle, continued];
  return [0xf0 | (codePoint >> 18), 0x80 | ((codePoint >> 12) & 0x3f), middle, continued];
}
