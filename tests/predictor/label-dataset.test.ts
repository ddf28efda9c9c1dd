// Labelling a stored dataset: what is stored, by whom, and that neither a second run nor an interrupted one labels twice.
import { and, eq } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { findDataset, type LabelChoice, streamSamples } from '../../src/datasets/samples.ts';
import { SteerError } from '../../src/errors.ts';
import { type LabellingProgress, labelDataset } from '../../src/predictor/label-dataset.ts';
import { createLabellingJob } from '../../src/predictor/labelling-job.ts';
import type { ConversationScore, Predictor } from '../../src/predictor/predictor.ts';
import type { Label } from '../../src/steerlm/attributes.ts';
import { helpSteer } from '../../src/steerlm/schemas.ts';
import type { Db } from '../../src/store/connect.ts';
import { labels } from '../../src/store/schema.ts';
import { importText } from '../datasets/import-text.ts';
import { testDatabases } from '../store/databases.ts';

/** Rates a reply by its length: 0.7 of a level a word, and says long conversations were cut. */
class WordPredictor implements Predictor {
  readonly id = 'words';
  readonly revision: string;
  readonly schema = { ...helpSteer, attributes: helpSteer.attributes.slice(0, 2) };
  asked = 0;

  constructor(revision = 'one') {
    this.revision = revision;
  }

  async score(conversations: Parameters<Predictor['score']>[0], signal: AbortSignal): Promise<ConversationScore[]> {
    if (signal.aborted) throw new SteerError('cancelled', 'Gone.');
    this.asked += conversations.length;
    return conversations.map(({ turns }) => {
      const value = 0.7 * turns.at(-1)!.content.split(' ').length;
      const score = { value, level: 0, probabilities: [0.5, 0.25, 0.125, 0.0625, 0.0625], confidence: 0.25 };
      return { attributes: { helpfulness: score, correctness: { ...score, value: 9 } }, truncated: turns.length > 3, tokens: 1 };
    });
  }

  async dispose(): Promise<void> {}
}

const talk = [
  {
    messages: [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Good day to you', attributes: { helpfulness: 3 } },
    ],
  },
  {
    messages: [
      { role: 'assistant', content: 'Well' },
      { role: 'user', content: 'Well what' },
      { role: 'user', content: 'Tell me' },
      { role: 'assistant', content: 'Nothing at all' },
    ],
  },
  { messages: [{ role: 'user', content: 'Nobody answers' }] },
];

async function labelsOf(db: Db, name: string, choice: LabelChoice): Promise<(Label | undefined)[][]> {
  const read: (Label | undefined)[][] = [];
  for await (const { content } of streamSamples(db, (await findDataset(db, name)).id, { labels: choice })) {
    read.push(content.kind === 'text' ? [] : content.conversation.turns.map(({ label }) => label));
  }
  return read;
}

const { signal } = new AbortController();

describe.each(await testDatabases())('on $name', ({ open }) => {
  test('every assistant turn is labelled beside what it had, with floats, levels and their maker', async () => {
    const store = await open();
    await importText(store.db, 'talk', talk);
    const report = await labelDataset(store.db, { dataset: 'talk', predictor: new WordPredictor(), signal });
    expect(report).toEqual({ rated: 3, skipped: 0, truncated: 1, unlike: 0, secondsPerTurn: expect.any(Number) });
    expect(report.secondsPerTurn).toBeGreaterThan(0);
    const own = await store.db
      .select()
      .from(labels)
      .where(and(eq(labels.source, 'model'), eq(labels.attribute, 'helpfulness')));
    expect(own.map(({ turn, value, level }) => [turn, Number(value.toFixed(6)), level]).sort()).toEqual([
      [0, 0.7, 1],
      [1, 2.8, 3],
      [3, 2.1, 2],
    ]);
    expect(own[0]).toMatchObject({ author: 'words', revision: 'one', confidence: 0.25 });
    expect(own[0]?.probabilities).toEqual([0.5, 0.25, 0.125, 0.0625, 0.0625]);
    const imported = await labelsOf(store.db, 'talk', ['import']);
    expect(imported).toEqual([[undefined, { helpfulness: 3 }], [undefined, undefined, undefined, undefined], [undefined]]);
    const latest = await labelsOf(store.db, 'talk', 'latest');
    expect(latest[0]?.[1]).toEqual({ helpfulness: expect.closeTo(2.8), correctness: 9 });
    await store.close();
  });

  test('a dataset learns what the predictor rates, on its scale, and keeps what it had', async () => {
    const store = await open();
    const predictor = new WordPredictor();
    const levels = ['short', 'long', 'endless'];
    Object.assign(predictor.schema.attributes, [{ ...helpSteer.attributes[0]!, levels, cap: 2 }]);
    await importText(store.db, 'bare', talk.slice(1));
    const { hash } = await findDataset(store.db, 'bare');
    await labelDataset(store.db, { dataset: 'bare', predictor, signal });
    expect(await findDataset(store.db, 'bare')).toMatchObject({ hash, schema: predictor.schema });
    const named = { ...helpSteer, attributes: [predictor.schema.attributes[1]!] };
    await importText(store.db, 'named', talk.slice(1), { schema: named });
    expect((await findDataset(store.db, 'named')).schema).toEqual(named);
    await labelDataset(store.db, { dataset: 'named', predictor, signal });
    const { schema } = await findDataset(store.db, 'named');
    expect(schema).toEqual({ ...helpSteer, attributes: [predictor.schema.attributes[1], predictor.schema.attributes[0]] });
    await store.close();
  });

  test('an attribute on another scale is refused before anything is rated', async () => {
    const store = await open();
    const predictor = new WordPredictor();
    Object.assign(predictor.schema.attributes, [{ ...helpSteer.attributes[0]!, levels: ['short', 'long', 'endless'], cap: 2 }]);
    await importText(store.db, 'talk', talk);
    const before = await findDataset(store.db, 'talk');
    const message = expect.stringContaining('dataset talk has helpfulness from 0 to 4, and words rates it from 0 to 2');
    await expect(labelDataset(store.db, { dataset: 'talk', predictor, signal })).rejects.toMatchObject({
      code: 'conflict',
      message,
    });
    expect(predictor.asked).toBe(0);
    expect(await findDataset(store.db, 'talk')).toEqual(before);
    await expect(createLabellingJob(store.db, before, predictor)).rejects.toMatchObject({ code: 'conflict' });
    await store.close();
  });

  test('a second run adds nothing, another revision labels anew', async () => {
    const store = await open();
    await importText(store.db, 'talk', talk);
    const predictor = new WordPredictor();
    await labelDataset(store.db, { dataset: 'talk', predictor, signal });
    const before = await store.db.$count(labels);
    expect(await labelDataset(store.db, { dataset: 'talk', predictor, signal })).toMatchObject({
      rated: 0,
      skipped: 3,
      secondsPerTurn: 0,
    });
    expect([await store.db.$count(labels), predictor.asked]).toEqual([before, 3]);
    const newer = await labelDataset(store.db, { dataset: 'talk', predictor: new WordPredictor('two'), signal });
    expect(newer).toMatchObject({ rated: 3, skipped: 0 });
    expect(await store.db.$count(labels)).toBe(before + 6);
    await store.close();
  });

  test('what was labelled before an interrupt is kept, and the next run does the rest', async () => {
    const store = await open();
    const many = Array.from({ length: 400 }, (_, i) => ({
      messages: [
        { role: 'user', content: `${i}?` },
        { role: 'assistant', content: `${i}` },
      ],
    }));
    await importText(store.db, 'many', many);
    const predictor = new WordPredictor();
    const stop = new AbortController();
    const seen: LabellingProgress[] = [];
    const onProgress = (progress: LabellingProgress) => {
      seen.push(progress);
      stop.abort();
    };
    const first = labelDataset(store.db, { dataset: 'many', predictor, onProgress, signal: stop.signal });
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    expect(seen).toEqual([{ samples: 16, total: 400, rated: 16 }]);
    await expect(first).rejects.toThrow('Labelling was stopped after 16 turns; what was labelled is kept.');
    expect(await store.db.$count(labels)).toBe(2 * 16);
    expect(await labelDataset(store.db, { dataset: 'many', predictor, signal })).toMatchObject({ rated: 384, skipped: 16 });
    expect(await store.db.$count(labels)).toBe(800);
    // The chunk after the first was being scored when the interrupt came.
    expect(predictor.asked).toBe(400 + 16);
    await store.close();
  });

  test('text has no turns to label, and an unknown dataset is named', async () => {
    const store = await open();
    await importText(store.db, 'story', [{ text: 'Once upon a time.' }]);
    const predictor = new WordPredictor();
    expect(await labelDataset(store.db, { dataset: 'story', predictor, signal })).toMatchObject({ rated: 0, skipped: 0 });
    await expect(labelDataset(store.db, { dataset: 'tale', predictor, signal })).rejects.toMatchObject({ code: 'not_found' });
    await store.close();
  });
});
