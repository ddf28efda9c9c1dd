// A JSON text of many megabytes, parsed in pieces between which other work has its turn: in one go it would hold up everything else of the process.
import { setImmediate } from 'node:timers/promises';
import { splitJson } from './json-elements.ts';
import { parseJson } from './numerals.ts';
import { inPieces, pieceLength } from './text-pieces.ts';

/** What lies deeper is parsed in one go: each level reads what is below it once more. */
const deepest = 12;

/** The value of the text. Throws SyntaxError. */
export async function parseLongJson(text: string, depth = 0): Promise<unknown> {
  if (text.length <= pieceLength || depth === deepest) return parseJson(text);
  const first = /\S/.exec(text)?.[0];
  if (first === '"') return await parseString(text.trim());
  if (first === '[') {
    const values: unknown[] = [];
    for await (const element of elementsOf(text)) values.push(await parseLongJson(element, depth + 1));
    return values;
  }
  if (first !== '{') return parseJson(text);
  const entries: [string, unknown][] = [];
  for await (const element of elementsOf(text)) {
    const [name, value] = splitEntry(element);
    entries.push([name, await parseLongJson(value, depth + 1)]);
  }
  return Object.fromEntries(entries);
}

async function* elementsOf(text: string): AsyncGenerator<string> {
  const elements = splitJson(slowly(text));
  let next = await elements.next();
  for (; !next.done; next = await elements.next()) yield next.value.text;
  if (!next.value.complete) throw new SyntaxError('expected one complete value, it ends too early or goes on after its end');
}

async function* slowly(text: string): AsyncGenerator<string> {
  for (const piece of inPieces(text)) {
    yield piece;
    await setImmediate();
  }
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
