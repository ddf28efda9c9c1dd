// Stores samples that other rooms made, not a file, as the next version of a dataset: a few at a time, in the transaction of whoever made them. Their
// labels are people's or a predictor's.
import { and, countDistinct, desc, eq, gte, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import { type AttributeSchema, nearestLevel } from '../steerlm/attributes.ts';
import type { Tx } from '../store/connect.ts';
import { datasets, samples as sampleTable } from '../store/schema.ts';
import { inBatches } from './in-batches.ts';
import { versionsOf } from './numbers.ts';
import { contentHash, type Sample } from './sample.ts';
import type { Dataset } from './samples.ts';
import { VersionHash } from './version-hash.ts';
import { checkName, createVersion } from './versions.ts';
import { appendLabels, type NewLabel, SampleWriter } from './write.ts';

/** One attribute of one turn, and who says so. */
export type DerivedLabel = Omit<NewLabel, 'sampleId' | 'level'>;

export interface DerivedSample {
  /** Labels in its turns are kept as they came with it. */
  sample: Sample;
  labels: DerivedLabel[];
}

export interface DerivedDataset {
  /** A new UUID, so that whoever stores the dataset can name it before it is there; made up when absent. */
  id?: string;
  name: string;
  /** Says what made it. */
  format: string;
  schema: AttributeSchema | null;
  /** The samples in order; each call begins anew. */
  samples(): AsyncIterable<DerivedSample>;
  /** What else belongs to the version and makes it another one. */
  beside?: string;
}

const batchSamples = 500;

/** Stores the next version of the name. */
export async function storeDerived(tx: Tx, { id, name, format, schema, samples, beside }: DerivedDataset): Promise<Dataset> {
  const { id: datasetId } = await createVersion(tx, name, id);
  const writer = new SampleWriter(tx, datasetId);
  const hash = new VersionHash();
  let sampleCount = 0;
  for await (const batch of inBatches(samples(), batchSamples)) {
    for (const each of batch) {
      const own = addTo(hash, each);
      await writer.add(each.sample, own, { schema, author: format, rules: {} });
    }
    await writer.flush();
    await appendLabels(tx, await labelRows(tx, datasetId, sampleCount, batch, schema));
    sampleCount += batch.length;
  }
  const [distinct] = await tx
    .select({ conversations: countDistinct(sampleTable.conversation) })
    .from(sampleTable)
    .where(eq(sampleTable.datasetId, datasetId));
  const [stored] = await tx
    .update(datasets)
    .set({ format, schema, hash: hash.digest(schema, beside), sampleCount, conversationCount: distinct!.conversations })
    .where(eq(datasets.id, datasetId))
    .returning();
  return stored!;
}

/**
 * The same, unless the newest version says the same already: then that one. A name belongs to one maker; throws `conflict` for one that datasets
 * of another format have, `invalid_request` for what is no name.
 */
export async function storeUnlessSame(tx: Tx, derived: DerivedDataset): Promise<{ dataset: Dataset; created: boolean }> {
  const { name, format } = derived;
  checkName(name, 'dataset');
  // Two at once would not see each other's version and store the same twice.
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`);
  const [newest] = await tx.select().from(datasets).where(versionsOf(name)).orderBy(desc(datasets.version)).limit(1);
  if (newest && newest.format !== format) {
    throw new SteerError(
      'conflict',
      `There is a dataset named ${name} already that came from ${newest.format}. Choose another name.`,
      { details: { param: 'dataset' } },
    );
  }
  if (newest && newest.hash === (await hashOf(derived))) return { dataset: newest, created: false };
  return { dataset: await storeDerived(tx, derived), created: true };
}

async function hashOf({ samples, schema, beside }: DerivedDataset): Promise<string> {
  const hash = new VersionHash();
  for await (const each of samples()) addTo(hash, each);
  return hash.digest(schema, beside);
}

/** The sample's own hash. */
function addTo(hash: VersionHash, { sample, labels }: DerivedSample): string {
  const own = contentHash(sample.content);
  const spelled = labels.map(({ turn, attribute, value, source, author, revision, probabilities, confidence }) => {
    return [turn, attribute, value, source, author, revision, probabilities, confidence];
  });
  hash.add(sample, own, spelled);
  return own;
}

/** `batch` is what was stored from position `from` on. */
async function labelRows(tx: Tx, datasetId: string, from: number, batch: DerivedSample[], schema: AttributeSchema | null) {
  const stored = await tx
    .select({ id: sampleTable.id, position: sampleTable.position })
    .from(sampleTable)
    .where(and(eq(sampleTable.datasetId, datasetId), gte(sampleTable.position, from)));
  return stored.flatMap(({ id: sampleId, position }) =>
    batch[position - from]!.labels.map((label): NewLabel => {
      const attribute = schema?.attributes.find(({ name }) => name === label.attribute);
      const level = attribute ? nearestLevel(attribute, label.value) : Math.round(label.value);
      return { ...label, sampleId, level };
    }),
  );
}
