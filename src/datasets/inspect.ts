// What a dataset holds, in figures: rows, splits, turns, duplicates, and for each attribute and source how many turns are labelled and how. Counts in
// the database, a slice of samples at a time.
import { setImmediate } from 'node:timers/promises';
import { and, count, eq, gte, lt, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db } from '../store/connect.ts';
import { type LabelSource, labelSources, labels, samples } from '../store/schema.ts';
import { DistinctCount } from './distinct-count.ts';
import type { Dataset } from './samples.ts';

export interface LabelFigures {
  attribute: string;
  source: LabelSource;
  /** Turns with at least one label of this source. */
  turns: number;
  /** Labels; several raters may label one turn. */
  labels: number;
  /** Mean of their values. */
  mean: number;
  /** Labels by level, from 0. */
  levels: number[];
}

export interface DatasetFigures {
  samples: number;
  /** Samples that are plain text. */
  texts: number;
  train: number;
  validation: number;
  turns: number;
  /** Turns of the assistant: those that can be labelled. */
  replies: number;
  /** Samples whose content came up before. */
  duplicates: number;
  /** By attribute, then source. */
  labels: LabelFigures[];
}

/** Samples looked at by one statement: an embedded database holds up the whole process for as long as that takes, and then it is others' turn. */
const sliceSamples = 1_000;

/** Goes through a dataset once. Throws `cancelled`. */
export async function inspectDataset(db: Db, dataset: Dataset, signal: AbortSignal): Promise<DatasetFigures> {
  const total = { samples: 0, texts: 0, train: 0, validation: 0, turns: 0, replies: 0 };
  const tally = new LabelTally(dataset);
  const contents = new DistinctCount();
  for (let from = 0; from < dataset.sampleCount; from += sliceSamples) {
    if (signal.aborted) throw new SteerError('cancelled', 'The caller went away.');
    const slice = await countSamples(db, dataset.id, from);
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += slice[key];
    tally.add(await countLabels(db, dataset.id, from));
    const hashed = await db.select({ hash: samples.contentHash }).from(samples).where(sliceOf(dataset.id, from));
    for (const { hash } of hashed) contents.addHash(hash);
    await setImmediate();
  }
  return { ...total, duplicates: total.samples - contents.count, labels: tally.finish() };
}

/** Turns of a dataset that one revision of a predictor has labelled. */
export async function countLabelledBy(db: Db, dataset: Dataset, author: string, revision: string): Promise<number> {
  let turns = 0;
  for (let from = 0; from < dataset.sampleCount; from += sliceSamples) {
    const [slice] = await db
      .select({ turns: labelledTurns })
      .from(labels)
      .innerJoin(samples, eq(samples.id, labels.sampleId))
      .where(
        and(sliceOf(dataset.id, from), eq(labels.source, 'model'), eq(labels.author, author), eq(labels.revision, revision)),
      );
    turns += slice?.turns ?? 0;
    await setImmediate();
  }
  return turns;
}

const labelledTurns = sql<number>`(count(distinct (${labels.sampleId}, ${labels.turn})))::int`;

function sliceOf(datasetId: string, from: number) {
  return and(eq(samples.datasetId, datasetId), gte(samples.position, from), lt(samples.position, from + sliceSamples));
}

async function countSamples(db: Db, datasetId: string, from: number) {
  const side = (split: string) => sql<number>`(count(*) filter (where ${samples.split} = ${split}))::int`;
  const length = (array: unknown) => sql<number>`coalesce(sum(jsonb_array_length(${array})), 0)::int`;
  const turns = sql`${samples.messages} -> 'turns'`;
  const replies = sql`jsonb_path_query_array(${samples.messages}, '$.turns[*] ? (@.role == "assistant")')`;
  const [counted] = await db
    .select({
      samples: count(),
      texts: count(samples.text),
      train: side('train'),
      validation: side('validation'),
      turns: length(turns),
      replies: length(replies),
    })
    .from(samples)
    .where(sliceOf(datasetId, from));
  return counted!;
}

interface LabelCount {
  attribute: string;
  source: LabelSource;
  level: number | null;
  turns: number;
  labels: number;
  sum: number;
}

/** Per level, and with level null over all levels: a turn that two raters put on two levels is one turn. */
async function countLabels(db: Db, datasetId: string, from: number): Promise<LabelCount[]> {
  const { attribute, source, level } = labels;
  return await db
    .select({
      attribute,
      source,
      level: sql<number | null>`${level}`,
      turns: labelledTurns,
      labels: count(),
      sum: sql<number>`sum(${labels.value})`,
    })
    .from(labels)
    .innerJoin(samples, eq(samples.id, labels.sampleId))
    .where(sliceOf(datasetId, from))
    .groupBy(sql`grouping sets ((${attribute}, ${source}), (${attribute}, ${source}, ${level}))`);
}

class LabelTally {
  readonly #dataset: Dataset;
  readonly #figures = new Map<string, Omit<LabelFigures, 'mean'> & { sum: number }>();

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
  }

  add(counts: LabelCount[]): void {
    for (const { attribute, source, level, turns, labels, sum } of counts) {
      const key = `${attribute} ${source}`;
      const figures = this.#figures.get(key) ?? {
        attribute,
        source,
        turns: 0,
        labels: 0,
        sum: 0,
        levels: this.#scale(attribute),
      };
      this.#figures.set(key, figures);
      if (level === null) {
        figures.turns += turns;
        figures.labels += labels;
        figures.sum += sum;
      } else {
        while (figures.levels.length <= level) figures.levels.push(0);
        figures.levels[level]! += labels;
      }
    }
  }

  /** In the order of the schema; attributes it lacks come after, by name. */
  finish(): LabelFigures[] {
    const order = this.#dataset.schema?.attributes.map(({ name }) => name) ?? [];
    const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
    return [...this.#figures.values()]
      .sort((a, b) => place(a.attribute) - place(b.attribute) || compare(a.attribute, b.attribute) || sourceOrder(a, b))
      .map(({ sum, ...figures }) => ({ ...figures, mean: sum / figures.labels }));
  }

  #scale(attribute: string): number[] {
    const known = this.#dataset.schema?.attributes.find(({ name }) => name === attribute);
    return known?.levels.map(() => 0) ?? [];
  }
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function sourceOrder(a: { source: LabelSource }, b: { source: LabelSource }): number {
  return labelSources.indexOf(a.source) - labelSources.indexOf(b.source);
}
