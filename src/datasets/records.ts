// Text of a file → its records, each with its line: JSON lines, an array, an object of records, a single object, or plain text.
// What cannot be read becomes a problem with its line, and reading goes on where that is possible.
import { SteerError } from '../errors.ts';
import { firstFilled, inTurns, type Line, LineReader, maxRecordLength, readFilledLines } from '../files/lines.ts';
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
  const { container, chunks, line } = await recognise(inTurns(text), /\.(jsonl|ndjson)(\.gz)?$/i.test(name));
  if (container === 'lines') yield* readJsonLines(chunks, line);
  else if (container === 'array') yield* readArray(chunks, line);
  else yield* readObject(chunks, line);
}

interface Recognised {
  container: Container;
  /** The text from its first character that is not blank on. */
  chunks: AsyncIterable<string>;
  /** Where that stands. */
  line: number;
}

/** A first line that is JSON by itself means JSON lines; one that merely opens an object means an object spread over lines. */
async function recognise(text: AsyncIterable<string>, named: boolean): Promise<Recognised> {
  const iterator = text[Symbol.asyncIterator]();
  const { start, line } = await skipBlank(iterator);
  const settled = (container: Container, taken: string[]) => ({ container, chunks: chain(taken, iterator), line });
  // Also where the name says lines: no record is an array, and people send arrays under any name.
  if (start[0] === '[') return settled('array', [start]);
  if (named || start[0] !== '{') return settled('lines', [start]);
  const taken: string[] = [];
  let length = 0;
  let last = '';
  for (let piece: string | undefined = start; piece !== undefined; ) {
    taken.push(piece);
    length += piece.length;
    const end = piece.indexOf('\n');
    // Piece by piece: looking at all that was taken for each would take the square of its length.
    last = (end === -1 ? piece : piece.slice(0, end)).trimEnd().at(-1) ?? last;
    if (end !== -1) break;
    if (length > maxRecordLength) return settled('lines', taken);
    const next: IteratorResult<string> = await iterator.next();
    piece = next.done ? undefined : next.value;
  }
  return settled(last === '}' ? 'lines' : 'object', taken);
}

/** What comes first and is not blank, and the line it stands on; nothing before it is held. */
async function skipBlank(iterator: AsyncIterator<string>): Promise<{ start: string; line: number }> {
  let line = 1;
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    const { at, newlines } = firstFilled(next.value, 0);
    line += newlines;
    if (at < next.value.length) return { start: next.value.slice(at), line };
  }
  return { start: '', line };
}

/** A file of another kind is refused once and with what to do, not line by line. Throws `invalid_dataset`. */
function refuseTable({ text: first, line }: Line): void {
  const text = first.slice(0, 2_000);
  if (text.startsWith('{')) return;
  const start = JSON.stringify(text.slice(0, 60));
  const table = /[\t;,]/.exec(text.includes('\t') ? '\t' : text)?.[0];
  const kind = table ? `${start}, as of a table (CSV or TSV)` : start;
  const read = table === '\t' ? "pandas.read_csv('rows.tsv', sep='\\t')" : "pandas.read_csv('rows.csv')";
  const remedy = table ? ` For a table: ${tableRemedy(read)}` : '';
  throw new SteerError(
    'invalid_dataset',
    `line ${line}: expected a JSON object, found ${kind}. Send JSON lines, one JSON array, or plain text under a name that ends in .txt.${remedy}`,
  );
}

/** One line alone may be a whole object of records. */
async function* readJsonLines(chunks: AsyncIterable<string>, start: number): AsyncGenerator<InputRecord> {
  let records = 0;
  let first: InputRecord | null = null;
  for await (const filled of readFilledLines(chunks, start)) {
    if (first) yield first;
    first = null;
    const record = await parseRecord(filled.text, filled.line);
    if (++records > 1) yield record;
    else if ('problem' in record) {
      refuseTable(filled);
      yield record;
    } else first = record;
  }
  if (first === null) return;
  if (!('value' in first && isMap(first.value))) yield first;
  else for (const [key, value] of Object.entries(first.value)) yield { line: first.line, value, key };
}

async function* readArray(chunks: AsyncIterable<string>, start: number): AsyncGenerator<InputRecord> {
  const elements = splitJson(chunks, start);
  let next = await elements.next();
  for (; !next.done; next = await elements.next()) yield await parseRecord(next.value.text, next.value.line);
  yield* checkEnd(next.value);
}

/** Many objects by name are records; anything else is the one record of the file. The first two entries tell. */
async function* readObject(chunks: AsyncIterable<string>, start: number): AsyncGenerator<InputRecord> {
  const elements = splitJson(chunks, start);
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
  if (rest.length > 0 && isMap(held)) for (const [key, value] of rest) yield { line: start, value, key };
  else if (rest.length > 0) yield { line: start, value: held, key: null };
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
  const reader = new LineReader(text);
  try {
    yield* documentsOf(reader);
  } finally {
    await reader.close();
  }
}

async function* documentsOf(reader: LineReader): AsyncGenerator<InputRecord> {
  let document: string[] = [];
  let length = 0;
  let startLine = 1;
  const take = (): InputRecord[] => {
    const whole = document.join('\n').trim();
    document = [];
    length = 0;
    return whole === '' ? [] : [{ line: startLine, value: { text: whole }, key: null }];
  };
  // No document begins or ends with a blank line.
  const read = () => (document.length === 0 ? reader.nextFilled() : reader.next());
  for (let next = await read(); next; next = await read()) {
    const { text: content, line } = next;
    if (content.trim() === documentMark) {
      yield* take();
      continue;
    }
    if (document.length === 0) startLine = line;
    document.push(content);
    length += content.length + 1;
    if (length > 2 * documentLength || (length > documentLength && content.trim() === '')) yield* take();
  }
  yield* take();
}
