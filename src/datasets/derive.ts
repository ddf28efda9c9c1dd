// Stores replies a model wrote and a predictor rated as a dataset of their own, in the transaction of whoever made them.
// Knows neither model: what they said comes as data.
import { createHash } from 'node:crypto';
import { and, eq, gte } from 'drizzle-orm';
import { type AttributeSchema, type Conversation, nearestLevel } from '../steerlm.ts';
import type { Tx } from '../store/connect.ts';
import { datasets, samples } from '../store/schema.ts';
import { contentHash, type Sample } from './sample.ts';
import { splitOf } from './split.ts';
import { createVersion } from './versions.ts';
import { appendLabels, type NewLabel, SampleWriter } from './write.ts';

export interface RatedReply {
  /** Ends with the reply; labels of earlier turns are kept. */
  conversation: Conversation;
  conversationId: string;
  /** By attribute of the schema. */
  ratings: Record<string, { value: number; probabilities: number[]; confidence: number }>;
}

export interface DerivedDataset {
  /** A new UUID, so that whoever stores the dataset can name it before it is there. */
  id: string;
  /** A name used before gets its next version. */
  name: string;
  format: string;
  schema: AttributeSchema;
  /** The predictor whose ratings become labels. */
  rater: { id: string; revision: string };
}

const batchReplies = 500;

/** Stores the replies in order, each rating a label of source `model` on the last turn; answers how many there were. */
export async function deriveDataset(tx: Tx, derived: DerivedDataset, replies: AsyncIterable<RatedReply>): Promise<number> {
  const { id, name, format, schema } = derived;
  await createVersion(tx, name, id);
  const hash = createHash('sha256');
  const conversations = new Set<string>();
  let count = 0;
  const writer = new SampleWriter(tx, id);
  for await (const batch of inBatches(replies)) {
    for (const reply of batch) {
      const sample = sampleOf(reply);
      const own = contentHash(sample.content);
      hash.update(`${own} ${JSON.stringify(reply.ratings)}\n`);
      conversations.add(reply.conversationId);
      await writer.add(sample, own, { schema, author: format, rules: {} });
    }
    await writer.flush();
    await labelBatch(tx, derived, id, count, batch);
    count += batch.length;
  }
  const counts = { sampleCount: count, conversationCount: conversations.size };
  await tx
    .update(datasets)
    .set({ format, schema, hash: hash.digest('hex'), ...counts })
    .where(eq(datasets.id, id));
  return count;
}

function sampleOf({ conversation, conversationId }: RatedReply): Sample {
  return { content: { kind: 'conversation', conversation }, conversationId, source: null, split: splitOf(conversationId) };
}

async function labelBatch(tx: Tx, { schema, rater }: DerivedDataset, datasetId: string, from: number, batch: RatedReply[]) {
  const stored = await tx
    .select({ id: samples.id, position: samples.position })
    .from(samples)
    .where(and(eq(samples.datasetId, datasetId), gte(samples.position, from)));
  const labels = stored.flatMap(({ id: sampleId, position }) => {
    const { conversation, ratings } = batch[position - from]!;
    return schema.attributes.flatMap((attribute): NewLabel[] => {
      const rating = ratings[attribute.name];
      if (!rating) return [];
      const { value, probabilities, confidence } = rating;
      const made = { source: 'model', author: rater.id, revision: rater.revision } as const;
      const turn = conversation.turns.length - 1;
      const level = nearestLevel(attribute, value);
      return [{ sampleId, turn, attribute: attribute.name, value, level, probabilities, confidence, ...made }];
    });
  });
  await appendLabels(tx, labels);
}

async function* inBatches(replies: AsyncIterable<RatedReply>): AsyncGenerator<RatedReply[]> {
  let batch: RatedReply[] = [];
  for await (const reply of replies) {
    if (batch.push(reply) < batchReplies) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
