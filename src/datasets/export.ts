// Writes a dataset to a file or a stream in any format that can be written, sample by sample.
// A file appears under its name only when it is whole.
import { open, rename, rm } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { SteerError } from '../errors.ts';
import { onOneLine } from '../json-line.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { Db } from '../store/connect.ts';
import type { Split } from '../store/schema.ts';
import type { Format } from './formats/format.ts';
import { type FormatName, formatNames, formats } from './formats/table.ts';
import { type ChosenLabels, countMakers } from './label-makers.ts';
import { writeJson } from './numerals.ts';
import { otherFields } from './record-fields.ts';
import { documentMark } from './records.ts';
import type { Sample } from './sample.ts';
import { type Dataset, findDataset, type LabelChoice, streamSamples } from './samples.ts';

export interface ExportChoice {
  /** Name, version or id. */
  dataset: string;
  format: FormatName;
  split?: Split | undefined;
  labels?: LabelChoice | undefined;
}

export interface ExportOptions extends ExportChoice {
  /** A path ending in .gz is packed; .json is written as an array, .txt as text, .jsonl, .ndjson and no ending as one record per line. */
  output: { path: string } | { stream: Writable };
}

export interface ExportReport {
  samples: number;
  /** Records written. */
  rows: number;
  /** Values of attributes in them. */
  labels: number;
  /** Labels the format has no room for, by attribute. */
  left: ReadonlyMap<string, number>;
  /** Whose labels were taken. */
  makers: ChosenLabels;
}

/**
 * Exports a dataset. Throws `not_found`; `invalid_request` for a format that is only read or that holds none of the labels, and for a path that names
 * another; `invalid_dataset` for a sample it cannot hold.
 */
export async function exportDataset(db: Db, options: ExportOptions): Promise<ExportReport> {
  const { output } = options;
  const written = nothingWritten();
  const path = 'path' in output ? output.path : '';
  const text = Readable.from(layOut(records(db, options, written), layoutOf(path, options.format)), { objectMode: false });
  if ('stream' in output) {
    await pipeline(text, output.stream);
    return { ...written, makers: await makersOfExport(db, options) };
  }
  const unfinished = `${path}.part`;
  try {
    // Opened before the first row is read: a stream that opens by itself may do so after a failure has cleaned up.
    const file = (await open(unfinished, 'w')).createWriteStream();
    await (path.endsWith('.gz') ? pipeline(text, createGzip(), file) : pipeline(text, file));
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true });
    if (cause instanceof SteerError) throw cause;
    throw new SteerError('invalid_request', `Cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
  return { ...written, makers: await makersOfExport(db, options) };
}

/** Whose labels an export takes. Throws `not_found`. */
export async function makersOfExport(db: Db, { dataset, split, labels = 'latest' }: ExportChoice): Promise<ChosenLabels> {
  return await countMakers(db, await findDataset(db, dataset), labels, { split });
}

/** The records as text, one per line. Reading throws what exportDataset throws, a format that is only read before the first line. */
export function readExport(db: Db, choice: ExportChoice): AsyncGenerator<string> {
  return layOut(records(db, choice, nothingWritten()), 'lines');
}

type Written = Pick<ExportReport, 'samples' | 'rows' | 'labels'> & { left: Map<string, number> };

function nothingWritten(): Written {
  return { samples: 0, rows: 0, labels: 0, left: new Map() };
}

async function* records(db: Db, options: ExportChoice, written: Written): AsyncGenerator<unknown> {
  const { render } = formats[options.format];
  if (render === null) {
    throw new SteerError(
      'invalid_request',
      `The format ${options.format} is only read. Export as ${writableFormats.join(', ')}.`,
      {
        details: { param: 'format' },
      },
    );
  }
  const dataset = await findDataset(db, options.dataset);
  await refuseLosingAll(db, dataset, options);
  const { id, schema } = dataset;
  for await (const sample of streamSamples(db, id, { ...options, whole: true })) {
    const rows = namingSample(sample.position, () => render(sample, schema));
    written.samples++;
    written.rows += rows.length;
    countLabels(written, sample, options.format);
    for (const row of rows) yield withRecord(sample, row, options.format);
  }
}

const writableFormats = formatNames.filter((name) => formats[name].render !== null);

/** Formats that have room for labels of any attribute. */
export const roomyFormats = writableFormats.filter((name) => !holdsOf(name) && name !== 'text');

function holdsOf(name: FormatName): AttributeSchema | undefined {
  return (formats[name] as Format).holds;
}

/** Throws `invalid_request` where there are labels and the format has room for none of them. */
async function refuseLosingAll(db: Db, dataset: Dataset, { format, split, labels = 'latest' }: ExportChoice): Promise<void> {
  const held = holdsOf(format)?.attributes.map(({ name }) => name);
  if (held === undefined) return;
  const count = async (attributes?: string[]) => (await countMakers(db, dataset, labels, { split, attributes })).counted.length;
  if ((await count(held)) > 0 || (await count()) === 0) return;
  const message = `${format} has room for ${held.join(', ')} alone, and no label of ${dataset.name} is of these: all would be lost. Export as ${roomyFormats.join(', ')}.`;
  throw new SteerError('invalid_request', message, { details: { param: 'format' } });
}

function countLabels(written: Written, { content }: Sample, format: FormatName): void {
  if (content.kind !== 'conversation') return;
  const held = holdsOf(format)?.attributes.map(({ name }) => name);
  for (const name of content.conversation.turns.flatMap(({ label }) => Object.keys(label ?? {}))) {
    if (held === undefined || held.includes(name)) written.labels++;
    else written.left.set(name, (written.left.get(name) ?? 0) + 1);
  }
}

/** The record with what is said of the sample in any format, and with the fields nobody here knows; none of these takes the place of another. */
export function withRecord(
  { preference, fields }: Sample,
  row: Record<string, unknown>,
  format: FormatName,
): Record<string, unknown> {
  const mark = preference && format !== 'preference' ? { preference } : {};
  return { ...row, ...mark, ...otherFields(fields?.record ?? {}, [...Object.keys(row), ...formats[format].fields]) };
}

function namingSample<T>(position: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof SteerError)) throw error;
    throw new SteerError(error.code, `Sample ${position} does not fit the format: ${error.message}. Nothing was written.`);
  }
}

type Layout = 'lines' | 'array' | 'documents';

/** By the ending of the path. Throws `invalid_request` for one that says what is not written, so that nobody is misled when the file is read. */
function layoutOf(path: string, format: FormatName): Layout {
  const ending = extname(basename(path).replace(/\.gz$/i, '')).toLowerCase();
  if (ending === '.json') return 'array';
  if (ending === '.txt' && format === 'text') return 'documents';
  if (['', '.jsonl', '.ndjson'].includes(ending)) return 'lines';
  const asked =
    ending === '.txt'
      ? `${path} is the name of a plain text, and ${format} is written as JSON`
      : `${path} ends in ${ending}, which is not written`;
  throw new SteerError(
    'invalid_request',
    `${asked}. End the name in .jsonl (one record per line) or .json (an array), or in .txt for --format text; .gz may follow. Formats: ${writableFormats.join(', ')}.`,
  );
}

/** Characters handed on at once: a stream takes as long over a short text as over a long one. */
const textLength = 64 * 1024;

async function* layOut(rows: AsyncIterable<unknown>, layout: Layout): AsyncGenerator<string> {
  let text = layout === 'array' ? '[\n' : '';
  let first = true;
  for await (const row of rows) {
    if (layout === 'documents') text += `${(row as { text: string }).text}\n${documentMark}\n`;
    else if (layout === 'lines') text += `${onOneLine(writeJson(row))}\n`;
    else text += `${first ? '' : ',\n'}${onOneLine(writeJson(row))}`;
    first = false;
    if (text.length < textLength) continue;
    yield text;
    text = '';
  }
  if (layout === 'array') text += '\n]\n';
  if (text !== '') yield text;
}
