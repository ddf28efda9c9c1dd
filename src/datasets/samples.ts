// What later stages ask of stored datasets: find one by name, version or id, list all, walk through its samples with their labels. Samples never
// change, so a walk by position sees the same samples however long it takes.
import { setImmediate } from 'node:timers/promises';
import { and, asc, desc, eq, getTableColumns, gt, inArray, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Label } from '../steerlm/attributes.ts';
import type { Db, Tx } from '../store/connect.ts';
import { datasets, type LabelSource, labels, type Split, samples } from '../store/schema.ts';
import { wholeText } from '../store/whole-text.ts';
import { isDataset, versionsOf } from './numbers.ts';
import { readFields } from './record-fields.ts';
import type { LabelReadings, Sample, SampleContent } from './sample.ts';

export type Dataset = typeof datasets.$inferSelect;

export interface StoredSample extends Sample {
  id: number;
  /** Place in the input, from 0. */
  position: number;
}

/** Which label counts where a turn has several: the newest of all, or the newest of the first source listed that has one. */
export type LabelChoice = 'latest' | readonly LabelSource[];

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Names or versions told where one is not found. */
const told = 20;

export function isDatasetName(text: string): boolean {
  return namePattern.test(text);
}

/** All datasets, oldest first. */
export async function listDatasets(db: Db): Promise<Dataset[]> {
  return await db
    .select()
    .from(datasets)
    .where(isDataset)
    .orderBy(asc(datasets.createdAt), asc(datasets.name), asc(datasets.version));
}

/**
 * The dataset of that id, the newest of that name, or of `name@3` and `name@<8 or more digits of its hash>` that version.
 * Throws `not_found` naming those there are.
 */
export async function findDataset(db: Db | Tx, given: string): Promise<Dataset> {
  const [name = '', version] = splitAt(given);
  if (isDatasetName(name)) {
    const versions = await db.select().from(datasets).where(versionsOf(name)).orderBy(desc(datasets.version));
    const found = version === undefined ? versions[0] : versions.find((each) => isVersion(each, version));
    if (found) return found;
    if (versions.length > 0) throw noVersion(name, versions);
  }
  const byId = uuidPattern.test(given)
    ? await db
        .select()
        .from(datasets)
        .where(and(eq(datasets.id, given), isDataset))
    : [];
  if (byId[0]) return byId[0];
  throw await unknown(db, given);
}

function splitAt(given: string): [string, string?] {
  const at = given.lastIndexOf('@');
  return at === -1 ? [given] : [given.slice(0, at), given.slice(at + 1).toLowerCase()];
}

function isVersion({ version, hash }: Dataset, wanted: string): boolean {
  return String(version) === wanted || (/^[0-9a-f]{8,64}$/.test(wanted) && hash.startsWith(wanted));
}

function noVersion(name: string, versions: Dataset[]): SteerError {
  const known = versions.slice(0, told).map(({ version, hash }) => `${name}@${version} (${hash.slice(0, 8)})`);
  return new SteerError('not_found', `There is no such version of ${name}. There are: ${known.join(', ')}.`);
}

async function unknown(db: Db | Tx, given: string): Promise<SteerError> {
  const names = await db
    .selectDistinct({ name: datasets.name })
    .from(datasets)
    .where(isDataset)
    .orderBy(datasets.name)
    .limit(told);
  const known =
    names.length === 0 ? 'There are none yet; import one.' : `There are: ${names.map(({ name }) => name).join(', ')}.`;
  return new SteerError('not_found', `There is no dataset ${JSON.stringify(given.slice(0, 100))}. ${known}`);
}

/** The columns of a sample, to be selected: its texts as they were stored. */
export const sampleColumns = {
  ...getTableColumns(samples),
  conversation: wholeText<string>(samples.conversation),
  text: wholeText<string | null>(samples.text),
  source: wholeText<string | null>(samples.source),
};

/** Samples read at once. */
const pageSize = 500;

export interface StreamOptions {
  split?: Split | undefined;
  labels?: LabelChoice | undefined;
  /** Only every n-th sample by position. */
  every?: number | undefined;
  /** Everything the record said, and level and confidence of each label; for who writes the samples out again. */
  whole?: boolean | undefined;
}

/** Samples of a dataset in input order, one side of the split or both, each assistant turn with its label. Absent labels are not there. */
export async function* streamSamples(db: Db, datasetId: string, options: StreamOptions = {}): AsyncGenerator<StoredSample> {
  const { split, every = 1, whole = false } = options;
  const some = and(split && eq(samples.split, split), every > 1 ? sql`${samples.position} % ${every} = 0` : undefined);
  const chosen = chosenLabels(db, options.labels ?? 'latest');
  for (let after = -1; ; ) {
    const page = await db
      .select({ sample: sampleColumns, labels: chosen.labels })
      .from(samples)
      .leftJoinLateral(chosen, sql`true`)
      .where(and(eq(samples.datasetId, datasetId), gt(samples.position, after), some))
      .orderBy(asc(samples.position))
      .limit(pageSize);
    for (const { sample, labels } of page) yield toSample(sample, labels ?? [], whole);
    // An embedded database answers without leaving this thread: a walk would keep everything else waiting to its end.
    await setImmediate();
    const last = page.at(-1)?.sample;
    if (last === undefined || page.length < pageSize) return;
    after = last.position;
  }
}

type ChosenLabel = [turn: number, attribute: string, value: number, level: number, confidence: number | null];

/** The labels that count of the sample it is joined to, as one JSON list: a row for each would cost more than all else of the walk. */
function chosenLabels(db: Db, choice: LabelChoice) {
  const wanted = choice === 'latest' ? undefined : inArray(labels.source, [...choice]);
  const rank = choice === 'latest' ? [] : [sql`array_position(string_to_array(${choice.join()}, ','), ${labels.source})`];
  const each = db
    .selectDistinctOn([labels.turn, labels.attribute], {
      turn: labels.turn,
      attribute: labels.attribute,
      value: labels.value,
      level: labels.level,
      confidence: labels.confidence,
    })
    .from(labels)
    .where(and(eq(labels.sampleId, samples.id), wanted))
    .orderBy(labels.turn, labels.attribute, ...rank, desc(labels.id))
    .as('each');
  const chosen = sql`json_build_array(${each.turn}, ${each.attribute}, ${each.value}, ${each.level}, ${each.confidence})`;
  const list = sql<ChosenLabel[] | null>`json_agg(${chosen})`;
  return db
    .select({ labels: list.as('labels') })
    .from(each)
    .as('chosen');
}

function toSample(row: typeof samples.$inferSelect, chosen: ChosenLabel[], whole: boolean): StoredSample {
  const { id, position, split, source, conversation, preference } = row;
  const sample = { id, position, split, source, conversationId: conversation, content: contentOf(row, chosen) };
  return {
    ...sample,
    ...(preference && { preference }),
    ...(whole && {
      readings: readingsIn(chosen),
      ...(row.fields !== null && { fields: readFields(row.fields), fieldsText: row.fields }),
    }),
  };
}

function readingsIn(chosen: ChosenLabel[]): LabelReadings[] {
  const readings: LabelReadings[] = [];
  for (const [turn, attribute, , level, confidence] of chosen) {
    readings[turn] = { ...readings[turn], [attribute]: { level, confidence } };
  }
  return readings;
}

function contentOf({ messages, text }: typeof samples.$inferSelect, chosen: ChosenLabel[]): SampleContent {
  if (messages === null) return { kind: 'text', text: text ?? '' };
  const labelOf: Label[] = [];
  for (const [turn, attribute, value] of chosen) labelOf[turn] = { ...labelOf[turn], [attribute]: value };
  const turns = messages.turns.map((turn, index) => {
    const label = labelOf[index];
    return label ? { ...turn, label } : turn;
  });
  return { kind: 'conversation', conversation: { system: messages.system, turns } };
}
