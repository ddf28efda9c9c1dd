// /v1/jobs over jobs of a made-up kind: looked at, filtered, paused and resumed, and their events as a list and as a stream.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { SteerError } from '../../src/errors.ts';
import { defineJob, type JobContext } from '../../src/jobs/define.ts';
import { addEvent, createJob } from '../../src/jobs/jobs.ts';
import type { Store } from '../../src/store/connect.ts';
import { openWorkshop, type Workshop } from '../jobs/workshop.ts';
import { openPglite } from '../store/databases.ts';
import { type House, knock, openHouse } from './knock.ts';

let store: Store;
let workshop: Workshop;
let house: House;
let release: () => void = () => {};
const held = new Promise<void>((resolve) => {
  release = resolve;
});

/** Makes a step and notes it; then waits until let go, where asked to. */
async function tick({ input, commit, note, signal }: JobContext<{ hold: boolean }>): Promise<Record<string, unknown>> {
  await commit({ cursor: 1, progress: { total: 4, completed: 1 } });
  await note('info', 'one is done', { step: 1 });
  const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  if (input.hold) await Promise.race([held, stopped]);
  if (signal.aborted) throw new SteerError('cancelled', 'Stopped.');
  await commit({ cursor: 2, progress: { completed: 4 } });
  return { ticks: 4 };
}

beforeAll(async () => {
  store = await openPglite();
  house = openHouse({}, { db: store.db });
  const ticking = defineJob({ name: 'tick', queue: 'inference', input: z.object({ hold: z.boolean() }), run: tick });
  workshop = await openWorkshop(store, [ticking]);
});
afterAll(async () => {
  await workshop.close();
  await store.close();
});

const make = async (kind = 'tick', hold = false) => (await createJob(store.db, { kind, prefix: 'job_', input: { hold } })).job.id;
const act = (id: string, act: string) => knock(house, `/v1/jobs/${id}/${act}`, { method: 'POST' });

test('a job tells how far it is and how fast it goes', async () => {
  const id = await make();
  await workshop.ended(id);
  const { body } = await knock(house, `/v1/jobs/${id}`);
  expect(body).toMatchObject({ id, object: 'job', kind: 'tick', status: 'succeeded', wish: null, attempt: 1, error: null });
  expect(body).toMatchObject({ progress: { total: 4, completed: 4 }, result: { ticks: 4 }, eta_seconds: null });
  expect(body.rows_per_second).toBeGreaterThan(0);
  expect(body.finished_at).toBeGreaterThanOrEqual(body.created_at);
});

test('jobs are listed newest first, by kind and status, in pages', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    ids.unshift(await make('nobody'));
    // Jobs of the same millisecond have no order.
    await sleep(2);
  }
  const listed = async (query: string) => (await knock(house, `/v1/jobs?${query}`)).body;
  const ofKind = await listed('kind=nobody');
  expect(ofKind.data.map(({ id }: { id: string }) => id)).toEqual(ids);
  const first = await listed('kind=nobody&limit=2');
  expect([first.has_more, first.last_id]).toEqual([true, ids[1]]);
  const second = await listed(`kind=nobody&limit=3&after=${ids[1]}`);
  expect([second.has_more, second.data.map(({ id }: { id: string }) => id)]).toEqual([false, ids.slice(2)]);
  expect((await listed('kind=nobody&status=succeeded')).data).toEqual([]);
  expect((await listed('status=succeeded')).data.map(({ kind }: { kind: string }) => kind)).toEqual(['tick']);
  expect((await knock(house, '/v1/jobs?status=happy')).body.error.param).toBe('status');
  expect((await knock(house, '/v1/jobs?after=job_none')).status).toBe(404);
});

test('pause, resume and cancel', async () => {
  const waiting = await make('nobody');
  expect((await act(waiting, 'pause')).body.status).toBe('paused');
  expect((await act(waiting, 'resume')).body.status).toBe('queued');
  expect((await act(waiting, 'cancel')).body.status).toBe('cancelled');
  const late = await act(waiting, 'resume');
  expect([late.status, late.body.error.code]).toEqual([409, 'conflict']);
  const running = await make('tick', true);
  await workshop.until(running, ({ progress }) => progress.completed > 0);
  expect((await act(running, 'cancel')).body).toMatchObject({ status: 'running', wish: 'cancel' });
  expect((await workshop.ended(running)).status).toBe('cancelled');
  expect((await act('job_none', 'cancel')).status).toBe(404);
  const unknown = await act(running, 'explode');
  expect([unknown.status, unknown.body.error.code]).toEqual([404, 'not_found']);
});

test('events as a list, in pages', async () => {
  const id = await make('nobody');
  for (let i = 0; i < 5; i++)
    await addEvent(store.db, { jobId: id, level: 'info', type: 'metrics', message: `${i}`, data: { i } });
  const { body } = await knock(house, `/v1/jobs/${id}/events?limit=2`);
  expect(body.data[1]).toMatchObject({ object: 'job.event', type: 'metrics', level: 'info', message: '1', data: { i: 1 } });
  const rest = (await knock(house, `/v1/jobs/${id}/events?after=${body.last_id}`)).body;
  expect([body.has_more, rest.has_more, rest.data.length]).toEqual([true, false, 3]);
  expect((await knock(house, `/v1/jobs/${id}/events?after=third`)).body.error.param).toBe('after');
});

test('events as a stream, which ends with the job and goes on where a caller left', async () => {
  const id = await make('tick', true);
  await workshop.until(id, ({ progress }) => progress.completed > 0);
  const reply = await house.app.request(`/v1/jobs/${id}/events`, { headers: { accept: 'text/event-stream' } });
  expect(reply.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const reader = reply.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value!;
  expect(text).toMatch(/^data: \{.*"message":"one is done".*\}\nid: \d+\n\n$/);
  release();
  for (let step = await reader.read(); !step.done; step = await reader.read()) text += step.value;
  expect(text).toMatch(/"message":"The job succeeded\."[^\n]*\nid: \d+\n\ndata: \[DONE\]\n\n$/);
  const [first] = text.match(/(?<=id: )\d+/) as [string];
  const again = await house.app.request(`/v1/jobs/${id}/events?stream=true`, { headers: { 'last-event-id': first } });
  const later = await again.text();
  expect(later).not.toContain('one is done');
  expect(later).toContain('The job succeeded.');
});

test('a job of another kind has no labelled rows', async () => {
  const reply = await knock(house, `/v1/jobs/${await make('nobody')}/output`);
  expect([reply.status, reply.body.error.code]).toEqual([404, 'not_found']);
});
