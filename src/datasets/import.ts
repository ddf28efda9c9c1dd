// Brings a file or stream into the database as one dataset: all of it or nothing, published once it is whole.
// Reading and checking happen in read.ts, storing in write.ts; this file joins them, counts, and gathers what is wrong into one message.
import { sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import { counted } from '../number-text.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { Db, Tx } from '../store/connect.ts';
import { labels, samples } from '../store/schema.ts';
import { DistinctCount } from './distinct-count.ts';
import { type FormatName, formats } from './formats/table.ts';
import { LabelCensus } from './label-census.ts';
import { holdName } from './numbers.ts';
import { type DatasetSource, openFile, type ReadOptions, type Row, readRows } from './read.ts';
import { contentHashSlowly, type Sample } from './sample.ts';
import { publish, writeVersion } from './unpublished.ts';
import { VersionHash } from './version-hash.ts';
import { checkName, findTwin, isNameInUse } from './versions.ts';
import { SampleWriter } from './write.ts';

export interface ImportOptions extends ReadOptions {
  name: string;
  /** A name in use gets another version, unless one that says the same is there; otherwise it is refused. */
  newVersion?: boolean | undefined;
  input: { path: string } | { stream: DatasetSource };
}

export interface ImportReport {
  id: string;
  name: string;
  version: number;
  /** False when a version that says the same was there already: `id` and `version` are that one's, and nothing was stored. */
  created: boolean;
  format: FormatName;
  /** Records read; a tree or a dialogue may give several samples. */
  rows: number;
  samples: number;
  conversations: number;
  /** Samples held out for validation. */
  validation: number;
  /** Samples whose content came up before in this dataset; they are kept. */
  duplicates: number;
  /** Attribute values over all turns. */
  labels: number;
  /** Attributes the labels speak of, or those that were named; null without either. */
  schema: AttributeSchema | null;
  /** Whether they and their scales follow from the labels alone. */
  inferred: boolean;
  /** Labels of each attribute that occurs, and the highest of their values. */
  found: ReadonlyMap<string, { labels: number; highest: number }>;
  /** Names of numbers in the records that are kept beside the samples and are no labels. */
  unread: string[];
  /** SHA-256 over samples with their side of the split and labels in order, and the schema: equal data has an equal hash. */
  hash: string;
}

/**
 * Imports a dataset. Labels a format computes are stored with source `rule`, all others with `import`.
 * Throws `invalid_dataset` with the first bad lines and their number, `conflict` when the name is taken and no new version is
 * asked for, or `cancelled`; nothing stays behind then.
 */
export async function importDataset(db: Db, options: ImportOptions): Promise<ImportReport> {
  const { name, input, signal } = options;
  checkName(name);
  const source = 'path' in input ? openFile(input.path) : input.stream;
  if (!options.newVersion && (await isNameInUse(db, name))) throw taken(name);
  const stored = await writeVersion(db, async (id) => {
    const intake = new Intake(db, id, options.schema);
    const checkCancelled = () => {
      if (signal?.aborted) throw new SteerError('cancelled', `The import of ${name} was cancelled; nothing was stored.`);
    };
    for await (const row of readRows(source, options)) {
      checkCancelled();
      await intake.take(row);
    }
    const found = await intake.finish(name);
    checkCancelled();
    return await db.transaction((tx) => settleVersion(tx, id, options, found));
  });
  // Without figures on so much new data the database reads all labels for every page of samples; an embedded one never gathers them by itself.
  if (stored.created && stored.samples >= manySamples) await db.execute(sql`analyze ${samples}, ${labels}`);
  return stored;
}

/** Publishes what was written, unless the name has a version that says the same, or may have no other. */
async function settleVersion(tx: Tx, id: string, { name, newVersion }: ImportOptions, found: Found): Promise<ImportReport> {
  await holdName(tx, name);
  if (!newVersion && (await isNameInUse(tx, name))) throw taken(name);
  const { format, schema, hash, samples: sampleCount, conversations: conversationCount } = found;
  const twin = await findTwin(tx, { name, hash });
  if (twin) return { ...found, id: twin.id, name, version: twin.version, created: false };
  const { version } = await publish(tx, id, { name, format, schema, hash, sampleCount, conversationCount });
  return { ...found, id, name, version, created: true };
}

/** What an import found in its input. */
type Found = Omit<ImportReport, 'id' | 'name' | 'version' | 'created'>;

/** Of so many at once the database is to take note. */
const manySamples = 1_000;

function taken(name: string): SteerError {
  const message = `There is a dataset named ${name} already. A dataset never changes: import under another name, or as a new version of it (--new-version).`;
  return new SteerError('conflict', message, { details: { param: 'name' } });
}

/** Bad lines told in the message. */
const toldProblems = 10;
/** With so many bad ones the rest is not read: a file of nothing else would keep its reader busy for hours. */
const mostProblems = 10_000;

/** Takes rows in; after the first bad one it only reads on to tell of the others, up to a bound. */
class Intake {
  readonly #schema: AttributeSchema | undefined;
  readonly #writer: SampleWriter;
  readonly #census = new LabelCensus();
  readonly #unread = new Set<string>();
  readonly #hash = new VersionHash();
  readonly #conversations = new DistinctCount();
  readonly #contents = new DistinctCount();
  readonly #problems: string[] = [];
  #bad = 0;
  #rows = 0;
  #samples = 0;
  #validation = 0;
  #format: FormatName | undefined;

  constructor(db: Db, datasetId: string, schema: AttributeSchema | undefined) {
    this.#schema = schema;
    this.#writer = new SampleWriter(db, datasetId);
  }

  async take(row: Row): Promise<void> {
    this.#rows++;
    if ('problem' in row) {
      if (this.#bad++ < toldProblems) this.#problems.push(`line ${row.line}: ${row.problem}`);
      if (this.#bad === mostProblems) throw badLines(this.#problems, this.#bad, this.#rows);
    } else if (this.#bad === 0) await this.#store(row);
  }

  async #store({ format, samples }: Extract<Row, { samples: unknown }>): Promise<void> {
    this.#format = format;
    const provenance = { schema: this.#schema ?? formats[format].schema, author: format, rules: formats[format].rules };
    for (const sample of samples) {
      const hash = await contentHashSlowly(sample.content);
      this.#hash.add(sample, hash);
      this.#contents.addHash(hash);
      this.#conversations.add(sample.conversationId);
      this.#census.add(sample.content);
      if (this.#unread.size < toldUnread) for (const name of numbersIn(sample)) this.#unread.add(name);
      this.#samples++;
      if (sample.split === 'validation') this.#validation++;
      await this.#writer.add(sample, hash, provenance);
    }
  }

  async finish(name: string): Promise<Found> {
    if (this.#bad > 0) throw badLines(this.#problems, this.#bad, this.#rows);
    if (this.#format === undefined || this.#samples === 0) {
      throw new SteerError('invalid_dataset', `Expected at least one sample, found none in ${counted(this.#rows, 'record')}.`);
    }
    await this.#writer.flush();
    const own = formats[this.#format].schema;
    const known = this.#schema ?? (own ? this.#census.occurring(own) : this.#census.known());
    const isNamed = (said: string) =>
      this.#schema?.attributes.some(({ name, aliases }) => name === said || aliases.includes(said)) ?? false;
    const schema = this.#census.count > 0 ? (known ?? this.#census.inferred(name)) : (this.#schema ?? null);
    return {
      format: this.#format,
      rows: this.#rows,
      samples: this.#samples,
      conversations: this.#conversations.count,
      validation: this.#validation,
      duplicates: this.#samples - this.#contents.count,
      labels: this.#census.count,
      schema,
      inferred: schema !== null && known === null,
      found: this.#census.found,
      unread: [...this.#unread].filter((name) => !isNamed(name)).slice(0, toldUnread),
      hash: this.#hash.digest(schema),
    };
  }
}

/** Names of unread numbers that are told. */
const toldUnread = 8;
/** Most of what a rating is: beyond it a number counts or names something. */
const highestRating = 100;

/** Fields of the record and of its turns that might have been meant as ratings. */
function numbersIn({ fields }: Sample): string[] {
  const isRating = (value: unknown) => typeof value === 'number' && value >= 0 && value <= highestRating;
  const isRatings = (value: unknown) =>
    typeof value === 'object' && value !== null && Object.values(value).length > 0 && Object.values(value).every(isRating);
  return [fields?.record, ...Object.values(fields?.turns ?? {})].flatMap((each) =>
    Object.entries(each ?? {}).flatMap(([name, value]) => (isRating(value) || isRatings(value) ? [name] : [])),
  );
}

function badLines(problems: string[], bad: number, rows: number): SteerError {
  const more = bad > problems.length ? `\n… and ${bad - problems.length} more` : '';
  const of = bad < mostProblems ? rows : `the first ${rows}, and no more was read`;
  return new SteerError(
    'invalid_dataset',
    `${counted(bad, 'bad record')} of ${of}; nothing was imported.\n${problems.join('\n')}${more}`,
  );
}
