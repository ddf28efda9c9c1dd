// Cuts one large JSON array or object into its elements while it streams by, so that a file of any size needs the memory of one element.
// Looks only at brackets, quotes and commas; whether an element is good JSON is for JSON.parse to say.

import { setImmediate } from 'node:timers/promises';
import { Stint } from '../event-loop.ts';
import { inTurns, lineWork, maxRecordLength, tooLong } from '../files/lines.ts';
import { backslash, closeBrace, closeBracket, comma, newline, openBrace, openBracket, quote, space } from './json-characters.ts';

/** Source of one element, `value` of an array or `"key": value` of an object, and the line it starts on. */
export interface JsonElement {
  text: string;
  line: number;
}

/** What follows the last element; `complete` is false when the input ends before the closing bracket or goes on after it. */
export interface JsonEnd {
  complete: boolean;
  line: number;
}

/** Elements of the array or object the text consists of, in order; `first` is the number of its first line. What is blank before an element is left out. Throws `invalid_dataset` for an element beyond maxRecordLength. */
export async function* splitJson(chunks: AsyncIterable<string>, first = 1): AsyncGenerator<JsonElement, JsonEnd> {
  let depth = 0;
  let quoted = false;
  let escaped = false;
  let line = first;
  let pending = '';
  let startLine = 0;
  let ended = false;
  let trailing = false;
  const stint = new Stint();
  for await (const chunk of inTurns(chunks, stint)) {
    let from = 0;
    for (let i = 0; i < chunk.length; i++) {
      const code = chunk.charCodeAt(i);
      if (code === newline) line++;
      if (quoted) {
        if (escaped) escaped = false;
        else if (code === backslash) escaped = true;
        else if (code === quote) quoted = false;
        continue;
      }
      if (code <= space) continue;
      if (ended) trailing = true;
      const inside = depth > 0;
      if (code === quote) quoted = true;
      else if (code === openBrace || code === openBracket) depth++;
      else if (code === closeBrace || code === closeBracket) depth--;
      const closes = inside && depth === 0;
      if (closes || (depth === 1 && code === comma)) {
        const text = pending + chunk.slice(from, i);
        if (startLine > 0 || !closes) yield { text, line: startLine || line };
        if (stint.isOver(lineWork)) await setImmediate();
        pending = '';
        startLine = 0;
        from = i + 1;
        ended ||= closes;
      } else if (!inside) from = i + 1;
      else if (startLine === 0) {
        startLine = line;
        from = i;
      }
    }
    if (startLine > 0) pending += chunk.slice(from);
    if (pending.length > maxRecordLength) throw tooLong(`the element that starts on line ${startLine || line}`);
  }
  return { complete: ended && !trailing, line };
}
