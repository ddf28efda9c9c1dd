// What later stages ask of stored datasets: find one, list all, walk through its samples with their labels.
// Knows no formats. Samples never change, so a walk by position sees the same samples however long it takes.
import { and, asc, desc, eq, gt, inArray, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Label } from '../steerlm.ts';
import type { Db } from '../store/connect.ts';
import { datasets, type LabelSource, labels, type Split, samples } from '../store/schema.ts';
import type { Sample, SampleContent } from './sample.ts';

export type Dataset = typeof datasets.$inferSelect;

export interface StoredSample extends Sample {
  id: number;
  /** Place in the input, from 0. */
  position: number;
}

/** Which label counts where a turn has several: the newest of all, or the newest of the first source listed that has one. */
export type LabelChoice = 'latest' | readonly LabelSource[];

/** All datasets, oldest first. */
export async function listDatasets(db: Db): Promise<Dataset[]> {
  return await db.select().from(datasets).orderBy(asc(datasets.createdAt), asc(datasets.name));
}

/** The dataset of that name or id. Throws `not_found` naming those there are. */
export async function findDataset(db: Db, nameOrId: string): Promise<Dataset> {
  const all = await listDatasets(db);
  const found = all.find(({ name }) => name === nameOrId) ?? all.find(({ id }) => id === nameOrId);
  if (found) return found;
  const known = all.length === 0 ? 'There are none yet; import one.' : `There are: ${all.map(({ name }) => name).join(', ')}.`;
  throw new SteerError('not_found', `There is no dataset ${JSON.stringify(nameOrId.slice(0, 100))}. ${known}`);
}

/** Samples read at once. */
const pageSize = 500;

/** Samples of a dataset in input order, one side of the split or both, each assistant turn with its label. Absent labels are not there. */
export async function* streamSamples(
  db: Db,
  datasetId: string,
  options: { split?: Split | undefined; labels?: LabelChoice | undefined } = {},
): AsyncGenerator<StoredSample> {
  const { split } = options;
  for (let after = -1; ; ) {
    const page = await db
      .select()
      .from(samples)
      .where(and(eq(samples.datasetId, datasetId), gt(samples.position, after), split && eq(samples.split, split)))
      .orderBy(asc(samples.position))
      .limit(pageSize);
    const label = await labelsOf(
      db,
      page.map(({ id }) => id),
      options.labels ?? 'latest',
    );
    for (const row of page) yield toSample(row, label);
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    after = last.position;
  }
}

type LabelLookup = (sampleId: number, turn: number) => Label | undefined;

async function labelsOf(db: Db, sampleIds: number[], choice: LabelChoice): Promise<LabelLookup> {
  const found = new Map<string, Label>();
  const wanted = choice === 'latest' ? undefined : inArray(labels.source, [...choice]);
  const rank = choice === 'latest' ? [] : [sql`array_position(string_to_array(${choice.join()}, ','), ${labels.source})`];
  const rows = await db
    .selectDistinctOn([labels.sampleId, labels.turn, labels.attribute], {
      sampleId: labels.sampleId,
      turn: labels.turn,
      attribute: labels.attribute,
      value: labels.value,
    })
    .from(labels)
    .where(and(inArray(labels.sampleId, sampleIds), wanted))
    .orderBy(labels.sampleId, labels.turn, labels.attribute, ...rank, desc(labels.id));
  for (const { sampleId, turn, attribute, value } of rows) {
    const key = `${sampleId} ${turn}`;
    found.set(key, { ...found.get(key), [attribute]: value });
  }
  return (sampleId, turn) => found.get(`${sampleId} ${turn}`);
}

function toSample(row: typeof samples.$inferSelect, labelOf: LabelLookup): StoredSample {
  const { id, position, split, source, conversation } = row;
  return { id, position, split, source, conversationId: conversation, content: contentOf(row, labelOf) };
}

function contentOf({ id, messages, text }: typeof samples.$inferSelect, labelOf: LabelLookup): SampleContent {
  if (messages === null) return { kind: 'text', text: text ?? '' };
  const turns = messages.turns.map(({ role, content }, index) => {
    const label = labelOf(id, index);
    return label ? { role, content, label } : { role, content };
  });
  return { kind: 'conversation', conversation: { system: messages.system, turns } };
}
