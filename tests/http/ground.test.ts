// Scores of text unlike what the shipped predictor was trained on say so: over the scoring route, with chat replies, and at the end of a labelling job.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateCorpus } from '../../models/corpus/grammar.ts';
import { listEvents } from '../../src/jobs/jobs.ts';
import { labellingJob } from '../../src/predictor/labelling-job.ts';
import { openPredictor } from '../../src/predictor/open.ts';
import type { Predictor } from '../../src/predictor/predictor.ts';
import { importText } from '../datasets/import-text.ts';
import { openWorkshop } from '../jobs/workshop.ts';
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

test('a labelling job counts the replies its labels say little of, also those that were known', async () => {
  const store = await openPglite();
  const opened = house({ db: store.db });
  const workshop = await openWorkshop(store, [labellingJob(opened.shelf)]);
  try {
    await importText(store.db, 'mixed', [...ordinary, ...ordinary.slice(0, 1), ...fresh.slice(0, 5)].map(exchange));
    for (const _ of ['labelled', 'known']) {
      const { body } = await post(opened, '/v1/datasets/mixed/label', {});
      const job = await workshop.ended(body.id);
      expect(job.result).toEqual({ rows: 10, failed: 0, cached: job.progress.cached, replies: 10, unlike: 5 });
      const events = await listEvents(store.db, body.id, { limit: 50 });
      const told = '5 of 10 replies are unlike what npc-predictor was trained on; its labels say little there.';
      expect(events).toContainEqual(expect.objectContaining({ level: 'warn', message: told }));
      const lines = (await (await opened.app.request(`/v1/jobs/${body.id}/output`)).text()).trim().split('\n');
      const unlike = lines.map((line) => JSON.parse(line).unlike ?? false);
      expect(unlike).toEqual([...Array(5).fill(true), ...Array(5).fill(false)]);
    }
  } finally {
    await workshop.close();
    await store.close();
  }
});
