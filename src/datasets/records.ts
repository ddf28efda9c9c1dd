// Text of a file → its records, each with its line: JSON lines, an array, an object of records, a single object, or plain text.
// Knows no format. What cannot be read becomes a problem with its line, and reading goes on where that is possible.
import { SteerError } from '../errors.ts';
import { maxRecordLength, readLines } from '../files/lines.ts';
import { tableRemedy } from './foreign-bytes.ts';
import { type JsonEnd, splitJson } from './json-elements.ts';
import { parseLongJson } from './long-json.ts';
import { parseJson } from './numerals.ts';
import { pieceLength } from './text-pieces.ts';
import { chain } from './text-stream.ts';

export type InputRecord =
  /** `key` is the record's name where the file is one object of records. */
  /** `long` tells of more than can be worked on in one go. */
  { line: number; value: unknown; key: string | null; long?: true } | { line: number; problem: string };

type Container = 'lines' | 'array' | 'object';

/** Records of a JSON text. `name`, when it ends in .jsonl or .ndjson, settles that each line of what is no array is a record. Throws `invalid_dataset`. */
export async function* readRecords(text: AsyncIterable<string>, name = ''): AsyncGenerator<InputRecord> {
  const { container, chunks } = await recognise(text, /\.(jsonl|ndjson)(\.gz)?$/i.test(name));
  if (container === 'lines') yield* readJsonLines(chunks);
  else if (container === 'array') yield* readArray(chunks);
  else yield* readObject(chunks);
}

/** A first line that is JSON by itself means JSON lines; one that merely opens an object means an object spread over lines. */
async function recognise(
  text: AsyncIterable<string>,
  named: boolean,
): Promise<{ container: Container; chunks: AsyncIterable<string> }> {
  const iterator = text[Symbol.asyncIterator]();
  let head = '';
  let container: Container | null = null;
  // What the next piece must hold to tell more: looking at the whole head for every piece would take the square of its length.
  let telling = /\S/;
  while (container === null) {
    const next = await iterator.next();
    const piece = next.done ? '' : next.value;
    head += piece;
    if (next.done || telling.test(piece)) {
      container = containerOf(head.trimStart(), named, next.done === true);
      telling = /\n/;
    } else if (head.length > maxRecordLength) container = 'lines';
  }
  return { container, chunks: chain(head, iterator) };
}

/** null while more text is needed to tell. */
function containerOf(start: string, named: boolean, ended: boolean): Container | null {
  if (start === '') return ended ? 'lines' : null;
  // Also where the name says lines: no record is an array, and people send arrays under any name.
  if (start[0] === '[') return 'array';
  if (named || start[0] !== '{') return 'lines';
  const end = start.indexOf('\n');
  if (end === -1 && !ended) return null;
  const line = (end === -1 ? start : start.slice(0, end)).trimEnd();
  return line.endsWith('}') ? 'lines' : 'object';
}

/** A file of another kind is refused once and with what to do, not line by line. Throws `invalid_dataset`. */
function refuseTable(first: string): void {
  const text = first.trimStart().slice(0, 2_000);
  if (text.startsWith('{')) return;
  const start = JSON.stringify(text.slice(0, 60));
  const table = /[\t;,]/.exec(text.includes('\t') ? '\t' : text)?.[0];
  const kind = table ? `${start}, as of a table (CSV or TSV)` : start;
  const read = table === '\t' ? "pandas.read_csv('rows.tsv', sep='\\t')" : "pandas.read_csv('rows.csv')";
  const remedy = table ? ` For a table: ${tableRemedy(read)}` : '';
  throw new SteerError(
    'invalid_dataset',
    `line 1: expected a JSON object, found ${kind}. Send JSON lines, one JSON array, or plain text under a name that ends in .txt.${remedy}`,
  );
}

/** One line alone may be a whole object of records. */
async function* readJsonLines(chunks: AsyncIterable<string>): AsyncGenerator<InputRecord> {
  let line = 0;
  let first: InputRecord | null = null;
  for await (const text of readLines(chunks)) {
    line++;
    if (text.trim() === '') continue;
    if (first) yield first;
    first = null;
    const record = await parseRecord(text, line);
    if (line === 1 && 'problem' in record) refuseTable(text);
    if (line === 1) first = record;
    else yield record;
  }
  if (first === null) return;
  if (!('value' in first && isMap(first.value))) yield first;
  else for (const [key, value] of Object.entries(first.value)) yield { line: 1, value, key };
}

async function* readArray(chunks: AsyncIterable<string>): AsyncGenerator<InputRecord> {
  const elements = splitJson(chunks);
  let next = await elements.next();
  for (; !next.done; next = await elements.next()) yield await parseRecord(next.value.text, next.value.line);
  yield* checkEnd(next.value);
}

/** Many objects by name are records; anything else is the one record of the file. The first two entries tell. */
async function* readObject(chunks: AsyncIterable<string>): AsyncGenerator<InputRecord> {
  const elements = splitJson(chunks);
  // Without a prototype, so that a record of any name is kept under it.
  const held: Record<string, unknown> = Object.create(null);
  let named: boolean | null = null;
  let next = await elements.next();
  for (let count = 1; !next.done; next = await elements.next(), count++) {
    const { text, line } = next.value;
    const entry = await parseRecord(`{${text}}`, line);
    if ('problem' in entry) {
      yield entry;
      continue;
    }
    Object.assign(held, entry.value);
    named ??= count < 2 ? null : isMap(held);
    if (named !== true) continue;
    for (const [key, value] of Object.entries(held)) {
      yield { line, value, key };
      delete held[key];
    }
  }
  const rest = Object.entries(held);
  if (rest.length > 0 && isMap(held)) for (const [key, value] of rest) yield { line: 1, value, key };
  else if (rest.length > 0) yield { line: 1, value: held, key: null };
  yield* checkEnd(next.value);
}

function* checkEnd({ complete, line }: JsonEnd): Generator<InputRecord> {
  if (!complete) yield { line, problem: 'expected one complete JSON value, the file ends too early or goes on after it' };
}

function isMap(value: unknown): value is Record<string, Record<string, unknown>> {
  return isObject(value) && Object.values(value).every(isObject) && Object.keys(value).length > 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Parsed = { line: number; value: unknown; key: null; long?: true } | { line: number; problem: string };

async function parseRecord(text: string, line: number): Promise<Parsed> {
  try {
    if (text.length <= pieceLength) return { line, value: parseJson(text), key: null };
    return { line, value: await parseLongJson(text), key: null, long: true };
  } catch (error) {
    if (error instanceof RangeError) return { line, problem: 'the record is nested too deeply' };
    return { line, problem: `not JSON: ${(error as Error).message.slice(0, 120)}` };
  }
}

/** Line that ends a document, as several published corpora write it. */
export const documentMark = '<|endoftext|>';
/** A document this long ends at the next blank line, and at twice the length at any line, so that one file is many samples. */
const documentLength = 4_000;

/** Documents of a plain text as `{ text }` records. */
export async function* readDocuments(text: AsyncIterable<string>): AsyncGenerator<InputRecord> {
  let document: string[] = [];
  let length = 0;
  let line = 0;
  let startLine = 1;
  const take = (): InputRecord[] => {
    const whole = document.join('\n').trim();
    const start = startLine;
    document = [];
    length = 0;
    startLine = line + 1;
    return whole === '' ? [] : [{ line: start, value: { text: whole }, key: null }];
  };
  for await (const content of readLines(text)) {
    line++;
    if (content.trim() === documentMark) {
      yield* take();
      continue;
    }
    document.push(content);
    length += content.length + 1;
    if (length > 2 * documentLength || (length > documentLength && content.trim() === '')) yield* take();
  }
  yield* take();
}
