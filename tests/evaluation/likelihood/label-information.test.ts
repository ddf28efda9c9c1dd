// What labels tell: figures by hand, sequences against the layout of training, and models that learnt one attribute or none.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sample, SampleContent } from '../../../src/datasets/sample.ts';
import { writeSnapshot } from '../../../src/datasets/snapshot.ts';
import { labelInformation, lossByLength } from '../../../src/evaluation/likelihood/label-information.ts';
import { type LabelReading, readUnderLabels } from '../../../src/evaluation/likelihood/label-readings.ts';
import { chooseReplies } from '../../../src/evaluation/likelihood/labelled-replies.ts';
import { labelledReply, labelledText, unlabelledReply } from '../../../src/evaluation/likelihood/reply-sequence.ts';
import { openTokenLikelihood } from '../../../src/evaluation/likelihood/token-likelihood.ts';
import { finetune } from '../../../src/finetuning/finetune.ts';
import { encodePieces } from '../../../src/model/tokenizer/encode-prompt.ts';
import { Tokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { randomStream } from '../../../src/random.ts';
import type { AttributeSchema } from '../../../src/steerlm/attributes.ts';
import type { Conversation } from '../../../src/steerlm/conversation.ts';
import { layOutTraining } from '../../../src/steerlm/prompt-layout.ts';
import { smallTokenizer } from '../../model/tokenizer/small-tokenizer.ts';
import { quickSettings, quickSize, quiet } from '../../quick-training.ts';

const schema: AttributeSchema = {
  name: 'tiny',
  version: 1,
  attributes: ['length', 'mood'].map((name) => ({
    name,
    aliases: [`${name}s`],
    description: '',
    levels: ['low', 'middle', 'high'],
    default: 0,
    cap: 2,
  })),
};

describe('figures', () => {
  const reading = (i: number): LabelReading => {
    const level = i % 3;
    // A wrong level costs 2 nats of 4 tokens; the mood costs the same at every level.
    const nats = [0, 1, 2].map((at) => (at === level ? 8 : 10));
    return {
      group: `${i}`,
      length: 10 * i,
      tokens: 4,
      own: 8,
      none: 9,
      others: 11,
      attributes: { length: { level, nats }, mood: { level: (i >> 1) % 3, nats: [8, 8, 8] } },
    };
  };
  const figures = labelInformation(
    schema,
    Array.from({ length: 90 }, (_, i) => reading(i)),
  );

  it('are nats per token saved, and levels recovered', () => {
    expect(figures).toMatchObject({ replies: 90, groups: 90, tokens: 360 });
    expect([figures.nll.value, figures.gain.value, figures.gain_over_none.value]).toEqual([2, 0.75, 0.25]);
    const { gain, gain_per_reply, recovery } = figures.attributes.length!;
    // Two of three levels are wrong.
    expect(gain.value).toBeCloseTo((2 * 2) / 3 / 4, 12);
    expect(gain_per_reply.value).toBeCloseTo(4 / 3, 12);
    expect(gain.low).toBeGreaterThan(0.3);
    expect([recovery.accuracy.value, recovery.mae.value, recovery.kappa.value]).toEqual([1, 0, 1]);
    expect(recovery.spearman.value).toBeCloseTo(1, 12);
    expect(recovery.probability.value).toBeCloseTo(1 / (1 + 2 * Math.exp(-2)), 12);
    expect(recovery.chance.probability).toBeCloseTo(1 / 3, 12);
    expect(recovery.chance.accuracy).toBeCloseTo(1 / 3, 12);
    expect(recovery.chance.mae).toBeCloseTo(2 / 3, 12);
  });

  it('are 0 and those of one answer where the level makes no difference', () => {
    const { gain, recovery } = figures.attributes.mood!;
    for (const figure of Object.values(gain)) expect(Math.abs(figure)).toBeLessThan(1e-12);
    expect(recovery.spearman.value).toBe(0);
    expect(recovery.kappa.value).toBeCloseTo(0, 12);
    expect(recovery.probability.value).toBeCloseTo(1 / 3, 12);
    expect(recovery.accuracy.value).toBeCloseTo(1 / 3, 1);
  });

  it('draw what hangs together as one', () => {
    const of = (group: (i: number) => string) => {
      const rows = Array.from({ length: 60 }, (_, i) => ({ ...reading(i), own: 8 + Math.floor(i / 10), group: group(i) }));
      const { nll } = labelInformation(schema, rows);
      return nll.high - nll.low;
    };
    expect(of((i) => `${Math.floor(i / 10)}`)).toBeGreaterThan(2 * of((i) => `${i}`));
  });

  it('tell the loss by length of the conversation', () => {
    const rows = [5, 10, 11, 79].map((length, i) => ({ ...reading(i), length, own: 4 * (i + 1) }));
    const told = lossByLength(rows, 80).map(({ above, to, replies, nll }) => [above, to, replies, nll.value]);
    expect(told).toEqual([
      [0, 10, 2, 1.5],
      [10, 20, 1, 3],
      [70, 80, 1, 4],
    ]);
  });

  it('leave out an attribute nobody labelled', () => {
    const rows = Array.from({ length: 4 }, (_, i) => ({ ...reading(i), attributes: { mood: reading(i).attributes.mood! } }));
    expect(Object.keys(labelInformation(schema, rows).attributes)).toEqual(['mood']);
  });
});

describe('sequences', () => {
  const conversation: Conversation = {
    system: 'Be brief.',
    turns: [
      { role: 'user', content: 'Is the gate shut?' },
      { role: 'assistant', content: 'Yes.', label: { length: 0 } },
      { role: 'user', content: 'Why?' },
      { role: 'assistant', content: ' The guard said so. ', label: { length: 2, mood: 1 } },
    ],
  };
  const text = smallTokenizer.encodeText('The guard said so.');

  it('under a label are those of training, and count the last reply with its end', () => {
    const found = labelledReply(smallTokenizer, schema, conversation, { length: 2, mood: 1 });
    const trained = encodePieces(smallTokenizer, layOutTraining(schema, conversation));
    expect(found.ids).toEqual(trained.ids);
    const counted = trained.ids.length - text.length - smallTokenizer.encodeText('\n').length - 1;
    expect(Array.from(found.weights)).toEqual(trained.ids.map((_, at) => Number(at >= counted)));
  });

  it('without labels hold none of any turn, and count the text alone', () => {
    const found = unlabelledReply(smallTokenizer, conversation);
    expect(found.ids).not.toContain(smallTokenizer.tokenId('<extra_id_2>'));
    expect(found.ids.filter((_, at) => found.weights[at] === 1)).toEqual(text);
    const labelled = labelledText(smallTokenizer, schema, conversation, { length: 2 });
    expect(labelled.ids.filter((_, at) => labelled.weights[at] === 1)).toEqual(text);
    const blank = { ...conversation, turns: conversation.turns.map(({ role, content }) => ({ role, content })) };
    expect(found.ids).toEqual(labelledText(smallTokenizer, schema, blank, {}).ids);
  });

  it('without labels are plain text to a tokenizer that has no control tokens', () => {
    const json = structuredClone(smallTokenizer.toJson());
    const kept = json.added_tokens.filter(({ content }) => !content.startsWith('<extra_id_'));
    const foreign = Tokenizer.fromJson({ ...json, added_tokens: kept }, 'foreign');
    const { ids } = unlabelledReply(foreign, conversation);
    expect(foreign.decode(ids)).toContain('User\nIs the gate shut?\nAssistant\nYes.\nUser\nWhy?\nAssistant\nThe guard said so.');
  });
});

const words = ['Left.', 'Go left at the mill.', 'Go left at the mill and then on to the old stone bridge.'];

/** The length says how much is said; the mood says nothing. `labels` may be those of other rows. */
function talk(count: number, key: string, shuffled = false): SampleContent[] {
  const random = randomStream('label information', key);
  const level = () => Math.floor(random() * 3);
  return Array.from({ length: count }, (_, i) => {
    const length = level();
    const label = { length: shuffled ? level() : length, mood: level() };
    const turns = [
      { role: 'user' as const, content: `Where is house ${i}?` },
      { role: 'assistant' as const, content: words[length]!, label },
    ];
    return { kind: 'conversation' as const, conversation: { system: '', turns } };
  });
}

async function* samplesOf(contents: SampleContent[]): AsyncGenerator<Sample> {
  for (const [i, content] of contents.entries()) {
    yield { content, conversationId: `c${i}`, source: null, split: i % 2 === 0 ? 'validation' : 'train' };
  }
}

it('replies are the last labelled ones of one side, named and drawn by the seed', async () => {
  const contents = talk(40, 'choice').map((content): SampleContent => {
    if (content.kind === 'text') return content;
    const [line, reply] = content.conversation.turns;
    const other = { role: 'assistant' as const, content: 'And now?' };
    const label = { lengths: reply!.label!.length!, moods: 1.4, other: 3 };
    return { kind: 'conversation', conversation: { system: '', turns: [line!, { ...reply!, label }, line!, other] } };
  });
  const choose = (limit: number, seed: number) =>
    chooseReplies(samplesOf([...contents, { kind: 'text', text: 'Hm.' }]), { schema, split: 'validation', limit, seed });
  const all = await choose(100, 1);
  expect(all.map(({ group }) => group)).toEqual(Array.from({ length: 20 }, (_, i) => `c${2 * i}`));
  expect(all[3]!.conversation.turns).toHaveLength(2);
  expect(Object.keys(all[3]!.label)).toEqual(['length', 'mood']);
  expect(all[3]!.label.mood).toBe(1);
  const groups = async (seed: number) => (await choose(8, seed)).map(({ group }) => group);
  expect(await groups(1)).toHaveLength(8);
  expect(await groups(1)).toEqual(await groups(1));
  expect(await groups(1)).not.toEqual(await groups(2));
});

describe('a trained model', { timeout: 120_000 }, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'steer-label-information-'));
    const shared = { datasets: [], dtype: 'float32' as const, B: 8, T: 64 };
    const files = async (name: string, contents: SampleContent[]) => {
      const runFolder = join(folder, `${name}-run`);
      await mkdir(runFolder);
      const data = { train: join(runFolder, 'data.jsonl'), validation: join(runFolder, 'none.jsonl') };
      await writeSnapshot(data.train, contents);
      await writeSnapshot(data.validation, []);
      return { ...shared, ...data, name, runFolder, out: join(folder, name) };
    };
    const { signal } = new AbortController();
    const base = await files('base', talk(120, 'train'));
    await finetune({ ...base, method: 'pretrain', start: { create: quickSize }, settings: quickSettings(3) }, quiet, signal);
    for (const name of ['steered', 'shuffled']) {
      const run = await files(name, talk(240, 'train', name === 'shuffled'));
      const dropout = { label: 0.1, attribute: 0.1, partial: 0 };
      await finetune(
        { ...run, method: 'steered', base: base.out, schema, dropout, settings: quickSettings(12, 1e-2) },
        quiet,
        signal,
      );
    }
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true }));

  const informationOf = async (name: string) => {
    const likelihood = await openTokenLikelihood(join(folder, name), { threads: 1 });
    const tokenizer = await Tokenizer.open(join(folder, name));
    const replies = await chooseReplies(samplesOf(talk(120, 'held out')), { schema, limit: 80, seed: 3 });
    const readings = await readUnderLabels({ likelihood, tokenizer, schema, contextLength: 128, replies, seed: 3 });
    await likelihood.dispose();
    expect(readings).toHaveLength(80);
    return labelInformation(schema, readings, 3);
  };

  it('gains from the attribute its replies follow and not from the other', async () => {
    const { gain, gain_over_none, attributes } = await informationOf('steered');
    expect(gain.low).toBeGreaterThan(0.05);
    expect(gain_over_none.value).toBeGreaterThan(0);
    expect(attributes.length!.gain.low).toBeGreaterThan(0.05);
    expect(attributes.length!.recovery.accuracy.value).toBeGreaterThan(0.95);
    expect(attributes.length!.recovery.spearman.value).toBeGreaterThan(0.95);
    expect(Math.abs(attributes.mood!.gain.value)).toBeLessThan(0.01);
    expect(attributes.mood!.recovery.probability.value).toBeCloseTo(1 / 3, 1);
  });

  it('gains nothing where its training labels were shuffled', async () => {
    const { gain, attributes } = await informationOf('shuffled');
    expect(Math.abs(gain.value)).toBeLessThan(0.02);
    for (const { gain: each, recovery } of Object.values(attributes)) {
      expect(Math.abs(each.value)).toBeLessThan(0.02);
      expect(recovery.probability.value).toBeCloseTo(recovery.chance.probability, 1);
    }
  });
});
