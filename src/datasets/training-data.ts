// The data of a training run: stored datasets, uploaded files or files on disk, written as two snapshots into the run folder, with the attributes
// their labels speak of.

import { createHash, type Hash } from 'node:crypto';
import { basename, join } from 'node:path';
import { SteerError } from '../errors.ts';
import { readFile, type StoredFile } from '../files/files.ts';
import { own } from '../own.ts';
import type { AttributeSchema, Label } from '../steerlm/attributes.ts';
import type { Db } from '../store/connect.ts';
import { type Split, splits } from '../store/schema.ts';
import { LabelCensus } from './label-census.ts';
import { type ChosenLabels, countMakers, type LabelPart } from './label-makers.ts';
import { mergeSchemas } from './merge-schemas.ts';
import { type DatasetSource, openFile, readRows } from './read.ts';
import type { Sample, SampleContent } from './sample.ts';
import { type Dataset, type LabelChoice, streamSamples } from './samples.ts';
import { writeSnapshot } from './snapshot.ts';

export interface BadLine {
  /** Name of the file. */
  file: string;
  line: number;
  message: string;
}

/** Where samples come from. It is read twice, once for each side of the split. */
export interface TrainingSource {
  name: string;
  /** Attributes of its labels, where it says. */
  schema: AttributeSchema | null;
  /** Side all its samples take; absent, each takes its own. */
  side?: Split | undefined;
  /** Samples in order. A line that cannot be read is told, or thrown where nobody listens. */
  samples(onBadLine?: (line: BadLine) => void): AsyncIterable<Sample>;
  /** Whose labels count; absent where there are only its own. */
  makers?(part: LabelPart): Promise<ChosenLabels>;
}

export interface TrainingData {
  /** Paths of the snapshots. */
  train: string;
  validation: string;
  /** Samples on either side. */
  counts: Record<Split, number>;
  /** What the samples came from, each with the hash of what was taken from it, labels included. */
  datasets: { name: string; hash: string }[];
  /** Attributes of the labels; null when there are none. */
  schema: AttributeSchema | null;
  /** Labels of the training side by attribute. */
  labelled: ReadonlyMap<string, number>;
  /** Whose labels were taken of the stored datasets. */
  makers: ChosenLabels[];
}

/** A stored dataset. */
export function datasetSource(db: Db, dataset: Dataset, labels: LabelChoice, side?: Split): TrainingSource {
  const { id, name, schema } = dataset;
  return {
    ...{ name, schema, side },
    samples: () => streamSamples(db, id, { labels }),
    makers: (part) => countMakers(db, dataset, labels, part),
  };
}

/** A file on disk, in any format that can be imported. */
export function fileSource(path: string): TrainingSource {
  return { name: basename(path), schema: null, samples: (onBadLine) => readSource(openFile(path), path, onBadLine) };
}

/** An uploaded file, in any format that can be imported. */
export function uploadSource(
  db: Db,
  { id, filename }: StoredFile,
  { side, unpackedBytes }: { side?: Split | undefined; unpackedBytes?: number | undefined } = {},
): TrainingSource {
  const samples: TrainingSource['samples'] = (onBadLine) =>
    readSource({ bytes: readFile(db, id), name: filename }, filename, onBadLine, unpackedBytes);
  return { name: filename, schema: null, side, samples };
}

async function* readSource(
  source: DatasetSource,
  file: string,
  onBadLine?: (line: BadLine) => void,
  unpackedBytes?: number,
): AsyncGenerator<Sample> {
  for await (const row of readRows(source, { unpackedBytes })) {
    if ('samples' in row) yield* row.samples;
    else if (onBadLine) onBadLine({ file, line: row.line, message: row.problem });
    else throw new SteerError('invalid_dataset', `${file}, line ${row.line}: ${row.problem}`);
  }
}

export interface TrainingDataOptions {
  /** Where `train.jsonl` and `validation.jsonl` go. */
  folder: string;
  /** Labels are told in its names and others left out; null takes them as they are. */
  schema: AttributeSchema | null;
  /** First samples of each source; all when absent. */
  maxSamples?: number | undefined;
  onBadLine?: (line: BadLine) => void;
  signal: AbortSignal;
}

/** Writes both snapshots. Throws invalid_config for scales that differ, `cancelled`, and what reading a source throws. */
export async function writeTrainingData(sources: readonly TrainingSource[], options: TrainingDataOptions): Promise<TrainingData> {
  const open = sources.map((source) => ({ ...source, census: new LabelCensus(), hash: createHash('sha256') }));
  const path = (split: Split) => join(options.folder, `${split}.jsonl`);
  const counts = { train: 0, validation: 0 };
  const labelled = new Map<string, number>();
  for (const split of splits) {
    const { samples } = await writeSnapshot(path(split), takeFrom(open, split, options));
    counts[split] = samples;
    if (split !== 'train') continue;
    for (const { census } of open) for (const [name, { labels }] of census.found) add(labelled, name, labels);
  }
  return {
    train: path('train'),
    validation: path('validation'),
    counts,
    datasets: open.map(({ name, hash }) => ({ name, hash: hash.digest('hex') })),
    schema:
      options.schema ??
      mergeSchemas(
        open.flatMap((source) => schemaOf(source) ?? []),
        twoScales,
      ),
    labelled,
    makers: await makersOf(sources, options),
  };
}

function add(counts: Map<string, number>, name: string, more: number): void {
  counts.set(name, more + (counts.get(name) ?? 0));
}

function makersOf(
  sources: readonly TrainingSource[],
  { schema, maxSamples: most }: TrainingDataOptions,
): Promise<ChosenLabels[]> {
  const attributes = schema ? spellingsOf(schema) : undefined;
  return Promise.all(sources.flatMap(({ makers }) => (makers ? [makers({ most, attributes })] : [])));
}

/** The names of all attributes and their aliases. */
export function spellingsOf({ attributes }: AttributeSchema): string[] {
  return attributes.flatMap(({ name, aliases }) => [name, ...aliases]);
}

type OpenSource = TrainingSource & { census: LabelCensus; hash: Hash };

async function* takeFrom(
  sources: OpenSource[],
  split: Split,
  { schema, maxSamples = Number.POSITIVE_INFINITY, onBadLine, signal }: TrainingDataOptions,
): AsyncGenerator<SampleContent> {
  for (const source of sources) {
    if (source.side !== undefined && source.side !== split) continue;
    // Told the first time a source is read.
    const first = source.side !== undefined || split === splits[0];
    let seen = 0;
    for await (const sample of source.samples(onBadLine && (first ? onBadLine : () => {}))) {
      if (signal.aborted) throw new SteerError('cancelled', 'Stopped while reading the data; nothing was trained.');
      if (++seen > maxSamples) break;
      if ((source.side ?? sample.split) !== split) continue;
      const content = schema ? withLabelsOf(schema, sample.content) : sample.content;
      source.census.add(content);
      source.hash.update(`${split} ${JSON.stringify(content)}\n`);
      yield content;
    }
  }
}

/** The sample with labels told in the schema's own names; attributes it lacks are left out. */
export function withLabelsOf(schema: AttributeSchema, content: SampleContent): SampleContent {
  if (content.kind === 'text') return content;
  const named = (label: Label): Label => {
    const kept = schema.attributes.flatMap(({ name, aliases }) => {
      const said = [name, ...aliases].find((spelling) => own(label, spelling) !== undefined);
      return said === undefined ? [] : [[name, label[said]]];
    });
    return Object.fromEntries(kept);
  };
  const { system, turns } = content.conversation;
  return {
    kind: 'conversation',
    conversation: { system, turns: turns.map((turn) => (turn.label ? { ...turn, label: named(turn.label) } : turn)) },
  };
}

function schemaOf({ schema, census, name }: OpenSource): AttributeSchema | null {
  return schema ?? (census.count > 0 ? census.schema(name) : null);
}

function twoScales(attribute: string, [before, now]: [number, number]): SteerError {
  return new SteerError(
    'invalid_config',
    `The data rates ${attribute} on two scales, of ${before} and ${now} levels. Name one schema with --schema.`,
  );
}
