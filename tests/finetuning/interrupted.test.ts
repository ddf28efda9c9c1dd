// Fine-tuning under workers that vanish: a run that a second worker takes over while the first one's process still trains, and a bootstrapping
// job whose worker dies between two chunks. Neither repeats or loses anything that shows.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { asc, eq } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findDataset, streamSamples } from '../../src/datasets/samples.ts';
import { bootstrapOptions, checkpointNamesOf, namesOf, readFinetuningJob } from '../../src/finetuning/job-input.ts';
import type { JobDefinition, JobStep } from '../../src/jobs/define.ts';
import { findJob, type Job, listErrors } from '../../src/jobs/jobs.ts';
import type { Store } from '../../src/store/connect.ts';
import { labels, samples } from '../../src/store/schema.ts';
import { batchResults } from '../../src/store/work-schema.ts';
import { attemptByHand, openWorkshop, silence } from '../jobs/workshop.ts';
import { openPglite } from '../store/databases.ts';
import { openSite, quick, ratedLines, type Site, tone } from './workshop.ts';

let store: Store;
let site: Site;
beforeEach(async () => {
  store = await openPglite();
  site = await openSite(store);
});
afterEach(async () => {
  await site.close();
  await store.close();
});

const finish = async (ids: string[], definition = site.definition): Promise<Job[]> => {
  const workshop = await openWorkshop(store, [definition]);
  const ended: Job[] = [];
  for (const id of ids) ended.push(await workshop.ended(id));
  await workshop.close();
  expect(ended.map(({ status, error }) => [status, error])).toEqual(ids.map(() => ['succeeded', null]));
  return ended;
};

test('a run that is taken over while the process of the first worker still trains follows the same curve', {
  timeout: 120_000,
}, async () => {
  const training = await site.upload(ratedLines(40));
  const hyperparameters = { ...quick, n_epochs: 20, checkpoint_every: 150 };
  const job = await site.make({ training, hyperparameters });
  // What the process of an earlier attempt still writes is not taken from under it.
  const { folder } = checkpointNamesOf(namesOf(job.id, readFinetuningJob(job).input));
  const halfWritten = join(site.modelsDir, `.${folder}1.partial`);
  mkdirSync(halfWritten);
  // The first worker sends no heartbeat, so its claim is lost. It learns of that at its first checkpoint; its process trains on until then.
  let trains = false;
  const first = attemptByHand(store, job, site.definition, async (step, claim) => {
    trains = (step.cursor as { step: number }).step > 0;
    if (trains) await expect.poll(async () => (await findJob(store.db, job.id)).attempt, { timeout: 60_000 }).toBe(2);
    await claim.commit(step);
  });
  await expect.poll(() => trains, { timeout: 60_000 }).toBe(true);
  await silence(store, job.id);
  const stayed: boolean[] = [];
  const watched: JobDefinition = {
    ...site.definition,
    run(context) {
      const commit = async (step: JobStep) => {
        stayed.push(existsSync(halfWritten));
        await context.commit(step);
      };
      return site.definition.run({ ...context, commit });
    },
  };
  const [done] = await finish([job.id], watched);
  expect(await first).toMatchObject({ code: 'cancelled' });
  expect(done!.attempt).toBe(2);
  // It goes when the training has ended, before the last commit.
  expect(stayed.length).toBeGreaterThan(1);
  expect(stayed.indexOf(false)).toBe(stayed.length - 1);
  expect(existsSync(halfWritten)).toBe(false);
  const [reference] = await finish([(await site.make({ training, hyperparameters })).id]);
  expect(await site.text(String(done!.result!.result_file))).toBe(await site.text(String(reference!.result!.result_file)));
});

test('bootstrapping trains on what was obtained; a worker that dies between two chunks repeats and loses nothing', {
  timeout: 120_000,
}, async () => {
  const prompts = await site.bringIn('prompts', ratedLines(40));
  const tooLong = JSON.stringify({
    messages: [
      { role: 'user', content: 'gate '.repeat(200) },
      { role: 'assistant', content: 'a' },
    ],
  });
  const some = await site.bringIn('some', [tooLong, ...ratedLines(40).split('\n')].join('\n'));
  expect(prompts).not.toEqual(some);
  const options = { predictor: 'rater', samples_per_prompt: 2, attributes: { humor: [0, 2] }, max_tokens: 8, max_prompts: 36 };
  const bootstrap = bootstrapOptions.parse(options);
  const input = { method: 'bootstrap', model: 'steered', training: some, bootstrap } as const;
  const [broken, whole] = [await site.make(input), await site.make(input)];
  const died = await attemptByHand(store, broken, site.definition, async (step, claim) => {
    if ((step.cursor as { sampled: number }).sampled > 16) throw new Error('killed');
    await claim.commit(step);
  });
  expect(died).toMatchObject({ message: 'killed' });
  expect(readFinetuningJob(await findJob(store.db, broken.id)).state.sampled).toBe(16);

  const ended = await finish([broken.id, whole.id]);
  const made = await Promise.all(ended.map((job) => findDataset(store.db, readFinetuningJob(job).state.dataset!)));
  expect(made.map(({ name, format }) => [name, format])).toEqual([
    ['some-bootstrap', 'bootstrap'],
    ['some-bootstrap', 'bootstrap'],
  ]);
  expect(made.map(({ version }) => version).sort()).toEqual([1, 2]);
  expect(made[0]!.hash).toBe(made[1]!.hash);
  expect(made[0]!.sampleCount).toBeGreaterThan(35);
  expect(made[0]!.sampleCount).toBeLessThanOrEqual(70);
  expect(await listErrors(store.db, broken.id)).toMatchObject([{ row: 0, code: 'context_length_exceeded' }]);
  expect(await store.db.$count(batchResults)).toBe(0);

  const own = await store.db
    .select({ source: labels.source, author: labels.author, attribute: labels.attribute, value: labels.value, turn: labels.turn })
    .from(labels)
    .innerJoin(samples, eq(labels.sampleId, samples.id))
    .where(eq(samples.datasetId, made[0]!.id))
    .orderBy(asc(labels.id));
  expect(own).toHaveLength(made[0]!.sampleCount * tone.attributes.length);
  expect(new Set(own.map(({ source, author, turn }) => `${source} ${author} ${turn}`))).toEqual(new Set(['model rater 1']));
  const rater = await site.models.predictor('rater');
  for await (const { content } of streamSamples(store.db, made[0]!.id)) {
    if (content.kind === 'text') throw new Error('no conversation');
    const { turns } = content.conversation;
    const [score] = await rater.score([{ ...content.conversation, turns }], new AbortController().signal);
    expect(turns[1]!.label!.humor).toBeCloseTo(score!.attributes.humor!.value, 4);
    break;
  }
  expect(ended[0]!.result).toMatchObject({ model: expect.stringMatching(/^ft:steered:test:/) });
});

test('bootstrapping replies to every prompt of a conversation that goes on in two ways', { timeout: 120_000 }, async () => {
  const lines = Array.from({ length: 20 }, (_, i) => ['why', 'when'].map((last) => threeTurns(`gate ${i}`, last))).flat();
  const { dataset } = await site.bringIn('forked', lines.join('\n'));
  const bootstrap = bootstrapOptions.parse({ predictor: 'rater', max_tokens: 4 });
  const [job] = await finish([(await site.make({ method: 'bootstrap', model: 'steered', training: { dataset }, bootstrap })).id]);
  const made = await findDataset(store.db, readFinetuningJob(job!).state.dataset!);
  const asked = new Set<string>();
  for await (const { content } of streamSamples(store.db, made.id)) {
    if (content.kind === 'conversation')
      asked.add(
        content.conversation.turns
          .slice(0, 3)
          .map((turn) => turn.content)
          .join(),
      );
  }
  expect(asked.size).toBe(40);
});

function threeTurns(first: string, last: string): string {
  const messages = [
    { role: 'user', content: first },
    { role: 'assistant', content: 'open' },
    { role: 'user', content: last },
  ];
  return JSON.stringify({ messages });
}
