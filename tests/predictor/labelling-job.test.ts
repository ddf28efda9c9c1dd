// Labelling as a job, on both databases with real workers: every reply once, in order, whatever happens to a worker, and content seen before is
// never scored again.
import { and, asc, eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Dataset, findDataset } from '../../src/datasets/samples.ts';
import { SteerError } from '../../src/errors.ts';
import { cancelJob, findJob, type Job, listErrors, listEvents, pauseJob, resumeJob } from '../../src/jobs/jobs.ts';
import { type LabelledReply, streamLabelled } from '../../src/predictor/labelled-rows.ts';
import { createLabellingJob, labellingJob } from '../../src/predictor/labelling-job.ts';
import type { ConversationScore, Predictor } from '../../src/predictor/predictor.ts';
import { helpSteer } from '../../src/steerlm/schemas.ts';
import type { Store } from '../../src/store/connect.ts';
import { datasets, labels, samples } from '../../src/store/schema.ts';
import { importText } from '../datasets/import-text.ts';
import { Gate } from '../gate.ts';
import { attemptByHand, openWorkshop, silence, type Workshop } from '../jobs/workshop.ts';
import { testDatabases } from '../store/databases.ts';

/** Rates a reply by its length; fails on some, refuses at first, or takes its time, as a test wants. */
class LengthPredictor implements Predictor {
  readonly id = 'lengths';
  revision = 'one';
  readonly schema = { ...helpSteer, attributes: helpSteer.attributes.slice(0, 2) };
  /** Every reply it was asked about, in order. */
  asked: string[] = [];
  refusals = 0;
  readonly gate = new Gate();

  async score(conversations: Parameters<Predictor['score']>[0], signal: AbortSignal): Promise<ConversationScore[]> {
    if (this.refusals-- > 0) throw new SteerError('overloaded', 'Others are first.');
    await this.gate.pass(signal);
    if (signal.aborted) throw new SteerError('cancelled', 'Gone.');
    const said = conversations.map(({ turns }) => turns.at(-1)!.content);
    if (said.some((content) => content.includes('poison'))) throw new Error('cannot swallow this');
    this.asked.push(...said);
    return said.map((content) => {
      const score = { value: (content.length % 9) / 2, level: 0, probabilities: [1, 0, 0, 0, 0], confidence: 0.5 };
      return { attributes: { helpfulness: score, correctness: score }, truncated: false, tokens: 1 };
    });
  }

  async dispose(): Promise<void> {}
}

const exchange = (answer: string, question = 'Well?') => ({
  messages: [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ],
});
const numbered = (count: number, name: string) => Array.from({ length: count }, (_, i) => exchange(`${name} ${i}`));

describe.each(await testDatabases())('on $name', ({ open }) => {
  let store: Store;
  let workshop: Workshop;
  const predictor = new LengthPredictor();
  const definition = labellingJob({ predictor: async () => predictor });
  let names = 0;

  beforeAll(async () => {
    store = await open();
  });
  afterAll(async () => {
    await workshop.close();
    await store.close();
  });

  const bringIn = async (records: object[]) => {
    const name = `data${names++}`;
    await importText(store.db, name, records);
    return await findDataset(store.db, name);
  };
  const start = async (dataset: Dataset) => (await createLabellingJob(store.db, dataset, predictor)).job;
  /** Positions with a label, once for each time they were labelled. */
  const labelled = async (datasetId: string) => {
    const rows = await store.db
      .select({ position: samples.position })
      .from(labels)
      .innerJoin(samples, eq(samples.id, labels.sampleId))
      .where(and(eq(samples.datasetId, datasetId), eq(labels.attribute, 'correctness')))
      .orderBy(asc(samples.position));
    return rows.map(({ position }) => position);
  };
  const output = async (job: Job) => {
    const replies: LabelledReply[] = [];
    for await (const reply of streamLabelled(store.db, await findJob(store.db, job.id))) replies.push(reply);
    return replies;
  };
  const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

  test('a worker that goes silent after a step is followed by another, and can store nothing any more', async () => {
    const dataset = await bringIn(numbered(700, 'silent'));
    const job = await start(dataset);
    let steps = 0;
    const late = await attemptByHand(store, job, definition, async (step, claim) => {
      if (++steps === 1) return await claim.commit(step);
      expect(await labelled(dataset.id)).toEqual(upTo(16));
      await silence(store, job.id);
      workshop = await openWorkshop(store, [definition]);
      const ended = await workshop.ended(job.id);
      expect(ended).toMatchObject({ status: 'succeeded', attempt: 2, progress: { total: 700, completed: 700, cached: 0 } });
      expect(await labelled(dataset.id)).toEqual(upTo(700));
      await claim.commit(step);
    });
    expect(late).toMatchObject({ code: 'cancelled', message: expect.stringContaining('Another worker has taken the job') });
    expect(await labelled(dataset.id)).toEqual(upTo(700));
    expect((await output(job)).map(({ row }) => row)).toEqual(upTo(700));
  });

  test('labels every row, in several steps, and tells them in the order of the input', async () => {
    const dataset = await bringIn(numbered(600, 'plain'));
    const job = await workshop.ended((await start(dataset)).id);
    expect(job).toMatchObject({ status: 'succeeded', result: { rows: 600, failed: 0, cached: 0 }, cursor: { position: 599 } });
    expect(job.progress).toEqual({ total: 600, completed: 600, failed: 0, cached: 0 });
    expect(await labelled(dataset.id)).toEqual(upTo(600));
    const replies = await output(job);
    expect(replies.map(({ row }) => row)).toEqual(upTo(600));
    const score = { value: ('plain 123'.length % 9) / 2, level: expect.any(Number), confidence: 0.5 };
    expect(replies[123]).toMatchObject({ turn: 1, source: null, attributes: { helpfulness: score, correctness: score } });
  });

  test('content rated before is copied: within a chunk, across chunks, and from another dataset', async () => {
    const first = await bringIn(numbered(10, 'shared'));
    await workshop.ended((await start(first)).id);
    predictor.asked = [];
    const own = numbered(300, 'fresh');
    const records = [...own, ...numbered(10, 'shared'), own[0]!, own[0]!, own[299]!, exchange('twice'), exchange('twice')];
    const dataset = await bringIn(records);
    const job = await workshop.ended((await start(dataset)).id);
    expect(predictor.asked.toSorted()).toEqual([...own.map(({ messages }) => messages[1]!.content), 'twice'].toSorted());
    expect(job.progress).toEqual({ total: 315, completed: 315, failed: 0, cached: 14 });
    expect(await labelled(dataset.id)).toEqual(upTo(315));
    const replies = await output(job);
    expect(replies[310]!.attributes).toEqual(replies[0]!.attributes);

    predictor.asked = [];
    const again = await workshop.ended((await start(dataset)).id);
    expect([again.progress.cached, predictor.asked]).toEqual([315, []]);
    expect(await labelled(dataset.id)).toEqual(upTo(315));
  });

  test('labels that the new ones take the place of are told', async () => {
    const [asked, answered] = exchange('rated before').messages;
    const dataset = await bringIn([{ messages: [asked, { ...answered, attributes: { helpfulness: 3 } }] }]);
    const job = await start(dataset);
    await workshop.ended(job.id);
    expect((await listEvents(store.db, job.id)).map(({ message }) => message)).toContainEqual(
      expect.stringMatching(
        / 2 by the predictor lengths one; .* Passed over: 1 of the import \(openai\)\. `labels` \["import","model"\] takes/,
      ),
    );
  });

  test('rows that cannot be rated are told, the others are rated', async () => {
    const records = numbered(300, 'sound');
    records[7] = exchange('poison one');
    records[255] = exchange('poison two');
    records[256] = exchange('poison one');
    const silent = { messages: [{ role: 'user', content: 'Nobody answers' }] };
    const dataset = await bringIn([...records, silent]);
    const job = await workshop.ended((await start(dataset)).id);
    expect(job).toMatchObject({ status: 'succeeded', progress: { total: 301, completed: 297, failed: 4, cached: 0 } });
    expect(await listErrors(store.db, job.id)).toEqual([
      { jobId: job.id, row: 7, code: 'internal_error', message: 'turn 1: The predictor failed on this row: cannot swallow this' },
      { jobId: job.id, row: 255, code: 'internal_error', message: expect.stringContaining('cannot swallow this') },
      { jobId: job.id, row: 256, code: 'internal_error', message: expect.stringContaining('cannot swallow this') },
      { jobId: job.id, row: 300, code: 'invalid_dataset', message: 'Expected at least one assistant turn to rate, found none.' },
    ]);
    expect(await labelled(dataset.id)).toEqual(upTo(300).filter((row) => ![7, 255, 256].includes(row)));
  });

  test('a pause keeps what is done, a resume does the rest, and what there is can be read meanwhile', async () => {
    const dataset = await bringIn(numbered(1_600, 'slow'));
    predictor.gate.shut(2);
    const job = await start(dataset);
    await workshop.until(job.id, ({ progress }) => progress.completed > 0);
    await pauseJob(store.db, job.id);
    const paused = await workshop.until(job.id, ({ status }) => status === 'paused');
    const done = paused.progress.completed;
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(1_600);
    expect((await output(paused)).map(({ row }) => row)).toEqual(upTo(done));
    predictor.gate.open();
    await resumeJob(store.db, job.id);
    expect(await workshop.ended(job.id)).toMatchObject({ status: 'succeeded', progress: { completed: 1_600, cached: 0 } });
    expect(await labelled(dataset.id)).toEqual(upTo(1_600));
  });

  test('a cancelled job keeps what is done', async () => {
    const dataset = await bringIn(numbered(1_600, 'dropped'));
    predictor.gate.shut(2);
    const job = await start(dataset);
    await workshop.until(job.id, ({ progress }) => progress.completed > 0);
    await cancelJob(store.db, job.id);
    const ended = await workshop.ended(job.id);
    predictor.gate.open();
    expect(ended.status).toBe('cancelled');
    expect(await labelled(dataset.id)).toEqual(upTo(ended.progress.completed));
    expect(ended.progress.completed).toBeLessThan(1_600);
  });

  test('an engine that is full is asked again', async () => {
    predictor.refusals = 3;
    const job = await workshop.ended((await start(await bringIn(numbered(5, 'patient')))).id);
    expect(job).toMatchObject({ status: 'succeeded', progress: { completed: 5, failed: 0 } });
  });

  test('another revision than the pinned one is refused', async () => {
    const dataset = await bringIn(numbered(5, 'pinned'));
    const { job } = await createLabellingJob(store.db, dataset, { ...predictor, revision: 'zero' });
    const ended = await workshop.ended(job.id);
    expect(ended).toMatchObject({ status: 'failed', error: { code: 'conflict' } });
    expect(ended.error!.message).toMatch(/made for revision zero of lengths, and one is served now/);
    expect(await labelled(dataset.id)).toEqual([]);
  });

  test('a dataset that goes away fails the job by name', async () => {
    const dataset = await bringIn(numbered(1_600, 'gone'));
    predictor.gate.shut(2);
    const job = await start(dataset);
    await workshop.until(job.id, ({ progress }) => progress.completed > 0);
    await store.db.delete(datasets).where(eq(datasets.id, dataset.id));
    predictor.gate.open();
    expect(await workshop.ended(job.id)).toMatchObject({ status: 'failed', error: { code: 'not_found' } });
  });
});
