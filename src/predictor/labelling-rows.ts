// The rows of a stored dataset as labelling takes them: in chunks of so many replies, each with the labels this predictor has given the same
// content before, anywhere in the database. Reads only; scores nothing.
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { type AnyPgColumn, alias } from 'drizzle-orm/pg-core';
import type { Conversation } from '../steerlm/conversation.ts';
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
export type TurnLabel = Pick<
  typeof labels.$inferSelect,
  'attribute' | 'value' | 'level' | 'probabilities' | 'confidence' | 'unlike'
>;

export interface Chunk {
  rows: Row[];
  /** Labels this very turn has already. */
  ownLabelsOf(row: Row, turn: number): TurnLabel[] | undefined;
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

/** A label as it comes in a JSON list. */
type SaidLabel = [
  turn: number,
  attribute: string,
  value: number,
  level: number,
  probabilities: number[] | null,
  confidence: number | null,
  unlike: boolean | null,
];

/**
 * One query: labels of these rows themselves, and of one labelled row of equal content for each. Asked for row by row, as lists: without
 * statistics, as after an import, a planner left to choose would go through all labels again and again.
 */
async function lookUp(db: Db, labeller: Labeller, rows: Row[]): Promise<Chunk> {
  const twin = alias(samples, 'twin');
  const made = alias(labels, 'made');
  const any = db
    .select({ id: made.id })
    .from(made)
    .where(and(eq(made.sampleId, twin.id), madeBy(made, labeller)))
    .limit(1)
    .as('any');
  const labelled = db
    .select({ id: twin.id })
    .from(twin)
    .crossJoinLateral(any)
    .where(eq(twin.contentHash, samples.contentHash))
    .limit(1)
    .as('labelled');
  const own = saidOf(db, labeller, samples.id, 'own');
  const equal = saidOf(db, labeller, labelled.id, 'equal');
  const found = await db
    .select({ id: samples.id, contentHash: samples.contentHash, own: own.said, equal: equal.said })
    .from(samples)
    .leftJoinLateral(own, sql`true`)
    .leftJoinLateral(labelled, sql`true`)
    .leftJoinLateral(equal, sql`true`)
    .where(sql`${samples.id} = any(${sql.param(`{${rows.map(({ id }) => id).join()}}`)}::bigint[])`);
  return toChunk(labeller, rows, found);
}

/** What the labeller said of one sample, as one list. */
function saidOf(db: Db, labeller: Labeller, sampleId: AnyPgColumn, name: string) {
  const { turn, attribute, value, level, probabilities, confidence, unlike } = labels;
  const each = sql`json_build_array(${turn}, ${attribute}, ${value}, ${level}, ${probabilities}, ${confidence}, ${unlike})`;
  return db
    .select({ said: sql<SaidLabel[] | null>`json_agg(${each} order by ${labels.id})`.as(`said_${name}`) })
    .from(labels)
    .where(and(eq(labels.sampleId, sampleId), madeBy(labels, labeller)))
    .as(name);
}

/** Condition that a label was made by that revision of that predictor. */
export function madeBy(
  table: Record<'source' | 'author' | 'revision', AnyPgColumn>,
  { id, revision }: Pick<Labeller, 'id' | 'revision'>,
) {
  return and(eq(table.source, 'model'), eq(table.author, id), eq(table.revision, revision));
}

interface Found {
  id: number;
  contentHash: string;
  own: SaidLabel[] | null;
  equal: SaidLabel[] | null;
}

function toChunk({ schema }: Labeller, rows: Row[], found: Found[]): Chunk {
  const ofSamples = new Map(found.map(({ id, own }) => [id, byTurn(own)]));
  const ofContents = new Map(found.map(({ contentHash, equal }) => [contentHash, byTurn(equal)]));
  const whole = (turn: Map<string, TurnLabel> | undefined): TurnLabel[] | undefined =>
    turn && schema.attributes.every(({ name }) => turn.has(name)) ? [...turn.values()] : undefined;
  return {
    rows,
    ownLabelsOf: ({ id }, turn) => whole(ofSamples.get(id)?.get(turn)),
    labelsOf: ({ contentHash }, turn) => whole(ofContents.get(contentHash)?.get(turn)),
  };
}

/** The newest label of each attribute by turn. */
function byTurn(said: SaidLabel[] | null): Map<number, Map<string, TurnLabel>> {
  const turns = new Map<number, Map<string, TurnLabel>>();
  for (const [turn, attribute, value, level, probabilities, confidence, unlike] of said ?? []) {
    const label = { attribute, value, level, probabilities, confidence, unlike };
    turns.set(turn, (turns.get(turn) ?? new Map<string, TurnLabel>()).set(attribute, label));
  }
  return turns;
}
