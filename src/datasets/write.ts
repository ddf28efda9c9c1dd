// Writes samples with their labels, and further labels, in batches of one statement each. Rows travel as one JSON parameter: no limit on the number
// of parameters, and one round trip for thousands of labels.

import { sql } from 'drizzle-orm';
import { own } from '../own.ts';
import { type AttributeSchema, type Label, nearestLevel } from '../steerlm/attributes.ts';
import type { Db, Tx } from '../store/connect.ts';
import type { labels, Messages } from '../store/schema.ts';
import type { LabelReadings, Sample, SampleContent } from './sample.ts';

export type NewLabel = Omit<typeof labels.$inferInsert, 'id' | 'createdAt'>;

/** Who makes the labels that come with samples. */
export interface Provenance {
  schema: AttributeSchema | null;
  /** Name of the format. */
  author: string;
  /** Attributes computed from the text, each with its rule. */
  rules: Record<string, string>;
}

/** Of one statement, which an embedded database answers before anybody else. */
const batchSamples = 100;
const batchCharacters = 2 ** 20;
const batchLabels = 1_000;

/** Collects samples of one dataset and stores them in order. Call `flush` after the last. */
export class SampleWriter {
  readonly #db: Db;
  readonly #datasetId: string;
  #position = 0;
  #rows: object[] = [];
  #characters = 0;

  constructor(db: Db, datasetId: string) {
    this.#db = db;
    this.#datasetId = datasetId;
  }

  async add(sample: Sample, contentHash: string, provenance: Provenance): Promise<void> {
    const { content, conversationId, split, source, fieldsText = null } = sample;
    this.#rows.push({
      position: this.#position++,
      conversation: conversationId,
      split,
      messages: content.kind === 'conversation' ? withoutLabels(content) : null,
      text: content.kind === 'text' ? content.text : null,
      content_hash: contentHash,
      source,
      preference: sample.preference ?? null,
      fields: fieldsText,
      labels: labelRows(sample, provenance),
    });
    this.#characters += fieldsText?.length ?? 0;
    this.#characters += content.kind === 'text' ? content.text.length : spokenLength(content);
    if (this.#rows.length >= batchSamples || this.#characters >= batchCharacters) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#rows.length === 0) return;
    const rows = JSON.stringify(this.#rows);
    this.#rows = [];
    this.#characters = 0;
    await this.#db.execute(sql`
      with incoming as (
        select * from json_to_recordset(${rows}::json) as row(
          position int, conversation text, split text, messages jsonb, text text, content_hash text, source text,
          preference text, fields text, labels json)
      ), stored as (
        insert into samples (dataset_id, position, conversation, split, messages, text, content_hash, source, preference, fields)
        select ${this.#datasetId}::uuid, position, conversation, split, messages, text, content_hash, source, preference, fields
        from incoming order by position
        returning id, position
      )
      insert into labels (sample_id, turn, attribute, value, level, confidence, source, author)
      select stored.id, label.turn, label.attribute, label.value, label.level, label.confidence, label.source, label.author
      from stored join incoming using (position)
      cross join json_to_recordset(incoming.labels) as label(
        turn int, attribute text, value float8, level int2, confidence real, source text, author text)`);
  }
}

/** Adds labels to stored samples; those already there stay, and the new ones become the latest. */
export async function appendLabels(db: Db | Tx, rows: NewLabel[]): Promise<void> {
  for (let start = 0; start < rows.length; start += batchLabels) {
    const batch = JSON.stringify(rows.slice(start, start + batchLabels));
    await db.execute(sql`
      insert into labels (sample_id, turn, attribute, value, level, probabilities, confidence, unlike, source, author, revision)
      select "sampleId", turn, attribute, value, level, probabilities, confidence, unlike, source, author, revision
      from json_to_recordset(${batch}::json) as label(
        "sampleId" bigint, turn int, attribute text, value float8, level int2, probabilities real[], confidence real, unlike boolean,
        source text, author text, revision text)`);
  }
}

/** Of a labelled reply: whether it is unlike what its labeller was trained on. */
export interface UnlikeMark {
  sampleId: number;
  turn: number;
  unlike: boolean;
}

/** Completes labels a predictor stored before it told `unlike`; nothing they say is changed. */
export async function markUnlike(
  db: Db | Tx,
  { id, revision }: { id: string; revision: string },
  marks: readonly UnlikeMark[],
): Promise<void> {
  if (marks.length === 0) return;
  await db.execute(sql`
    update labels set unlike = mark.unlike
    from json_to_recordset(${JSON.stringify(marks)}::json) as mark("sampleId" bigint, turn int, unlike boolean)
    where labels.sample_id = mark."sampleId" and labels.turn = mark.turn and labels.source = 'model'
      and labels.author = ${id} and labels.revision = ${revision} and labels.unlike is null`);
}

function withoutLabels({ conversation }: Extract<SampleContent, { kind: 'conversation' }>): Messages {
  return { system: conversation.system, turns: conversation.turns.map(({ label: _, ...turn }) => turn) };
}

function spokenLength({ conversation }: Extract<SampleContent, { kind: 'conversation' }>): number {
  return conversation.turns.reduce((sum, { content }) => sum + content.length, conversation.system.length);
}

function labelRows({ content, readings = [] }: Sample, provenance: Provenance): object[] {
  if (content.kind === 'text') return [];
  return content.conversation.turns.flatMap(({ label }, turn) =>
    label ? turnRows(turn, label, readings[turn], provenance) : [],
  );
}

function turnRows(
  turn: number,
  label: Label,
  readings: LabelReadings | undefined,
  { schema, author, rules }: Provenance,
): object[] {
  return Object.entries(label).map(([attribute, value]) => {
    const known = schema?.attributes.find(({ name }) => name === attribute);
    const rule = own(rules, attribute);
    const maker = rule === undefined ? { source: 'import', author } : { source: 'rule', author: rule };
    const told = own(readings, attribute);
    const level = told?.level ?? (known ? nearestLevel(known, value) : Math.round(value));
    return { turn, attribute, value, level, confidence: told?.confidence ?? null, ...maker };
  });
}
