// The rows of a stored dataset as labelling takes them: in chunks of so many replies, each with the labels this predictor has given the same
// content before, anywhere in the database. Reads only; scores nothing.
import { and, asc, eq, gt, inArray } from 'drizzle-orm';
import { type AnyPgColumn, alias, unionAll } from 'drizzle-orm/pg-core';
import type { Conversation } from '../steerlm.ts';
import type { Db } from '../store/connect.ts';
import { labels, samples } from '../store/schema.ts';
import type { Predictor } from './predictor.ts';

/** Who labels: a label of the same three is as good as a new one. */
export type Labeller = Pick<Predictor, 'id' | 'revision' | 'schema'>;

export interface Row {
  id: number;
  /** Place in the input, from 0. */
  position: number;
  contentHash: string;
  conversation: Conversation;
  /** Indices of its assistant turns; none for plain text. */
  replies: number[];
}

/** A label but for the turn it belongs to. */
export type TurnLabel = Pick<typeof labels.$inferSelect, 'attribute' | 'value' | 'level' | 'probabilities' | 'confidence'>;

export interface Chunk {
  rows: Row[];
  /** Whether this very turn has its labels already. */
  isLabelled(row: Row, turn: number): boolean;
  /** Labels of the same turn of equal content. */
  labelsOf(row: Row, turn: number): TurnLabel[] | undefined;
}

/** Rows read at once. */
const pageRows = 1024;

/** Chunks of `chunkReplies()` replies or a little more of a dataset, in input order, from after position `after` on. */
export async function* readChunks(
  db: Db,
  labeller: Labeller,
  datasetId: string,
  chunkReplies: () => number,
  after = -1,
): AsyncGenerator<Chunk> {
  let rows: Row[] = [];
  let replies = 0;
  for await (const row of readRows(db, datasetId, after)) {
    rows.push(row);
    replies += row.replies.length;
    if (replies < chunkReplies() && rows.length < pageRows) continue;
    yield await lookUp(db, labeller, rows);
    rows = [];
    replies = 0;
  }
  if (rows.length > 0) yield await lookUp(db, labeller, rows);
}

async function* readRows(db: Db, datasetId: string, after: number): AsyncGenerator<Row> {
  for (let last = after; ; ) {
    const page = await db
      .select({
        id: samples.id,
        position: samples.position,
        contentHash: samples.contentHash,
        messages: samples.messages,
      })
      .from(samples)
      .where(and(eq(samples.datasetId, datasetId), gt(samples.position, last)))
      .orderBy(asc(samples.position))
      .limit(pageRows);
    for (const { messages, ...row } of page) {
      const conversation = messages ?? { system: '', turns: [] };
      const replies = conversation.turns.flatMap(({ role }, turn) => (role === 'assistant' ? [turn] : []));
      yield { ...row, conversation, replies };
    }
    if (page.length < pageRows) return;
    last = page.at(-1)!.position;
  }
}

const labelColumns = {
  sampleId: labels.sampleId,
  turn: labels.turn,
  attribute: labels.attribute,
  value: labels.value,
  level: labels.level,
  probabilities: labels.probabilities,
  confidence: labels.confidence,
};

/** More labels than any one row has from one predictor. */
const mostLabels = 100_000;

/**
 * One query: labels of these rows themselves, and of one labelled row of equal content for each. The limits hold the planner to going from a
 * row to its labels: without statistics, as after an import, it expects next to no labels and would go through all of them again and again.
 */
async function lookUp(db: Db, labeller: Labeller, rows: Row[]): Promise<Chunk> {
  const ids = rows.map(({ id }) => id);
  const own = db
    .select({ ...labelColumns, contentHash: samples.contentHash })
    .from(labels)
    .innerJoin(samples, eq(samples.id, labels.sampleId))
    .where(and(inArray(labels.sampleId, ids), madeBy(labels, labeller)));
  const wanted = db.selectDistinct({ hash: samples.contentHash }).from(samples).where(inArray(samples.id, ids)).as('wanted');
  const twin = alias(samples, 'twin');
  const made = alias(labels, 'made');
  const any = db
    .select({ id: made.id })
    .from(made)
    .where(and(eq(made.sampleId, twin.id), madeBy(made, labeller)))
    .limit(1)
    .as('any');
  const found = db.select({ id: twin.id }).from(twin).crossJoinLateral(any).where(eq(twin.contentHash, wanted.hash));
  const labelled = found.limit(1).as('labelled');
  const said = db
    .select(labelColumns)
    .from(labels)
    .where(and(eq(labels.sampleId, labelled.id), madeBy(labels, labeller)))
    .limit(mostLabels)
    .as('said');
  const equal = db
    .select({ ...said._.selectedFields, contentHash: wanted.hash })
    .from(wanted)
    .crossJoinLateral(labelled)
    .crossJoinLateral(said);
  return toChunk(labeller, rows, await unionAll(own, equal));
}

/** Condition that a label was made by that revision of that predictor. */
export function madeBy(
  table: Record<'source' | 'author' | 'revision', AnyPgColumn>,
  { id, revision }: Pick<Labeller, 'id' | 'revision'>,
) {
  return and(eq(table.source, 'model'), eq(table.author, id), eq(table.revision, revision));
}

type Found = TurnLabel & { sampleId: number; contentHash: string; turn: number };

function toChunk({ schema }: Labeller, rows: Row[], found: Found[]): Chunk {
  const ofSamples = new Map<string, Map<string, TurnLabel>>();
  const ofContents = new Map<string, Map<string, TurnLabel>>();
  const keep = (all: Map<string, Map<string, TurnLabel>>, key: string, label: TurnLabel) => {
    const turn = all.get(key) ?? new Map<string, TurnLabel>();
    all.set(key, turn.set(label.attribute, label));
  };
  for (const { sampleId, contentHash, turn, ...label } of found) {
    keep(ofSamples, `${sampleId} ${turn}`, label);
    keep(ofContents, `${contentHash} ${turn}`, label);
  }
  const whole = (turn: Map<string, TurnLabel> | undefined): TurnLabel[] | undefined =>
    turn && schema.attributes.every(({ name }) => turn.has(name)) ? [...turn.values()] : undefined;
  return {
    rows,
    isLabelled: ({ id }, turn) => whole(ofSamples.get(`${id} ${turn}`)) !== undefined,
    labelsOf: ({ contentHash }, turn) => whole(ofContents.get(`${contentHash} ${turn}`)),
  };
}
