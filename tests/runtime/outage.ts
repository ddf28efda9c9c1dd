// A database that goes away in the middle of a job and comes back, and what callers were told meanwhile.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pair } from './crash-run.ts';
import type { CrashSite, Disturbance, LabelJob } from './crash-scenes.ts';

export interface Told {
  asked: string;
  status: number;
  body: string;
  ms: number;
}

export interface Outage {
  disturb: Disturbance;
  /** Of every question asked while the database was away. */
  told: Told[];
  /** Messages of the job's events when it had ended. */
  events: string[];
}

const questions: [method: string, path: (jobId: string) => string, body?: object | string][] = [
  ['GET', () => '/health/ready'],
  ['GET', () => '/health/live'],
  ['GET', (id) => `/v1/jobs/${id}`],
  ['GET', (id) => `/v1/jobs/${id}/events`],
  ['POST', (id) => `/v1/jobs/${id}/pause`],
  ['GET', () => '/v1/files'],
  ['POST', () => '/v1/datasets?name=away', '{"messages":[{"role":"user","content":"gone"}]}\n'],
  ['PUT', () => '/v1/models/aliases/away', { model: 'tiny-base' }],
];
const patienceMs = 5_000;

/** Halts the database once the job has got somewhere, asks all questions again and again for `awayMs`, starts it again and waits for the job. */
export function outage({ server }: CrashSite, awayMs: number): Outage {
  const told: Told[] = [];
  const events: string[] = [];
  const jobOf = (pair: Pair, id: string) => pair.get<LabelJob>(`/v1/jobs/${id}`);
  const until = async (pair: Pair, id: string, holds: (job: LabelJob) => boolean) => {
    for (;;) {
      const job = await jobOf(pair, id);
      if (holds(job) || ended(job)) return job;
      await sleep(20);
    }
  };
  const disturb: Disturbance = async (pair, id) => {
    const before = await until(pair, id, ({ progress }) => progress.completed > 0);
    if (ended(before)) throw new Error(`The job was done before the database could go: ${JSON.stringify(before)}`);
    await server.halt();
    for (const back = performance.now() + awayMs; performance.now() < back; await sleep(200)) {
      told.push(...(await Promise.all(questions.map(([method, path, body]) => ask(pair.url, method, path(id), body)))));
    }
    if (!pair.alive) throw new Error('A process ended with the database.');
    await server.restart();
    const job = await until(pair, id, ended);
    const { data } = await pair.get<{ data: { message: string }[] }>(`/v1/jobs/${id}/events?limit=100`);
    events.push(...data.map(({ message }) => message));
    return job;
  };
  return { disturb, told, events };
}

function ended({ status }: LabelJob): boolean {
  return ['succeeded', 'failed', 'cancelled'].includes(status);
}

async function ask(url: string, method: string, path: string, body?: object | string): Promise<Told> {
  const init: RequestInit = { method, signal: AbortSignal.timeout(patienceMs) };
  const type = typeof body === 'string' ? 'application/x-ndjson' : 'application/json';
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  if (body) Object.assign(init, { headers: { 'content-type': type }, body: text });
  const started = performance.now();
  const asked = `${method} ${path.replace(/[a-z]+-?_?[0-9a-f]{24}/, '{id}')}`;
  try {
    const reply = await fetch(`${url}${path}`, init);
    return { asked, status: reply.status, body: await reply.text(), ms: performance.now() - started };
  } catch (error) {
    return { asked, status: 0, body: String(error), ms: performance.now() - started };
  }
}
