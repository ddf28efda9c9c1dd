// Scores of text unlike what the shipped predictor was trained on say so: over the scoring route, with chat replies, and at the end of a labelling job.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateCorpus } from '../../models/corpus/grammar.ts';
import { findJob, listEvents } from '../../src/jobs/jobs.ts';
import { labellingJob } from '../../src/predictor/labelling-job.ts';
import { openPredictor } from '../../src/predictor/open.ts';
import type { Predictor } from '../../src/predictor/predictor.ts';
import { labels } from '../../src/store/schema.ts';
import { importText } from '../datasets/import-text.ts';
import { attemptByHand, openWorkshop, type Workshop } from '../jobs/workshop.ts';
import { openPglite } from '../store/databases.ts';
import { openHouse, post } from './knock.ts';

const ordinary = ['I will kill you.', 'What is the capital of France?', 'I hate you.', 'Click the button to continue.'];
const fresh = [...generateCorpus({ seed: 90_210, conversations: 200 })]
  .flatMap(({ conversation }) => conversation.turns.filter(({ role }) => role === 'assistant').map(({ content }) => content))
  .slice(0, 100);
const exchange = (content: string) => ({
  messages: [
    { role: 'user', content: 'Well?' },
    { role: 'assistant', content },
  ],
});

let predictor: Predictor;
beforeAll(async () => {
  predictor = await openPredictor('models/npc-predictor', { threads: 1 });
});
afterAll(() => predictor.dispose());

function house(more: Parameters<typeof openHouse>[1] = {}) {
  const opened = openHouse({}, more);
  opened.shelf.predictors = [predictor];
  return opened;
}

test('ordinary text is told apart from fresh lines of the ground, and no score changes', async () => {
  const { status, body } = await post(house(), '/v1/attributes/score', { inputs: [...ordinary, ...fresh].map(exchange) });
  expect(status).toBe(200);
  const grounds = body.data.map(({ ground }: { ground?: { unseen: number; unlike: boolean } }) => ground);
  for (const ground of grounds.slice(0, ordinary.length)) expect(ground).toMatchObject({ unlike: true });
  expect(grounds[0].unseen).toBeGreaterThan(0.4);
  const like = grounds.slice(ordinary.length).filter((ground: { unlike: boolean } | undefined) => !ground?.unlike);
  expect(like.length).toBeGreaterThanOrEqual(95);
  expect(body.data[0].attributes.toxicity).toMatchObject({ value: expect.any(Number), confidence: expect.any(Number) });
});

test('a chat reply that is measured says so, chosen among several or not', async () => {
  const messages = [{ role: 'user', content: 'The parliament will vote on the fishing quota' }];
  for (const steering of [{ measure: true }, { best_of: 2 }]) {
    const { body } = await post(house(), '/v1/chat/completions', { messages, max_tokens: 12, steering });
    expect(body.choices[0], JSON.stringify(body)).toMatchObject({ steering: { ground: { unlike: expect.any(Boolean) } } });
  }
});

/** What the output of a labelling job says of each row. */
async function unlikeRows({ app }: ReturnType<typeof house>, id: string): Promise<(boolean | undefined)[]> {
  const lines = (await (await app.request(`/v1/jobs/${id}/output`)).text()).trim().split('\n');
  return lines.map((line) => JSON.parse(line).unlike);
}

test('a labelling job counts the replies its labels say little of, also those that were known', async () => {
  const store = await openPglite();
  const opened = house({ db: store.db });
  let read = 0;
  const groundOf = (reply: string) => {
    read++;
    return predictor.groundOf!(reply);
  };
  opened.shelf.predictors = [{ ...predictor, groundOf }];
  const workshop = await openWorkshop(store, [labellingJob(opened.shelf)]);
  try {
    await importText(store.db, 'mixed', [...ordinary, ...ordinary.slice(0, 1), ...fresh.slice(0, 5)].map(exchange));
    // What a score or a label says is not read again, and equal replies once.
    for (const readings of [0, 9]) {
      const { body } = await post(opened, '/v1/datasets/mixed/label', {});
      const job = await workshop.ended(body.id);
      expect(job.result).toEqual({ rows: 10, failed: 0, cached: job.progress.cached, replies: 10, unlike: 5 });
      const events = await listEvents(store.db, body.id, { limit: 50 });
      const told = '5 of 10 replies are unlike what npc-predictor was trained on; its labels say little there.';
      expect(events).toContainEqual(expect.objectContaining({ level: 'warn', message: told }));
      expect(await unlikeRows(opened, body.id)).toEqual([...Array(5).fill(true), ...Array(5).fill(false)]);
      expect(read).toBe(readings);
      // As an earlier version stored them: the next job completes them.
      await store.db.update(labels).set({ unlike: null });
      expect(await unlikeRows(opened, body.id)).toEqual(Array(10).fill(undefined));
    }
  } finally {
    await workshop.close();
    await store.close();
  }
});

test('a labelling job that an earlier version began counts the rows that carry it', async () => {
  const store = await openPglite();
  const opened = house({ db: store.db });
  const definition = labellingJob(opened.shelf);
  let workshop: Workshop | undefined;
  try {
    await importText(store.db, 'begun', [...Array(10).fill(ordinary).flat(), ...fresh.slice(0, 5)].map(exchange));
    const { body } = await post(opened, '/v1/datasets/begun/label', {});
    let steps = 0;
    await attemptByHand(store, await findJob(store.db, body.id), definition, async (step, claim) => {
      if (++steps > 1) throw new Error('killed');
      const { replies: _, unlike: __, ...progress } = step.progress;
      await claim.commit({ ...step, progress });
      await store.db.update(labels).set({ unlike: null });
    });
    expect(steps).toBe(2);
    workshop = await openWorkshop(store, [definition]);
    const { result } = await workshop.ended(body.id);
    const told = (await unlikeRows(opened, body.id)).filter((unlike) => unlike !== undefined);
    expect(told.length).toBeLessThan(45);
    expect(result).toMatchObject({ rows: 45, replies: told.length, unlike: told.filter(Boolean).length });
  } finally {
    await workshop?.close();
    await store.close();
  }
});
