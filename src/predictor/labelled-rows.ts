// What a labelling job has labelled so far, reply by reply in the order of the input, while it runs and after. Reads only.
import { and, asc, desc, eq, gt, inArray, lte } from 'drizzle-orm';
import type { Job } from '../jobs/jobs.ts';
import type { Db } from '../store/connect.ts';
import { labels, samples } from '../store/schema.ts';
import { readLabellingJob } from './labelling-job.ts';
import { madeBy } from './labelling-rows.ts';

export interface LabelledReply {
  /** Place of the sample in the input, from 0. */
  row: number;
  sampleId: number;
  /** What the input calls the record. */
  source: string | null;
  /** Index of the turn in the conversation, from 0. */
  turn: number;
  /** Whether it is unlike what the predictor was trained on; null where that is unknown. */
  unlike: boolean | null;
  attributes: Record<string, { value: number; level: number; confidence: number | null }>;
}

/** Rows read at once. */
const pageRows = 500;

/** Labelled replies of the job up to the last row it is done with; rows without labels are passed over. */
export async function* streamLabelled(db: Db, job: Job): AsyncGenerator<LabelledReply> {
  const { dataset_id: datasetId, predictor: id, revision, position: end } = readLabellingJob(job);
  for (let last = -1; ; ) {
    const page = await db
      .select({ id: samples.id, row: samples.position, source: samples.source })
      .from(samples)
      .where(and(eq(samples.datasetId, datasetId), gt(samples.position, last), lte(samples.position, end)))
      .orderBy(asc(samples.position))
      .limit(pageRows);
    const ids = page.map((sample) => sample.id);
    const found = await db
      .selectDistinctOn([labels.sampleId, labels.turn, labels.attribute])
      .from(labels)
      .where(and(inArray(labels.sampleId, ids), madeBy(labels, { id, revision })))
      .orderBy(labels.sampleId, labels.turn, labels.attribute, desc(labels.id));
    const replies = gather(found);
    for (const { id: sampleId, row, source } of page) {
      for (const [turn, told] of replies.get(sampleId) ?? []) yield { row, sampleId, source, turn, ...told };
    }
    if (page.length < pageRows) return;
    last = page.at(-1)!.row;
  }
}

type Told = Pick<LabelledReply, 'attributes' | 'unlike'>;

/** What is told of each reply, by sample and turn. */
function gather(found: (typeof labels.$inferSelect)[]): Map<number, Map<number, Told>> {
  const bySample = new Map<number, Map<number, Told>>();
  for (const { sampleId, turn, attribute, value, level, confidence, unlike } of found) {
    const turns = bySample.get(sampleId) ?? new Map<number, Told>();
    const attributes = { ...turns.get(turn)?.attributes, [attribute]: { value, level, confidence } };
    bySample.set(sampleId, turns.set(turn, { attributes, unlike }));
  }
  return bySample;
}
