// Turns ratings into a dataset: remembered conversations with the reply as last turn and what raters agree on as its label, and preferences into
// pairs. The same feedback under the same rules gives the same version. Worked out text by text into a temporary file, then stored in one go.
import { createHash } from 'node:crypto';
import { type DerivedSample, storeUnlessSame } from '../datasets/derived.ts';
import { inBatches } from '../datasets/in-batches.ts';
import { mergeSchemas } from '../datasets/merge-schemas.ts';
import { spoolRows } from '../datasets/spool.ts';
import { SteerError } from '../errors.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { Db } from '../store/connect.ts';
import { pairs as pairTable } from '../store/feedback-schema.ts';
import type { KnownModels } from './feedback.ts';
import { type HarvestRules, type LabelledText, labelTexts } from './label-texts.ts';
import { findPairs, type Pair } from './pairs.ts';
import { ratedTexts } from './rated-texts.ts';
import { attributeOf, type Rating } from './ratings.ts';

export interface HarvestFilters {
  model?: string | undefined;
  /** Names of attributes; absent means all. */
  attributes?: string[] | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
  /** Takes replies that were written under steering vectors for what they are: texts with ratings. */
  underVectors?: boolean | undefined;
}

export interface HarvestOptions {
  dataset: string;
  filters: HarvestFilters;
  rules: HarvestRules;
  preferences: boolean;
}

export const skipReasons = [
  ...(['too_few_raters', 'spread_too_wide', 'raw_prompt', 'empty_reply', 'under_vectors', 'same_text', 'tie'] as const),
] as const;
type SkipReason = (typeof skipReasons)[number];

export interface HarvestReport {
  dataset: { id: string; name: string; version: number; hash: string };
  /** False where the newest version said the same already. */
  created: boolean;
  samples: number;
  labels: number;
  pairs: number;
  /** Labels and pairs that did not come to be, by reason. */
  skipped: Partial<Record<SkipReason, number>>;
  /** Who had a part in it, by id. */
  raters: { id: string; weight: number; ratings: number }[];
}

/** Harvests. Throws `invalid_dataset` when nothing comes of it, `conflict` when the name belongs to another kind of dataset. */
export async function harvest(db: Db, options: HarvestOptions, models: KnownModels): Promise<HarvestReport> {
  const yields = new Yield();
  return await spoolRows(gather(db, options, models, yields), async (read) => {
    if (yields.samples + yields.pairs === 0) throw nothing(yields.skipped);
    const stored = await store(db, options.dataset, yields, read);
    const { samples, labels, pairs, skipped } = yields;
    return { ...stored, samples, labels, pairs, skipped, raters: yields.raters() };
  });
}

type Row = { sample: DerivedSample } | { pair: Omit<Pair, 'votes'> };

async function* gather(db: Db, options: HarvestOptions, models: KnownModels, yields: Yield): AsyncGenerator<Row> {
  const { filters, rules, preferences } = options;
  const counts = (rating: Rating) => rating.weight > 0 && fits(rating, filters);
  const skip = (reason: SkipReason) => yields.skip(reason);
  for await (const texts of ratedTexts(db, { model: filters.model, underVectors: filters.underVectors, counts })) {
    texts.unspoken.forEach(skip);
    for (const labelled of labelTexts(texts, rules, skip)) {
      yields.takeLabels(labelled, models.schemaOf(labelled.reply));
      yield { sample: toSample(labelled) };
    }
    for (const { votes, ...pair } of preferences ? findPairs(texts, rules, skip) : []) {
      yields.takePair(pair, votes);
      yield { pair };
    }
  }
}

/** What came of a harvest so far: sums, and a line for each rater and model. */
class Yield {
  samples = 0;
  labels = 0;
  pairs = 0;
  readonly skipped: HarvestReport['skipped'] = {};
  readonly #raters = new Map<string, { id: string; weight: number; ratings: number }>();
  readonly #schemas = new Map<string, AttributeSchema>();
  readonly #attributes = new Set<string>();
  readonly #pairHash = createHash('sha256');

  skip(reason: SkipReason): void {
    this.skipped[reason] = (this.skipped[reason] ?? 0) + 1;
  }

  takeLabels({ reply, label, ratings }: LabelledText, schema: AttributeSchema): void {
    this.samples++;
    for (const attribute of Object.keys(label)) {
      this.labels++;
      this.#attributes.add(attribute);
    }
    this.#schemas.set(reply.model, schema);
    this.#credit(ratings);
  }

  takePair(pair: Omit<Pair, 'votes'>, votes: Rating[]): void {
    this.pairs++;
    this.#pairHash.update(`${JSON.stringify(pair)}\n`);
    this.#credit(votes);
  }

  #credit(ratings: Rating[]): void {
    for (const { rater: id, weight } of ratings) {
      const rater = this.#raters.get(id) ?? { id, weight, ratings: 0 };
      this.#raters.set(id, { ...rater, ratings: rater.ratings + 1 });
    }
  }

  raters(): HarvestReport['raters'] {
    return [...this.#raters.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Call it once. */
  pairHash(): string {
    return this.#pairHash.digest('hex');
  }

  /** The attributes that have labels, in the order of the models by name. */
  schema(name: string): AttributeSchema | null {
    const byModel = [...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1));
    const used = byModel.map(([, schema]) => ({
      ...schema,
      attributes: schema.attributes.filter((attribute) => this.#attributes.has(attribute.name)),
    }));
    const attributes = mergeSchemas(used, twoScales)?.attributes ?? [];
    return attributes.length === 0 ? null : { name, version: 1, attributes };
  }
}

function toSample({ reply, label, ratings }: LabelledText): DerivedSample {
  const { sample } = reply;
  const turn = sample.content.kind === 'text' ? 0 : sample.content.conversation.turns.length - 1;
  const author = `consensus of ${new Set(ratings.map(({ rater }) => rater)).size}`;
  const labels = Object.entries(label).map(([attribute, value]) => ({
    turn,
    attribute,
    value,
    source: 'human' as const,
    author,
  }));
  return { sample, labels: labels.sort((a, b) => (a.attribute < b.attribute ? -1 : 1)) };
}

async function store(db: Db, name: string, yields: Yield, read: () => AsyncGenerator<Row>) {
  const derived = {
    name,
    format: 'feedback',
    schema: yields.schema(name),
    samples: () => samplesOf(read()),
    beside: yields.pairHash(),
  };
  const { dataset, created } = await storeUnlessSame(db, derived, (id) => storePairs(db, id, read()));
  const { id, version, hash } = dataset;
  return { dataset: { id, name, version, hash }, created };
}

async function* samplesOf(rows: AsyncIterable<Row>): AsyncGenerator<DerivedSample> {
  for await (const row of rows) if ('sample' in row) yield row.sample;
}

async function storePairs(db: Db, datasetId: string, rows: AsyncIterable<Row>): Promise<void> {
  let position = 0;
  for await (const batch of inBatches(rows, 200)) {
    const pairs = batch.flatMap((row) => ('pair' in row ? [{ datasetId, position: position++, ...row.pair }] : []));
    if (pairs.length > 0) await db.insert(pairTable).values(pairs);
  }
}

function fits({ question, at }: Rating, { attributes, since, until }: HarvestFilters): boolean {
  const attribute = attributeOf(question);
  if (attributes && attribute !== null && !attributes.includes(attribute)) return false;
  return (!since || at >= since) && (!until || at < until);
}

function twoScales(attribute: string, [before, now]: [number, number]): SteerError {
  return new SteerError(
    'conflict',
    `Expected one scale for ${attribute}, found 0 to ${before - 1} and 0 to ${now - 1} among the models. Filter by model.`,
    { details: { param: 'filters.model' } },
  );
}

/** The rule behind a reason, with what would let more through. */
const rules: Partial<Record<SkipReason, { param: string; remedy: string }>> = {
  too_few_raters: { param: 'rules.min_raters', remedy: 'To count what fewer raters said, lower rules.min_raters.' },
  under_vectors: {
    param: 'filters.under_vectors',
    remedy: 'To take replies that were written under steering vectors too, set filters.under_vectors.',
  },
  spread_too_wide: { param: 'rules.max_spread', remedy: 'To count what raters see more differently, raise rules.max_spread.' },
};

function nothing(skipped: HarvestReport['skipped']): SteerError {
  const reasons = Object.entries(skipped).sort(([, a], [, b]) => b - a) as [SkipReason, number][];
  const told = reasons.map(([reason, count]) => `${count} for ${reason.replaceAll('_', ' ')}`);
  const found = told.length === 0 ? 'no feedback fits the filters' : `left out: ${told.join(', ')}`;
  const stopping = reasons.flatMap(([reason]) => rules[reason] ?? []);
  const remedy = stopping.map(({ remedy }) => ` ${remedy}`).join('');
  const [first] = stopping;
  return new SteerError('invalid_dataset', `Expected feedback that becomes at least one label or pair; ${found}.${remedy}`, {
    details: first ? { param: first.param } : {},
  });
}
