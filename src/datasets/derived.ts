// Stores samples that other rooms made, not a file, as the next version of a dataset: a few at a time, published once all are there. Their labels
// are people's or a predictor's.
import { and, desc, eq, gte } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import { giveWay } from '../event-loop.ts';
import { type AttributeSchema, nearestLevel } from '../steerlm/attributes.ts';
import type { Db, Tx } from '../store/connect.ts';
import { datasets, samples as sampleTable } from '../store/schema.ts';
import { DistinctCount } from './distinct-count.ts';
import { inBatches } from './in-batches.ts';
import { holdName, versionsOf } from './numbers.ts';
import { contentHash, type Sample } from './sample.ts';
import type { Dataset } from './samples.ts';
import { publish, writeVersion } from './unpublished.ts';
import { VersionHash } from './version-hash.ts';
import { checkName } from './versions.ts';
import { appendLabels, type NewLabel, SampleWriter } from './write.ts';

/** One attribute of one turn, and who says so. */
export type DerivedLabel = Omit<NewLabel, 'sampleId' | 'level'>;

export interface DerivedSample {
  /** Labels in its turns are kept as they came with it. */
  sample: Sample;
  labels: DerivedLabel[];
}

export interface DerivedDataset {
  name: string;
  /** Says what made it. */
  format: string;
  schema: AttributeSchema | null;
  /** The samples in order; each call begins anew. */
  samples(): AsyncIterable<DerivedSample>;
  /** What else belongs to the version and makes it another one. */
  beside?: string;
}

const batchSamples = 200;

/** What was written and can be published. */
export type Written = Parameters<typeof publish>[2];

/** Writes the samples into the version of that id, which whoever called this publishes. */
export async function writeDerived(
  db: Db,
  id: string,
  { name, format, schema, samples, beside }: DerivedDataset,
): Promise<Written> {
  const writer = new SampleWriter(db, id);
  const hash = new VersionHash();
  const conversations = new DistinctCount();
  let sampleCount = 0;
  for await (const batch of inBatches(samples(), batchSamples)) {
    for (const each of batch) {
      const own = addTo(hash, each);
      conversations.add(each.sample.conversationId);
      await writer.add(each.sample, own, { schema, author: format, rules: {} });
      await giveWay();
    }
    await writer.flush();
    await appendLabels(db, await labelRows(db, id, sampleCount, batch, schema));
    sampleCount += batch.length;
  }
  return { name, format, schema, hash: hash.digest(schema, beside), sampleCount, conversationCount: conversations.count };
}

/**
 * Stores the next version of the name, unless the newest says the same already: then that one. `writeMore` writes what else belongs to the version.
 * A name belongs to one maker; throws `conflict` for one that datasets of another format have, `invalid_request` for what is no name.
 */
export async function storeUnlessSame(
  db: Db,
  derived: DerivedDataset,
  writeMore: (id: string) => Promise<void>,
): Promise<{ dataset: Dataset; created: boolean }> {
  checkName(derived.name, 'dataset');
  const same = await findSame(db, derived, await hashOf(derived));
  if (same) return { dataset: same, created: false };
  return await writeVersion(db, async (id) => {
    const written = await writeDerived(db, id, derived);
    await writeMore(id);
    return await db.transaction(async (tx) => {
      await holdName(tx, derived.name);
      // One that was at it at the same time may have been faster.
      const same = await findSame(tx, derived, written.hash);
      return same ? { dataset: same, created: false } : { dataset: await publish(tx, id, written), created: true };
    });
  });
}

/** The newest version where it has the hash. Throws `conflict` where another maker has the name. */
async function findSame(db: Db | Tx, { name, format }: DerivedDataset, hash: string): Promise<Dataset | null> {
  const [newest] = await db.select().from(datasets).where(versionsOf(name)).orderBy(desc(datasets.version)).limit(1);
  if (newest && newest.format !== format) {
    throw new SteerError(
      'conflict',
      `There is a dataset named ${name} already that came from ${newest.format}. Choose another name.`,
      { details: { param: 'dataset' } },
    );
  }
  return newest?.hash === hash ? newest : null;
}

async function hashOf({ samples, schema, beside }: DerivedDataset): Promise<string> {
  const hash = new VersionHash();
  for await (const each of samples()) {
    addTo(hash, each);
    await giveWay();
  }
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
async function labelRows(db: Db, datasetId: string, from: number, batch: DerivedSample[], schema: AttributeSchema | null) {
  const stored = await db
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
