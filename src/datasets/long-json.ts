// A JSON text of many megabytes, parsed in pieces between which other work has its turn: in one go it would hold up everything else of the process.

import { setImmediate } from 'node:timers/promises';
import {
  backslash,
  carriageReturn,
  closeBrace,
  closeBracket,
  comma,
  openBrace,
  openBracket,
  quote,
  space,
  tab,
} from './json-characters.ts';
import { Numeral, parseJson, writeJson } from './numerals.ts';
import { pieceLength } from './text-pieces.ts';

/** What lies deeper is parsed in one go: each level reads what is below it once more. */
const deepest = 12;

/** The value of the text. Throws SyntaxError. */
export async function parseLongJson(text: string): Promise<unknown> {
  return await parseAt(text.length <= pieceLength ? text : await withoutWideGaps(text), 0);
}

async function parseAt(text: string, depth: number): Promise<unknown> {
  if (text.length <= pieceLength || depth === deepest) return parseJson(text);
  const start = text.search(/\S/);
  const first = text[start];
  if (first === '"') return await parseString(text.trim());
  if (first !== '[' && first !== '{') {
    // No number, word or name is as long.
    throw new SyntaxError(
      `expected a value, found ${JSON.stringify(text.trim().slice(0, 20))} and ${text.length} characters in all`,
    );
  }
  const values: unknown[] = [];
  const entries: [string, unknown][] = [];
  for (const stretch of stretchesOf(text, start)) {
    await setImmediate();
    if (stretch === null) continue;
    if (first === '[') {
      if (stretch.long) values.push(await parseAt(stretch.text, depth + 1));
      else for (const value of parseJson(`[${stretch.text}]`) as unknown[]) values.push(value);
    } else if (stretch.long) {
      const [name, value] = splitEntry(stretch.text);
      entries.push([name, await parseAt(value, depth + 1)]);
    } else for (const entry of Object.entries(parseJson(`{${stretch.text}}`) as object)) entries.push(entry);
  }
  return first === '[' ? values : Object.fromEntries(entries);
}

/** Blanks between two tokens that are left alone: no indentation is as wide. */
const widestGap = 4_096;

/** The text with only the start of each gap that is wider: such a gap would be gone through in one go by whatever looks for what follows it. */
async function withoutWideGaps(text: string): Promise<string> {
  const kept: string[] = [];
  let quoted = false;
  let from = 0;
  let gap = 0;
  let paused = 0;
  for (let i = 0; i < text.length; i++) {
    if (i - paused >= pieceLength) {
      await setImmediate();
      paused = i;
    }
    const code = text.charCodeAt(i);
    const blank = !quoted && (code === space || (code >= tab && code <= carriageReturn));
    if (!blank && i - gap > widestGap) {
      kept.push(text.slice(from, gap + widestGap));
      from = i;
    }
    if (!blank) gap = i + 1;
    if (quoted && code === backslash) gap = ++i + 1;
    else if (code === quote) quoted = !quoted;
  }
  const end = text.length - gap > widestGap ? gap + widestGap : text.length;
  return kept.length === 0 && end === text.length ? text : kept.join('') + text.slice(from, end);
}

/** One long element of an array or object, or short ones with the commas between them. */
interface Stretch {
  text: string;
  long: boolean;
}

/** What stands between the brackets of the array or object that opens at `start`; null only says that a piece was looked through. */
function* stretchesOf(text: string, start: number): Generator<Stretch | null> {
  let depth = 0;
  let quoted = false;
  let from = start + 1;
  let element = from;
  let paused = from;
  for (let i = start; i < text.length; i++) {
    if (i - paused >= pieceLength) {
      yield null;
      paused = i;
    }
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === backslash) i++;
      else if (code === quote) quoted = false;
      continue;
    }
    if (code === quote) quoted = true;
    else if (code === openBrace || code === openBracket) depth++;
    else if (code === closeBrace || code === closeBracket) depth--;
    const closes = depth === 0;
    if (!closes && !(depth === 1 && code === comma)) continue;
    if (i - element > pieceLength) {
      if (element > from) yield { text: text.slice(from, element - 1), long: false };
      yield { text: text.slice(element, i), long: true };
      from = i + 1;
    } else if (closes || i - from >= pieceLength) {
      yield { text: text.slice(from, i), long: false };
      from = i + 1;
    }
    element = i + 1;
    if (!closes) continue;
    if (/\S/.test(text.slice(i + 1))) throw new SyntaxError('expected one value, the text goes on after its end');
    return;
  }
  throw new SyntaxError('expected one complete value, the text ends too early');
}

/** `"name": value`. */
function splitEntry(entry: string): [string, string] {
  const [start = '', name] = /^\s*("(?:[^"\\]|\\.)*")\s*:/.exec(entry) ?? [];
  if (name === undefined) throw new SyntaxError(`expected a field with its name, found ${JSON.stringify(entry.slice(0, 40))}`);
  return [JSON.parse(name), entry.slice(start.length)];
}

/** A quoted text, cut where no escape is cut. */
async function parseString(quoted: string): Promise<string> {
  const end = quoted.length - 1;
  if (quoted[end] !== '"') throw new SyntaxError('expected a text that ends with a quote');
  let text = '';
  for (let from = 1; from < end; ) {
    const to = Math.min(end, cutAfter(quoted, from, from + pieceLength));
    text += JSON.parse(`"${quoted.slice(from, to)}"`);
    from = to;
    await setImmediate();
  }
  return text;
}

/** The first place at or behind `wanted` that lies in no escape, `from` being such a place. */
function cutAfter(quoted: string, from: number, wanted: number): number {
  const piece = quoted.slice(from, wanted);
  let at = 0;
  for (let slash = piece.indexOf('\\'); slash !== -1; slash = piece.indexOf('\\', at)) {
    at = slash + (quoted[from + slash + 1] === 'u' ? 6 : 2);
  }
  return Math.max(wanted, from + at);
}

/** Elements of an array written in one go. */
const elementsAtOnce = 500;

/** The value as writeJson writes it, with the same consideration for others. */
export async function writeLongJson(value: unknown): Promise<string> {
  let text = '';
  let since = 0;
  for (const piece of written(value, 0)) {
    text += piece;
    since += piece.length;
    if (since < pieceLength) continue;
    await setImmediate();
    since = 0;
  }
  return text;
}

function* written(value: unknown, depth: number): Generator<string> {
  if (typeof value !== 'object' || value === null || value instanceof Numeral || depth === deepest) yield writeJson(value);
  else if (Array.isArray(value)) {
    yield '[';
    const whole = value.length > elementsAtOnce ? elementsAtOnce : 1;
    for (let from = 0; from < value.length; from += whole) {
      if (from > 0) yield ',';
      if (whole > 1) yield writeJson(value.slice(from, from + whole)).slice(1, -1);
      else yield* written(value[from], depth + 1);
    }
    yield ']';
  } else {
    yield '{';
    for (const [i, [name, field]] of Object.entries(value).entries()) {
      yield `${i === 0 ? '' : ','}${JSON.stringify(name)}:`;
      yield* written(field, depth + 1);
    }
    yield '}';
  }
}
