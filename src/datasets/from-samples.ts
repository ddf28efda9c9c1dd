// Stores samples that other rooms made, not a file: as the next version of a dataset, unless the newest says the same already.
// Knows nothing of where they come from.
import { createHash } from 'node:crypto';
import { asc, desc, eq, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import { type AttributeSchema, nearestLevel } from '../steerlm.ts';
import type { Tx } from '../store/connect.ts';
import { datasets, samples as sampleTable } from '../store/schema.ts';
import { contentHash, type Sample, type SampleContent } from './sample.ts';
import type { Dataset } from './samples.ts';
import { checkName, createVersion } from './versions.ts';
import { appendLabels, type NewLabel, SampleWriter } from './write.ts';

export interface MadeSample {
  /** Labels in its turns are stored as made by people. */
  sample: Sample;
  /** Who stands behind the labels. */
  author: string;
}

export interface MadeDataset {
  name: string;
  /** Says what made it; a name belongs to one maker. */
  format: string;
  schema: AttributeSchema | null;
  samples: readonly MadeSample[];
  /** What else belongs to the version and makes it another one. */
  extra: string;
}

/** The new version, or the newest where nothing has changed. Throws `conflict` for a name that datasets of another format have. */
export async function storeVersion(tx: Tx, made: MadeDataset): Promise<{ dataset: Dataset; created: boolean }> {
  const { name, format, schema } = made;
  checkName(name, 'dataset');
  // Two at once would not see each other's version and store the same twice.
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`);
  const [newest] = await tx.select().from(datasets).where(eq(datasets.name, name)).orderBy(desc(datasets.version)).limit(1);
  if (newest && newest.format !== format) {
    throw new SteerError(
      'conflict',
      `There is a dataset named ${name} already that came from ${newest.format}. Choose another name.`,
      { details: { param: 'dataset' } },
    );
  }
  const hash = hashOf(made);
  if (newest?.hash === hash) return { dataset: newest, created: false };
  const { id } = await createVersion(tx, name);
  const conversations = new Set(made.samples.map(({ sample }) => sample.conversationId));
  const counts = { sampleCount: made.samples.length, conversationCount: conversations.size };
  const [dataset] = await tx
    .update(datasets)
    .set({ format, schema, hash, ...counts })
    .where(eq(datasets.id, id))
    .returning();
  await writeSamples(tx, id, made);
  return { dataset: dataset!, created: true };
}

async function writeSamples(tx: Tx, datasetId: string, { samples, schema, format }: MadeDataset): Promise<void> {
  const writer = new SampleWriter(tx, datasetId);
  for (const { sample } of samples) {
    const content = withoutLabels(sample.content);
    await writer.add({ ...sample, content }, contentHash(content), { schema, author: format, rules: {} });
  }
  await writer.flush();
  const stored = await tx
    .select({ id: sampleTable.id })
    .from(sampleTable)
    .where(eq(sampleTable.datasetId, datasetId))
    .orderBy(asc(sampleTable.position));
  await appendLabels(
    tx,
    samples.flatMap((sample, i) => labelRows(sample, stored[i]!.id, schema)),
  );
}

function labelRows({ sample, author }: MadeSample, sampleId: number, schema: AttributeSchema | null): NewLabel[] {
  if (sample.content.kind === 'text') return [];
  return sample.content.conversation.turns.flatMap(({ label }, turn) =>
    Object.entries(label ?? {}).map(([name, value]): NewLabel => {
      const attribute = schema?.attributes.find((known) => known.name === name);
      const level = attribute ? nearestLevel(attribute, value) : Math.round(value);
      return { sampleId, turn, attribute: name, value, level, source: 'human', author };
    }),
  );
}

function withoutLabels(content: SampleContent): SampleContent {
  if (content.kind === 'text') return content;
  const { system, turns } = content.conversation;
  return { kind: 'conversation', conversation: { system, turns: turns.map(({ role, content }) => ({ role, content })) } };
}

function hashOf({ samples, extra }: MadeDataset): string {
  const hash = createHash('sha256');
  for (const { sample, author } of samples) {
    const labels = sample.content.kind === 'text' ? [] : sample.content.conversation.turns.map(({ label }) => sorted(label));
    hash.update(`${contentHash(sample.content)} ${JSON.stringify([labels, author])}\n`);
  }
  return hash.update(extra).digest('hex');
}

function sorted(label: Record<string, number> | undefined): [string, number][] {
  return Object.entries(label ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}
