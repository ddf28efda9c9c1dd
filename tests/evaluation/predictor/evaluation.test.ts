// The evaluation on a predictor that only counts words: what it must come out with is known beforehand.
import { describe, expect, test } from 'vitest';
import type { Sample } from '../../../src/datasets/sample.ts';
import type { TrainingSource } from '../../../src/datasets/training-data.ts';
import { predictBaselines } from '../../../src/evaluation/predictor/baselines.ts';
import { evaluatePredictor } from '../../../src/evaluation/predictor/evaluation.ts';
import { gatherRated, type Selection } from '../../../src/evaluation/predictor/rated-data.ts';
import { type PredictorReportHead, predictorReportFiles } from '../../../src/evaluation/predictor/report.ts';
import type { ConversationScore } from '../../../src/predictor/predictor.ts';
import { randomStream } from '../../../src/random.ts';
import type { Attribute, AttributeSchema, Label } from '../../../src/steerlm/attributes.ts';
import type { Conversation } from '../../../src/steerlm/conversation.ts';
import type { Split } from '../../../src/store/schema.ts';

const attribute = (name: string, aliases: string[] = []): Attribute => {
  const levels = ['none', 'little', 'some', 'much', 'most'];
  return { name, aliases, description: '', levels, default: null, cap: 4 };
};
const schema: AttributeSchema = { name: 'toy', version: 1, attributes: [attribute('length', ['size']), attribute('mood')] };
const { signal } = new AbortController();
const selection: Selection = { split: 'validation', seed: 1, signal };

/** Sees the length of a reply and nothing else; its mood is whether the prompt asks. */
const counter = {
  schema,
  async score(conversations: Conversation[]): Promise<ConversationScore[]> {
    return conversations.map(({ turns }) => {
      const words = turns.at(-1)!.content.split(' ').length;
      const asks = turns.at(-2)?.content.includes('?') ? 4 : 0;
      return { attributes: { length: scoreOf(Math.min(4, words / 5)), mood: scoreOf(asks) }, truncated: false, tokens: words };
    });
  },
};

function scoreOf(value: number) {
  const level = Math.round(value);
  return { value, level, probabilities: [0, 1, 2, 3, 4].map((each) => (each === level ? 0.8 : 0.05)), confidence: value / 4 };
}

function sample(prompt: string, reply: string, label: Label, split: Split, conversationId = prompt): Sample {
  const turns = [
    { role: 'user' as const, content: prompt },
    { role: 'assistant' as const, content: reply, label },
  ];
  return { content: { kind: 'conversation', conversation: { system: '', turns } }, conversationId, source: null, split };
}

function sourceOf(samples: Sample[], name = 'toys'): TrainingSource {
  return {
    name,
    schema: null,
    async *samples() {
      yield* samples;
    },
  };
}

/** Two replies to each prompt, of 2 to 20 words, rated by their length under another name for it. */
function toys(count = 60): TrainingSource {
  const random = randomStream('toys');
  const samples = Array.from({ length: count }, (_, i) => {
    const words = 2 + Math.floor(19 * random());
    const prompt = Math.floor(i / 2);
    const reply = Array.from({ length: words }, (_, at) => `w${(at * 7 + i) % 50}`).join(' ');
    const label = { size: Math.min(4, words / 5), ...(i < 6 ? { mood: 2 } : {}) };
    return sample(`Say ${prompt}${prompt % 3 ? '' : '?'}`, reply, label, prompt % 4 === 3 ? 'train' : 'validation');
  });
  return sourceOf(samples);
}

describe('what is judged', () => {
  test('is of the split, in the names of the schema, and grouped by prompt', async () => {
    const { judged, fitted } = await gatherRated(toys(), schema, selection);
    expect([judged.length, fitted.length]).toEqual([46, 14]);
    expect(Object.keys(judged[0]!.label)).toEqual(['length', 'mood']);
    expect(judged.slice(0, 6).map(({ group }) => group)).toEqual([0, 0, 1, 1, 2, 2]);
    expect(judged[0]!.prompt).toBe(judged[1]!.prompt);
    expect(judged[0]!.words).toBe(judged[0]!.text.split(' ').length);
  });

  test('may be limited, to whole conversations and the same ones for the same seed', async () => {
    const draw = async (seed: number) => (await gatherRated(toys(), schema, { ...selection, limit: 10, seed })).judged;
    const [first, again, other] = [await draw(1), await draw(1), await draw(2)];
    expect(first).toHaveLength(10);
    expect(new Set(first.map(({ group }) => group)).size).toBe(5);
    expect(again).toEqual(first);
    expect(other.map(({ text }) => text)).not.toEqual(first.map(({ text }) => text));
  });

  test('hangs together by prompt or by conversation', async () => {
    const prompts = ['Hi', 'Hi', 'Bye', 'Ho'];
    const samples = prompts.map((prompt, i) => sample(prompt, `${i}`, { length: 1 }, 'validation', i === 2 ? '0' : `${i}`));
    const { judged } = await gatherRated(sourceOf(samples), schema, selection);
    expect(judged.map(({ group }) => group)).toEqual([0, 0, 0, 1]);
  });

  test.each<[string, Sample[], RegExp]>([
    [
      'no rating',
      [sample('Hi', 'Ho', {}, 'validation')],
      /^No reply of the validation split of toys is rated for any of length, mood\. Name/,
    ],
    ['other attributes', [sample('Hi', 'Ho', { wit: 3 }, 'validation')], /Its labels name wit\. Name data/],
    [
      'the other split only',
      [sample('Hi', 'Ho', { mood: 3 }, 'train')],
      /The other split has 1 such reply: import with a larger/,
    ],
    ['another scale', [sample('Hi', 'Ho', { mood: 7 }, 'train')], /^Expected mood between 0 and 4, .*; toys rates a reply 7\./],
  ])('%s is refused', async (_, samples, message) => {
    await expect(gatherRated(sourceOf(samples), schema, selection)).rejects.toThrow(message);
  });
});

describe('where the training split is judged too', () => {
  /** Every reply has words of its own and a rating by chance: who knows it has seen it. */
  const random = randomStream('by chance');
  const chance = Array.from({ length: 120 }, (_, i) =>
    sample(`Say ${i}`, `own${i} mine${i}`, { mood: Math.floor(5 * random()) }, i % 6 === 0 ? 'validation' : 'train'),
  );
  const mood = schema.attributes[1]!;

  test.each(['all', 'train'] as const)('(%s) no baseline is scored on replies it was fitted on', async (split) => {
    const data = await gatherRated(sourceOf(chance), schema, { ...selection, split });
    expect(data.overlapping).toBe(true);
    const told = ({ ngrams }: { ngrams: number[] }) =>
      correlation(
        data.judged.map(({ label }) => label.mood!),
        ngrams,
      );
    expect(told(predictBaselines(mood, { ...data, overlapping: false })!)).toBeGreaterThan(0.8);
    expect(told(predictBaselines(mood, data)!)).toBeLessThan(0.3);
  });

  test('replies that all hang together leave none to fit on, and the report says so', async () => {
    const one = chance.map((each) => ({ ...each, conversationId: 'one' }));
    const data = await gatherRated(sourceOf(one), schema, { ...selection, split: 'all' });
    expect(predictBaselines(mood, data)).toBeNull();
    const { attributes } = await evaluatePredictor(counter, data, { seed: 1, signal });
    expect(attributes.mood?.note).toContain('without the replies to compare on it rates this fewer than 10 times');
  });
});

function correlation(a: number[], b: number[]): number {
  const mean = (all: number[]) => all.reduce((sum, each) => sum + each, 0) / all.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const product = (x: number[], y: number[], mx: number, my: number) =>
    x.reduce((sum, each, i) => sum + (each - mx) * (y[i]! - my), 0);
  return product(a, b, meanA, meanB) / Math.sqrt(product(a, a, meanA, meanA) * product(b, b, meanB, meanB));
}

const progress: string[] = [];
const evaluated = async () =>
  await evaluatePredictor(counter, await gatherRated(toys(), schema, selection), {
    seed: 1,
    signal,
    onProgress: (done, total) => progress.push(`${done}/${total}`),
  });

describe('a predictor that counts words', () => {
  test('follows ratings of length, no better than length itself does', async () => {
    const { attributes, replies, groups } = await evaluated();
    expect([replies, groups]).toEqual([46, 23]);
    expect(progress.at(-1)).toBe('184/184');
    const { figures, baselines, beats_baselines, reliability } = attributes.length!;
    expect(figures!.mae.value).toBeCloseTo(0, 12);
    expect(figures!.spearman.value).toBeCloseTo(1, 12);
    expect(figures!.pairwise_accuracy.value).toBeCloseTo(1, 12);
    expect(baselines!.length!.spearman.value).toBeGreaterThan(0.99);
    expect(beats_baselines).toBe(false);
    for (const { predicted, rated } of reliability) expect(predicted).toBeCloseTo(rated, 12);
  });

  test('an attribute rated too seldom has no figures and a reason', async () => {
    const { mood } = (await evaluated()).attributes;
    expect(mood).toMatchObject({ n: 6, groups: 3, figures: null, baselines: null, beats_baselines: null });
    expect(mood!.note).toBe('rated 6 times, and figures need 10 ratings');
  });

  test('probes show what it sees: half as many words, twice as many, and another prompt', async () => {
    const { probes } = await evaluated();
    const { truncated, duplicated, swapped } = probes;
    expect([truncated.length!.fell, truncated.length!.rose]).toEqual([1, 0]);
    expect(truncated.length!.mean_change.high).toBeLessThan(-0.5);
    expect([duplicated.length!.fell > 0, duplicated.length!.rose > 0.9]).toEqual([false, true]);
    expect(swapped.length).toMatchObject({ n: 46, mean_change: { value: 0 }, fell: 0, rose: 0 });
    expect([truncated.mood!.rose, truncated.mood!.fell, duplicated.mood!.rose]).toEqual([0, 0, 0]);
    // A third of the prompts ask: what is moved from one to the other falls or rises.
    expect(swapped.mood!.fell).toBeGreaterThan(0.1);
    expect(swapped.mood!.rose).toBeGreaterThan(0.1);
  });

  test('it stops when told to', async () => {
    const data = await gatherRated(toys(), schema, selection);
    const stopped = evaluatePredictor(counter, data, { seed: 1, signal: AbortSignal.abort() });
    await expect(stopped).rejects.toThrow('stopped; nothing was written');
  });
});

describe('the report', () => {
  const head: PredictorReportHead = {
    model: { name: 'counter|<b>', revision: 'abc' },
    data: { name: 'toys', hash: 'd1d2', split: 'validation', labels: null },
    label_makers: null,
    seen_in_training: true,
    settings: { seed: 1, limit: null },
    created_at: '2024-06-01T12:00:00.000Z',
  };

  test('says the same in JSON, in tables and as a picture', async () => {
    const files = predictorReportFiles(head, schema, await evaluated());
    const json = JSON.parse(files['predictor.json']);
    expect(json).toMatchObject({
      format_version: 1,
      kind: 'predictor',
      model: { revision: 'abc' },
      seen_in_training: true,
      replies: 46,
    });
    expect(json.attributes.length.figures.auc).toEqual({ value: null, low: null, high: null });
    expect(json.attributes.mood.figures).toBeNull();
    const markdown = files['predictor.md'];
    expect(markdown).toMatch(/^# counter\\\|\\<b\\> as a predictor\n/);
    expect(markdown).toMatch(/\*\*Seen in training: /);
    expect(markdown).toMatch(/^\| length +\| +46 \| +1\.00 \[1\.00, 1\.00\] /m);
    expect(markdown).toMatch(/^- mood: rated 6 times/m);
    expect(markdown).toContain('better than every baseline in 0 of 1 attribute; not shown for length.');
    expect(markdown).not.toMatch(/NaN|undefined|null/);
    const widths = markdown
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .map((line) => line.length);
    expect(new Set(widths).size).toBeLessThanOrEqual(4);
    expect(files['predictor.svg']).toContain('>length<');
    expect(files['predictor.svg']).not.toMatch(/<b>|>mood</);
  });

  test('equal seeds give equal reports', async () => {
    const [first, again] = [await evaluated(), await evaluated()].map((each) => predictorReportFiles(head, schema, each));
    expect(again).toEqual(first);
  });
});
