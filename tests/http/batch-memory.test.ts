// Replies to the lines of a batch are remembered with the step that stores them: however often a worker dies, each is there once, under the
// id its output tells.
import { asc } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createBatch, toBatch } from '../../src/batches/batch.ts';
import { batchJob } from '../../src/batches/batch-job.ts';
import { readFile, storeFile } from '../../src/files/files.ts';
import { answerBy } from '../../src/http/answer.ts';
import type { Store } from '../../src/store/connect.ts';
import { completions } from '../../src/store/schema.ts';
import { batchResults } from '../../src/store/work-schema.ts';
import { attemptByHand, openWorkshop } from '../jobs/workshop.ts';
import { testDatabases } from '../store/databases.ts';
import { type House, knock, openHouse, post } from './knock.ts';

const endpoint = '/v1/chat/completions';
const count = 70;
const lines = Array.from({ length: count }, (_, i) => {
  const special = i === 3 ? { n: 2 } : i === 5 ? { store: false } : i === 7 ? { attributes: { humor: 99 } } : {};
  const body = { messages: [{ role: 'user', content: `Question ${i}` }], seed: i, ...special };
  return JSON.stringify({ custom_id: `row-${i}`, method: 'POST', url: endpoint, body });
});

describe.each(await testDatabases())('on $name', (database) => {
  let store: Store;
  let house: House;
  beforeAll(async () => {
    store = await database.open();
    house = openHouse({}, { db: store.db });
  }, 60_000);
  afterEach(() => vi.useRealTimers());
  afterAll(() => store.close());

  const makeBatch = async () => {
    const content = (async function* () {
      yield Buffer.from(lines.join('\n'));
    })();
    const { id: inputFileId } = await storeFile(store.db, { filename: 'in.jsonl', purpose: 'batch', content });
    return (await createBatch(store.db, { inputFileId, endpoint, metadata: null })).job;
  };
  const stored = async () => [await store.db.$count(batchResults), await store.db.$count(completions)];

  test('deaths before, inside and after a step leave every reply remembered once', async () => {
    const job = await makeBatch();
    const definition = batchJob(answerBy(house.app, undefined));
    // Steps end after 64 answers or a second; however slow the machine, here they have 64.
    vi.useFakeTimers({ toFake: ['performance'] });
    const deaths: Record<string, number[]> = {};
    await attemptByHand(store, job, definition, async (step, claim) => {
      if (step.progress.phase !== 'in_progress') throw new Error('died with answers not stored');
      await claim.commit(step);
    });
    deaths.before = await stored();
    const asked = house.model.requests.length;
    await attemptByHand(store, job, definition, async (step, claim) => {
      const write: typeof step.write = async (tx) => {
        await step.write?.(tx);
        throw new Error('died inside the step');
      };
      await claim.commit({ ...step, write });
    });
    deaths.inside = await stored();
    await attemptByHand(store, job, definition, async (step, claim) => {
      await claim.commit(step);
      throw new Error('died after the step');
    });
    deaths.after = await stored();
    // Of the first 64 lines one asks for two replies, one forbids to keep its reply and one is refused.
    expect([asked > 0, deaths]).toEqual([true, { before: [0, 0], inside: [0, 0], after: [64, 63] }]);

    vi.useRealTimers();
    const workshop = await openWorkshop(store, [definition]);
    const { status, cursor } = toBatch(await workshop.ended(job.id));
    await workshop.close();
    expect([status, cursor!.errorFileId === null]).toEqual(['completed', false]);
    const pieces: Uint8Array[] = [];
    for await (const piece of readFile(store.db, cursor!.outputFileId!)) pieces.push(piece);
    const output = Buffer.concat(pieces).toString().trimEnd().split('\n');
    const told = output.map((line) => JSON.parse(line)).filter(({ custom_id }) => custom_id !== 'row-5');
    const kept = await store.db.select().from(completions).orderBy(asc(completions.seed), asc(completions.choice));
    expect(kept.map(({ id, choice, seed }) => [id, choice, `row-${seed}`])).toEqual(
      told.flatMap(({ custom_id, response: { body } }) =>
        body.choices.map((_: unknown, choice: number) => [body.id, choice, custom_id]),
      ),
    );
    expect([output.length, told.length, kept.length]).toEqual([count - 1, count - 2, count - 1]);

    const completion_id = told[0].response.body.id;
    expect((await post(house, '/v1/feedback', { rater: 'ann', completion_id, ratings: { humor: 3 } })).status).toBe(200);
    expect((await knock(house, `/v1/chat/completions/${completion_id}`)).body.choices[0].message.content).toBe(kept[0]!.reply);
  });
});
