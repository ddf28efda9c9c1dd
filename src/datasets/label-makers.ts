// Which labels of a dataset count under a choice, and which are passed over: how many, and who made them. Counted in the database, a slice of samples
// at a time; and the same in the words of whoever is told.
import { setImmediate } from 'node:timers/promises';
import { and, eq, gte, inArray, lt, sql } from 'drizzle-orm';
import { counted } from '../number-text.ts';
import type { Db } from '../store/connect.ts';
import { type LabelSource, labels, type Split, samples } from '../store/schema.ts';
import type { Dataset, LabelChoice } from './samples.ts';

export interface LabelMaker {
  source: LabelSource;
  /** Raters, model, format or rule. */
  author: string;
  /** Of the model. */
  revision: string | null;
  labels: number;
}

export interface ChosenLabels {
  /** Name of the dataset. */
  dataset: string;
  choice: 'latest' | LabelSource[];
  /** Most labels first. */
  counted: LabelMaker[];
  /** Labels of turns and attributes for which another counts, or of sources that were not asked for. */
  passed_over: LabelMaker[];
}

export interface LabelPart {
  split?: Split | undefined;
  /** First samples of the dataset; all when absent. */
  most?: number | undefined;
  /** Names of attributes; all when absent. */
  attributes?: readonly string[] | undefined;
}

/** Samples looked at by one statement, which holds up an embedded database. */
const sliceSamples = 5_000;

/** Goes through the labels once. */
export async function countMakers(
  db: Db,
  { id, name, sampleCount }: Pick<Dataset, 'id' | 'name' | 'sampleCount'>,
  choice: LabelChoice,
  part: LabelPart = {},
): Promise<ChosenLabels> {
  const [used, passed] = [new Map<string, LabelMaker>(), new Map<string, LabelMaker>()];
  const end = Math.min(sampleCount, part.most ?? sampleCount);
  for (let from = 0; from < end; from += sliceSamples) {
    const to = Math.min(end, from + sliceSamples);
    for (const { counts, labels, ...maker } of await countSlice(db, id, choice, part, from, to)) {
      const makers = counts ? used : passed;
      const key = JSON.stringify(maker);
      makers.set(key, { ...maker, labels: labels + (makers.get(key)?.labels ?? 0) });
    }
    await setImmediate();
  }
  const chosen = choice === 'latest' ? choice : [...choice];
  return { dataset: name, choice: chosen, counted: inOrder(used), passed_over: inOrder(passed) };
}

async function countSlice(db: Db, datasetId: string, choice: LabelChoice, part: LabelPart, from: number, to: number) {
  const { source, author, revision } = labels;
  const place = choice === 'latest' ? sql`0` : sql`array_position(string_to_array(${choice.join()}, ','), ${source})`;
  const asked = choice === 'latest' ? sql`true` : sql`${place} is not null`;
  const first = sql`row_number() over (
    partition by ${labels.sampleId}, ${labels.turn}, ${labels.attribute} order by ${place}, ${labels.id} desc) = 1`;
  const each = db
    .select({ source, author, revision, counts: sql<boolean>`(${asked} and ${first})`.as('counts') })
    .from(labels)
    .innerJoin(samples, eq(samples.id, labels.sampleId))
    .where(
      and(
        eq(samples.datasetId, datasetId),
        gte(samples.position, from),
        lt(samples.position, to),
        part.split && eq(samples.split, part.split),
        part.attributes && inArray(labels.attribute, [...part.attributes]),
      ),
    )
    .as('each');
  return await db
    .select({
      source: each.source,
      author: each.author,
      revision: each.revision,
      counts: each.counts,
      labels: sql<number>`count(*)::int`,
    })
    .from(each)
    .groupBy(each.source, each.author, each.revision, each.counts);
}

function inOrder(makers: ReadonlyMap<string, LabelMaker>): LabelMaker[] {
  const names = ({ source, author, revision }: LabelMaker) => `${source} ${author} ${revision}`;
  return [...makers.values()].sort((a, b) => b.labels - a.labels || (names(a) < names(b) ? -1 : 1));
}

/**
 * One line that says whose labels count, and one where others were passed over, with what would choose otherwise: `option` spells a list of sources as
 * its reader would give it; null where there is no choice to be had. Nothing where there are no labels.
 */
export function describeLabels(
  { dataset, choice, counted: used, passed_over: passed }: ChosenLabels,
  option: ((sources: string) => string) | null,
): string[] {
  if (used.length + passed.length === 0) return [];
  const rule = choice === 'latest' ? 'where there are several, the newest counts' : `asked for: ${choice.join(', then ')}`;
  const told = [`Labels of ${dataset}: ${makersText(used) || 'none'}; ${rule}.`];
  if (passed.length === 0) return told;
  const otherwise = option && otherChoice(used, passed);
  const hint = otherwise ? ` ${option(otherwise)} takes them first.` : '';
  return [...told, `Passed over: ${makersText(passed)}.${hint}`];
}

/** Makers told one by one. */
const toldMakers = 6;

function makersText(makers: readonly LabelMaker[]): string {
  const rest = makers.length - toldMakers;
  const told = makers.slice(0, toldMakers).map(makerText);
  return [...told, ...(rest > 0 ? [`those of ${counted(rest, 'other maker')}`] : [])].join(', ');
}

function makerText({ source, author, revision, labels }: LabelMaker): string {
  if (source === 'model') return `${labels} by the predictor ${author}${revision === null ? '' : ` ${revision}`}`;
  if (source === 'human') return `${labels} by raters (${author})`;
  return source === 'import' ? `${labels} of the import (${author})` : `${labels} by rule (${author})`;
}

/** Sources in an order that gives those passed over a say; null where all are of one source, so that no order would. */
function otherChoice(used: readonly LabelMaker[], passed: readonly LabelMaker[]): string | null {
  const sum = (makers: readonly LabelMaker[], source: string) =>
    makers.filter((each) => each.source === source).reduce((total, { labels }) => total + labels, 0);
  const sources = [...new Set([...passed, ...used].map(({ source }) => source))];
  const share = (source: string) => sum(used, source) / (sum(used, source) + sum(passed, source));
  return sources.length < 2 ? null : sources.sort((a, b) => share(a) - share(b)).join();
}
