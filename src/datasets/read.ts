// A file or stream → samples, row by row, without a database: text, records, format, settled samples.
// Import stores what comes out of here; benches read it directly.
import { createReadStream } from 'node:fs';
import { SteerError } from '../errors.ts';
import { giveWay } from '../event-loop.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import { detectFormat, formatOfName } from './detect.ts';
import { type Format, untrained } from './formats/format.ts';
import { type FormatName, formats } from './formats/table.ts';
import { writeLongJson } from './long-json.ts';
import { type Fields, otherFields } from './record-fields.ts';
import { checkRecordSize, checkSampleSize } from './record-size.ts';
import { type InputRecord, readDocuments, readRecords } from './records.ts';
import { type ParsedSample, preferences, promptKeySlowly, type Sample, type SampleContent } from './sample.ts';
import { settle } from './settle.ts';
import { readText, type TextOptions } from './text-stream.ts';

export interface DatasetSource {
  bytes: AsyncIterable<Uint8Array>;
  /** Name or path of the file, for what its ending tells; may be empty. */
  name: string;
}

export interface ReadOptions extends TextOptions {
  /** Detected when absent. */
  format?: FormatName | undefined;
  /** Labels are checked against it; absent, the format's own schema is. */
  schema?: AttributeSchema | undefined;
  validationShare?: number | undefined;
}

/** One record of the input: its samples, or what is wrong with it. */
export type Row = { line: number; format: FormatName; samples: Sample[] } | { line: number; problem: string };

/** A file as a source; it is opened when the first byte is asked for. */
export function openFile(path: string): DatasetSource {
  return { bytes: readBytes(path), name: path };
}

async function* readBytes(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: 2 ** 18 });
}

/** Rows in input order. Throws `invalid_dataset` when the format cannot be told or the bytes cannot be read further, and what readText throws. */
export async function* readRows(source: DatasetSource, options: ReadOptions = {}): AsyncGenerator<Row> {
  const { name } = source;
  let format = options.format ?? formatOfName(name);
  const text = readText(readable(source), options);
  // A file that is text by its name alone may be records all the same, which somebody named so.
  const textByName = options.format === undefined && format === 'text';
  const documents = format === 'text' && !/\.(jsonl?|ndjson)(\.gz)?$/i.test(name);
  for await (const record of documents ? readDocuments(text) : readRecords(text, name)) {
    if ('problem' in record) yield record;
    else {
      if (textByName) refuseRecord(record, name);
      format ??= atLine(record.line, () => detectFormat(record.value));
      yield await readRow(record, format, options);
    }
  }
}

/** Throws `invalid_dataset` for a text that begins with a JSON object on a line. */
function refuseRecord({ line, value }: { line: number; value: unknown }, name: string): void {
  const [first = ''] = (value as { text: string }).text.split('\n', 1);
  if (!first.startsWith('{') || !isJson(first)) return;
  throw new SteerError(
    'invalid_dataset',
    `line ${line}: expected plain text, as the name ${name} says, found a JSON record. Name the file .jsonl, or name the format; text takes it as it stands.`,
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Samples of a file with their labels, in input order; nothing is stored.
 * Throws `invalid_dataset` at the first bad line, naming it, or `not_found` when there is no such file.
 */
export async function* readSamples(path: string, options: ReadOptions = {}): AsyncGenerator<Sample> {
  for await (const row of readRows(openFile(path), options)) {
    if ('problem' in row) throw new SteerError('invalid_dataset', `${path}, line ${row.line}: ${row.problem}`);
    yield* row.samples;
  }
}

async function readRow(record: Extract<InputRecord, { value: unknown }>, name: FormatName, options: ReadOptions): Promise<Row> {
  const format = formats[name];
  const schema = options.schema ?? format.schema;
  try {
    checkRecordSize(record.value, format.fields);
    const parsed = format.parse(record.value, record.key, schema).map((sample) => withRecord(sample, record.value, format));
    if (record.long) for (const sample of parsed) await prepare(sample);
    const samples: Sample[] = [];
    for (const sample of parsed) {
      // A tree may give thousands.
      await giveWay();
      samples.push(settle(sample, schema, options.validationShare));
      checkSampleSize(samples.at(-1)!);
    }
    return { line: record.line, format: name, samples };
  } catch (error) {
    return { line: record.line, problem: reasonOf(error) };
  }
}

/** What settling a long sample would work out in one go. */
async function prepare(sample: ParsedSample): Promise<void> {
  sample.conversationId ??= await promptKeySlowly(sample.content);
  if (sample.fields) sample.fieldsText = await writeLongJson(sample.fields);
}

/** The sample with what a record of any format may say of itself: that it is context alone, that it was preferred, and fields nobody here knows. */
function withRecord(sample: ParsedSample, record: unknown, { fields: known, namesRecords }: Format): ParsedSample {
  const said = record as Fields;
  const marked = preferences.find((each) => each === said.preference);
  const judged = sample.preference || marked ? undefined : judgedIn(sample, said, known);
  const preference = sample.preference ?? marked ?? judged?.preference;
  const standsIn = namesRecords && typeof said.id === 'string' && said.id === said.conversation_id;
  const others = otherFields(said, [
    ...known,
    ...(marked ? ['preference'] : []),
    ...(judged ? [judged.field] : []),
    ...(said.weight === 0 ? ['weight'] : []),
    ...(standsIn ? ['id'] : []),
  ]);
  const { content } = sample;
  const turned = said.weight === 0 || judged ? contextOf(content, judged?.preference === 'chosen' && said.weight !== 0) : content;
  return {
    ...sample,
    content: turned,
    ...(preference && { preference }),
    ...(others && { fields: { ...sample.fields, record: others } }),
  };
}

/** Names under which KTO says of a conversation whether its last reply is a good one: TRL's and that of LLaMA-Factory. */
const judgements = ['label', 'kto_tag'];

/** Such a field of the record, where its format knows none and it is of a conversation that ends with a reply. */
function judgedIn(
  { content }: ParsedSample,
  record: Fields,
  known: readonly string[],
): { field: string; preference: 'chosen' | 'rejected' } | undefined {
  if (content.kind !== 'conversation' || content.conversation.turns.at(-1)?.role !== 'assistant') return undefined;
  const field = judgements.find((name) => !known.includes(name) && typeof record[name] === 'boolean');
  return field === undefined ? undefined : { field, preference: record[field] ? 'chosen' : 'rejected' };
}

/** The replies as context alone, but for the last one where that is learnt. */
function contextOf(content: SampleContent, lastLearnt: boolean): SampleContent {
  if (content.kind !== 'conversation') return content;
  const { turns, ...rest } = content.conversation;
  const context = turns.map((turn, i) => (lastLearnt && i === turns.length - 1 ? turn : untrained(turn)));
  return { ...content, conversation: { ...rest, turns: context } };
}

/** A label outside its schema fails with a code of its own; in a file all of these are reasons why a line is bad. */
function reasonOf(error: unknown): string {
  if (error instanceof SteerError) return error.message;
  // What follows a value into its depth does so by calls within calls.
  if (error instanceof RangeError) return 'the record is nested too deeply';
  throw error;
}

function atLine<T>(line: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new SteerError('invalid_dataset', `line ${line}: ${reasonOf(error)}`);
  }
}

async function* readable({ bytes, name }: DatasetSource): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (cause) {
    if (cause instanceof SteerError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new SteerError('not_found', `There is no file ${name}.`, { cause });
    if (code === 'EISDIR') throw new SteerError('invalid_dataset', `Expected a file, ${name} is a folder.`, { cause });
    throw new SteerError('invalid_dataset', `Cannot read ${name}: ${message}`, { cause });
  }
}
