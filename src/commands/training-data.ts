// The data of a training run: datasets of the database or files, written as two snapshots into the run folder, with the attributes their labels
// speak of. Knows no model.
import { createHash, type Hash } from 'node:crypto';
import { basename, join } from 'node:path';
import type { Config } from '../config.ts';
import { LabelCensus } from '../datasets/label-census.ts';
import { readSamples } from '../datasets/read.ts';
import type { Sample, SampleContent } from '../datasets/sample.ts';
import { findDataset, streamSamples } from '../datasets/samples.ts';
import { writeSnapshot } from '../datasets/snapshot.ts';
import { SteerError } from '../errors.ts';
import type { AttributeSchema, Label } from '../steerlm.ts';
import type { Db } from '../store/connect.ts';
import { type Split, splits } from '../store/schema.ts';
import type { TrainingOptions } from './training-options.ts';
import { withStore } from './with-store.ts';

export interface TrainingData {
  /** Paths of the snapshots. */
  train: string;
  validation: string;
  /** What the samples came from, each with the hash of what was taken from it, labels included. */
  datasets: { name: string; hash: string }[];
  /** Attributes of the labels; null when there are none. */
  schema: AttributeSchema | null;
}

interface Source {
  name: string;
  schema: AttributeSchema | null;
  samples(): AsyncIterable<Sample>;
  census: LabelCensus;
  hash: Hash;
}

/**
 * Writes `train.jsonl` and `validation.jsonl` into the run folder. With a schema, labels are told in its names and others left out.
 * Throws invalid_config without a source, and what reading a dataset or file throws.
 */
export async function writeTrainingData(
  config: Config,
  options: TrainingOptions,
  given: AttributeSchema | null,
  runFolder: string,
  signal: AbortSignal,
): Promise<TrainingData> {
  if (options.dataset.length === 0) return await writeBoth(sourcesOf(null, [], options), options, given, runFolder, signal);
  return await withStore(config, async (db) => {
    const found = await Promise.all(options.dataset.map((name) => findDataset(db, name)));
    return await writeBoth(sourcesOf(db, found, options), options, given, runFolder, signal);
  });
}

function sourcesOf(db: Db | null, stored: Awaited<ReturnType<typeof findDataset>>[], options: TrainingOptions): Source[] {
  const fresh = () => ({ census: new LabelCensus(), hash: createHash('sha256') });
  const sources: Source[] = [];
  for (const { id, name, schema } of stored) {
    if (db) sources.push({ name, schema, samples: () => streamSamples(db, id, { labels: options.labels }), ...fresh() });
  }
  for (const path of options.data) {
    sources.push({ name: basename(path), schema: null, samples: () => readSamples(path), ...fresh() });
  }
  if (sources.length > 0) return sources;
  throw new SteerError('invalid_config', 'Expected data to train on: name it with --dataset NAME or --data FILE.');
}

async function writeBoth(
  sources: Source[],
  { maxSamples }: TrainingOptions,
  given: AttributeSchema | null,
  runFolder: string,
  signal: AbortSignal,
): Promise<TrainingData> {
  for (const split of splits) {
    await writeSnapshot(
      join(runFolder, `${split}.jsonl`),
      takeFrom(sources, split, maxSamples ?? Number.POSITIVE_INFINITY, given, signal),
    );
  }
  return {
    train: join(runFolder, 'train.jsonl'),
    validation: join(runFolder, 'validation.jsonl'),
    datasets: sources.map(({ name, hash }) => ({ name, hash: hash.digest('hex') })),
    schema: given ?? mergeSchemas(sources.flatMap((source) => schemaOf(source) ?? [])),
  };
}

async function* takeFrom(
  sources: Source[],
  split: Split,
  maxSamples: number,
  schema: AttributeSchema | null,
  signal: AbortSignal,
): AsyncGenerator<SampleContent> {
  for (const source of sources) {
    let seen = 0;
    for await (const sample of source.samples()) {
      if (signal.aborted) throw new SteerError('cancelled', 'Stopped while reading the data; nothing was trained.');
      if (++seen > maxSamples) break;
      if (sample.split !== split) continue;
      const content = schema ? withLabelsOf(schema, sample.content) : sample.content;
      source.census.add(content);
      source.hash.update(`${split} ${JSON.stringify(content)}\n`);
      yield content;
    }
  }
}

/** The sample with labels told in the schema's own names; attributes it lacks are left out. */
function withLabelsOf(schema: AttributeSchema, content: SampleContent): SampleContent {
  if (content.kind === 'text') return content;
  const named = (label: Label): Label => {
    const kept = schema.attributes.flatMap(({ name, aliases }) => {
      const said = [name, ...aliases].find((spelling) => label[spelling] !== undefined);
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

function schemaOf({ schema, census, name }: Source): AttributeSchema | null {
  return schema ?? (census.count > 0 ? census.schema(name) : null);
}

/** Attributes of all sources by name, in order of appearance. Throws invalid_config when two scales differ; null without any. */
export function mergeSchemas(schemas: AttributeSchema[]): AttributeSchema | null {
  const spelled = schemas.map((schema) => JSON.stringify(schema));
  const distinct = schemas.filter((_, i) => spelled.indexOf(spelled[i]!) === i);
  if (distinct.length <= 1) return distinct[0] ?? null;
  const attributes = new Map<string, AttributeSchema['attributes'][number]>();
  for (const attribute of distinct.flatMap((schema) => schema.attributes)) {
    const known = attributes.get(attribute.name);
    if (known && known.levels.length !== attribute.levels.length) {
      throw new SteerError(
        'invalid_config',
        `The data rates ${attribute.name} on two scales, of ${known.levels.length} and ${attribute.levels.length} levels. Name one schema with --schema.`,
      );
    }
    if (!known) attributes.set(attribute.name, attribute);
  }
  return { name: distinct.map(({ name }) => name).join('+'), version: 1, attributes: [...attributes.values()] };
}
