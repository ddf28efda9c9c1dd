import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/connect.ts';
import * as feedbackSchema from '../../src/store/feedback-schema.ts';
import { migrateStore } from '../../src/store/migrate.ts';
import * as npcSchema from '../../src/store/npc-schema.ts';
import * as schema from '../../src/store/schema.ts';
import * as workSchema from '../../src/store/work-schema.ts';
import { testDatabases } from './databases.ts';

const migrations = join(import.meta.dirname, '..', '..', 'migrations');

test('the migrations lead to exactly the schema of the code', async () => {
  const snapshots = readdirSync(join(migrations, 'meta')).filter((name) => name.endsWith('_snapshot.json'));
  const newest = JSON.parse(readFileSync(join(migrations, 'meta', snapshots.sort().at(-1)!), 'utf8'));
  const missing = await generateMigration(
    newest,
    generateDrizzleJson({ ...schema, ...workSchema, ...feedbackSchema, ...npcSchema }),
  );
  expect(missing, 'run npm run migrations:generate').toEqual([]);
});

describe.each(await testDatabases())('store on $name', ({ open }) => {
  let store: Store;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store.close());

  const dataset = (name: string) => ({ name, format: 'openai', hash: 'h', sampleCount: 1, conversationCount: 1 });
  const sample = (datasetId: string, position: number) => ({
    datasetId,
    position,
    conversation: 'c',
    split: 'train' as const,
    contentHash: 'h',
  });

  test('stores JSON, arrays, dates and large numbers and reads them back alike', async () => {
    const [created] = await store.db.insert(schema.datasets).values(dataset('round trip')).returning();
    expect(created!.createdAt).toBeInstanceOf(Date);
    const messages = { system: '', turns: [{ role: 'user' as const, content: 'Grüße 🎲 <extra_id_1>' }] };
    const [stored] = await store.db
      .insert(schema.samples)
      .values({ ...sample(created!.id, 0), messages })
      .returning();
    expect(stored!.messages).toEqual(messages);
    const label = { sampleId: stored!.id, turn: 0, attribute: 'humor', level: 3, source: 'model' as const, author: 'apm' };
    await store.db.insert(schema.labels).values({ ...label, value: 2.6, probabilities: [0.25, 0.75], confidence: 0.5 });
    const [read] = await store.db.select().from(schema.labels).where(eq(schema.labels.sampleId, stored!.id));
    expect(read).toMatchObject({ value: 2.6, probabilities: [0.25, 0.75], confidence: 0.5, revision: null });

    const completion = { model: 'm', revision: 'r', request: { n: 1 }, requested: { humor: null }, applied: { humor: 4 } };
    const rest = { seed: 2 ** 53 - 1, reply: 'hi', finishReason: 'stop', promptTokens: 1, completionTokens: 1 };
    const [told] = await store.db
      .insert(schema.completions)
      .values({ id: 'c1', choice: 0, ...completion, ...rest })
      .returning();
    expect(told).toMatchObject({ ...completion, ...rest, measured: null });
  });

  test('refuses a sample that is neither conversation nor text, and drops samples and labels with their dataset', async () => {
    const [created] = await store.db.insert(schema.datasets).values(dataset('short-lived')).returning();
    await expect(store.db.insert(schema.samples).values(sample(created!.id, 0))).rejects.toThrow();
    await store.db.insert(schema.samples).values({ ...sample(created!.id, 0), text: 'once' });
    await store.db.delete(schema.datasets).where(eq(schema.datasets.id, created!.id));
    expect(await store.db.$count(schema.samples, eq(schema.samples.datasetId, created!.id))).toBe(0);
  });

  test('a failed transaction leaves nothing', async () => {
    const failing = store.db.transaction(async (tx) => {
      await tx.insert(schema.datasets).values(dataset('half-done'));
      throw new Error('stop');
    });
    await expect(failing).rejects.toThrow('stop');
    expect(await store.db.$count(schema.datasets, eq(schema.datasets.name, 'half-done'))).toBe(0);
  });

  test('migrating again changes nothing', async () => {
    expect(await migrateStore(store.db)).toBe(0);
  });

  test('two migrations at once apply every file once', async () => {
    const empty = await open({ migrate: false });
    const applied = await Promise.all([migrateStore(empty.db), migrateStore(empty.db)]);
    const files = readdirSync(migrations).filter((name) => name.endsWith('.sql')).length;
    expect(applied.toSorted()).toEqual([0, files]);
    expect(await empty.db.$count(schema.datasets)).toBe(0);
    await empty.close();
  });

  test('a database with foreign tables is told apart in one line and left as it was', async () => {
    const foreign = await open({ migrate: false });
    await foreign.db.execute(sql`create table labels (id int)`);
    await expect(migrateStore(foreign.db)).rejects.toMatchObject({
      code: 'database_unavailable',
      message: expect.stringMatching(/^Cannot migrate the database: relation "labels" already exists\..*$/),
    });
    await expect(foreign.db.execute(sql`select 1 from datasets`)).rejects.toThrow();
    await foreign.close();
  });
});
