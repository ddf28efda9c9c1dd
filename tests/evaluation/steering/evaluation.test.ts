// An evaluation of steering from asking to figures, with a model whose replies are as long as it is asked to be and a judge that counts words.
import { describe, expect, test } from 'vitest';
import { attributesJudged, evaluateCondition, repliesPlanned } from '../../../src/evaluation/steering/evaluation.ts';
import { type Condition, inSystemText } from '../../../src/evaluation/steering/run.ts';
import type { CompletionRequest, LanguageModel } from '../../../src/generation/language-model.ts';
import type { Predictor } from '../../../src/predictor/predictor.ts';
import type { AttributeSchema } from '../../../src/steerlm/attributes.ts';
import type { Conversation } from '../../../src/steerlm/conversation.ts';
import { layOutPrompt, type Piece, spellPieces } from '../../../src/steerlm/prompt-layout.ts';

const levels = ['a word', 'two words', 'three words', 'four words', 'five words'];
const schema: AttributeSchema = {
  name: 'tone',
  version: 1,
  attributes: [
    { name: 'length', aliases: [], description: 'How long it is', levels, default: 1, cap: 4 },
    { name: 'marks', aliases: [], description: '', levels: ['none', 'one', 'two'], default: null, cap: 2 },
  ],
};
const prompts = ['Any news?', 'Who are you?', 'What do you sell?', 'Is it far?'].map(
  (content): Conversation => ({ system: 'You keep an inn.', turns: [{ role: 'user', content }] }),
);
const plain: Condition = { name: 'plain prompt', strength: 1, against: 'null', bestOf: 1, inWords: false };
const options = {
  attributes: ['length', 'marks'],
  seeds: 2,
  targets: 3,
  unlabelled: false,
  maxTokens: 8,
  temperature: 0.7,
  topP: 0.95,
  frequencyPenalty: 0.25,
  seed: 5,
  data: null,
  draws: 20,
  signal: new AbortController().signal,
};

/** Says `write(prompt, request)` for each of the n replies, and remembers what it was asked. */
function modelThat(write: (prompt: string, seed: number) => string) {
  const spelled: string[] = [];
  const requests: { prompts: string[]; request: CompletionRequest }[] = [];
  let most = 0;
  let running = 0;
  const model: LanguageModel = {
    id: 'innkeeper',
    revision: 'abc',
    schema,
    contextLength: 256,
    vocabSize: 10,
    mixes: true,
    chat: 'labels',
    layOut: async (conversation, label) => layOutPrompt(schema, conversation, label),
    encode: (pieces: Piece[]) => [spelled.push(spellPieces(pieces)) - 1],
    encodeLong: async (pieces) => model.encode(pieces),
    countTokens: (text) => text.length,
    bytesOf: () => new Uint8Array(),
    async *complete(request, signal) {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
      signal.throwIfAborted();
      const said = request.phases![0]!.branches.map(({ prompt }) => spelled[prompt[0]!]!);
      requests.push({ prompts: said, request });
      for (let index = 0; index < request.n; index++) {
        const text = `${write(said[0]!, request.seed + index)}\n`;
        yield { kind: 'end', index, text, finishReason: text.includes('long') ? 'length' : 'stop', completionTokens: 1 };
      }
    },
    dispose: async () => {},
  };
  return { model, requests, most: () => most };
}

const asked = (prompt: string, name: string) => /<extra_id_2>(.*)\n$/.exec(prompt)?.[1]?.match(new RegExp(`${name}:(\\d)`))?.[1];

/** As many words as the label says, and as many marks. */
const obedient = (prompt: string) =>
  `${Array.from({ length: 1 + Number(asked(prompt, 'length') ?? 2) }, () => 'word').join(' ')}${'!'.repeat(Number(asked(prompt, 'marks') ?? 0))}`;

const scored = (value: number) => ({ value, level: Math.round(value), probabilities: [], confidence: 1 });

/** Text with `strange` in it is unlike its training. */
function judgeThat(value: (text: string) => Record<string, number>, id = 'judge', strange?: string): Predictor {
  return {
    id,
    revision: `${id} 1`,
    schema,
    score: async (conversations) =>
      conversations.map(({ turns }) => {
        const attributes = Object.entries(value(turns.at(-1)!.content)).map(([name, value]) => [name, scored(value)]);
        const ground = strange === undefined ? undefined : { unseen: 0.5, unlike: turns.at(-1)!.content.includes(strange) };
        return { attributes: Object.fromEntries(attributes), truncated: false, tokens: 1, ground };
      }),
    dispose: async () => {},
  };
}

const counting = judgeThat((text) => ({ length: text.split(' ').length - 1, marks: text.match(/!/g)?.length ?? 0 }));

describe('a model that obeys', () => {
  test('is followed to the letter, and leaks nothing', async () => {
    const { model, requests, most } = modelThat(obedient);
    let told = 0;
    const figures = await evaluateCondition({ model, judge: counting, schema }, plain, prompts, {
      ...options,
      onReply: () => void told++,
    });
    // 4 prompts, each 2 × (defaults + 5 + 3 levels) + 3 targets.
    expect([requests.length, told, repliesPlanned(schema, prompts.length, options)]).toEqual([84, 84, 84]);
    expect(most()).toBeGreaterThan(4);
    expect(most()).toBeLessThanOrEqual(16);
    for (const name of ['length', 'marks']) {
      const { figures: found, p_holm } = figures.attributes[name]!;
      expect(found).toMatchObject({ gain: { value: 1 }, mae: { value: 0 }, anti_steerable: { value: 0 } });
      expect(found.within_spearman.value).toBeCloseTo(1, 10);
      expect(p_holm).toBeLessThan(0.1);
    }
    expect(figures.attributes.length!.curve.map(({ obtained }) => obtained.value)).toEqual([0, 1, 2, 3, 4]);
    expect(figures.leakage.rms.value).toBe(0);
    expect(figures).not.toHaveProperty('ground');
    expect(figures.grid).toMatchObject({ replies: 12, steering_error: { value: 0 }, steerability: { value: 1 } });
    expect(figures.text).toMatchObject({ empty: { value: 0 }, label_echo: { value: 0 }, unfinished: { value: 0 } });
    expect(figures.proxies.length!.words!.value).toBeCloseTo(1, 10);
    expect(figures.fluency).toBeNull();
  });

  test('is asked for one attribute at a time, the others at their defaults, under seeds of their own', async () => {
    const { model, requests } = modelThat(obedient);
    await evaluateCondition({ model, judge: counting, schema }, plain, prompts.slice(0, 2), { ...options, targets: 0 });
    const labels = requests.map(({ prompts: [prompt] }) => /<extra_id_2>(.*)\n$/.exec(prompt!)![1]);
    const once = ['length:1', ...[0, 1, 2, 3, 4].map((x) => `length:${x}`), ...[0, 1, 2].map((x) => `length:1,marks:${x}`)];
    expect(labels.toSorted()).toEqual([...once, ...once, ...once, ...once].toSorted());
    expect(new Set(requests.map(({ request }) => request.seed)).size).toBe(requests.length);
    expect(requests[0]!.request).toMatchObject({ n: 1, maxTokens: 8, temperature: 0.7, topP: 0.95, frequencyPenalty: 0.25 });
  });
});

test('a model that goes the other way is told apart from one that goes none', async () => {
  const contrary = modelThat((prompt) => Array.from({ length: 5 - Number(asked(prompt, 'length') ?? 1) }, () => 'w').join(' '));
  const figures = await evaluateCondition({ model: contrary.model, judge: counting, schema }, plain, prompts, options);
  expect(figures.attributes.length!.figures).toMatchObject({ gain: { value: -1 }, anti_steerable: { value: 1 } });
  expect(figures.attributes.marks!.figures).toMatchObject({
    gain: { value: 0 },
    within_spearman: { value: 0 },
    anti_steerable: { value: 0 },
  });
  expect(figures.grid!.steerability.value).toBeLessThan(1);
});

test('a strength mixes prompts', async () => {
  const { model, requests } = modelThat(obedient);
  await evaluateCondition({ model, judge: counting, schema }, { ...plain, strength: 2 }, prompts.slice(0, 2), {
    ...options,
    targets: 0,
  });
  const { prompts: mixed, request } = requests.find(({ prompts: [prompt] }) => prompt!.includes('length:4'))!;
  expect(mixed[1]).not.toContain('<extra_id_2>');
  expect(request.phases![0]!.branches.map(({ weight }) => weight)).toEqual([2, -1]);
});

test('candidates are chosen by the chooser, for what is asked alone', async () => {
  // Replies follow the seed, not the label; of enough of them one is as long as asked.
  const { model, requests } = modelThat((_, seed) => Array.from({ length: 1 + (seed % 5) }, () => 'w').join(' '));
  const chooser = judgeThat((text) => ({ length: text.split(' ').length - 1, marks: 2 }), 'chooser');
  const best = { ...plain, name: 'best of 5', bestOf: 5, chooser };
  const figures = await evaluateCondition({ model, judge: counting, schema }, best, prompts, options);
  expect(requests.every(({ request }) => request.n === 5)).toBe(true);
  expect(figures.attributes.length!.figures).toMatchObject({ gain: { value: 1 }, mae: { value: 0 } });
});

test('words in place of a label stand in the system text', async () => {
  const { model, requests } = modelThat(() => 'word');
  await evaluateCondition({ model, judge: counting, schema }, { ...plain, inWords: true }, prompts.slice(0, 2), options);
  const all = requests.flatMap(({ prompts: [prompt] }) => prompt!);
  expect(all.some((prompt) => prompt.includes('<extra_id_2>'))).toBe(false);
  expect(
    all.filter((prompt) => prompt.includes('You keep an inn.\nThe length (how long it is) of your reply: three words.\n')).length,
  ).toBeGreaterThanOrEqual(4);
  expect(inSystemText(schema, '', { length: 4, marks: 0 })).toBe(
    'The length (how long it is) of your reply: five words.\nThe marks of your reply: none.',
  );
  expect(inSystemText(schema, 'You keep an inn.', {})).toBe('You keep an inn.');
});

test('words that leave a reply no room push out the oldest exchange, of the words alone', async () => {
  const { model, requests } = modelThat(() => 'word');
  const turns = [
    { role: 'user' as const, content: 'Is it far?' },
    { role: 'assistant' as const, content: 'A day by foot, and half a day by cart if the bridge holds.' },
    { role: 'user' as const, content: 'Any news?' },
  ];
  let longest = 0;
  const encode = (pieces: Piece[]) => {
    const ids = [...model.encode(pieces), ...Array.from(spellPieces(pieces), () => 0)];
    longest = Math.max(longest, ids.length);
    return ids;
  };
  const ask = async (condition: Condition, contextLength: number) => {
    requests.length = 0;
    const reader = { ...model, encode, contextLength };
    await evaluateCondition(
      { model: reader, judge: counting, schema },
      condition,
      [{ system: 'You keep an inn.', turns }],
      options,
    );
    const asked = requests.flatMap(({ prompts: [prompt] }) => prompt!);
    expect(asked.every((prompt) => prompt.includes('Any news?'))).toBe(true);
    return asked.filter((prompt) => prompt.includes('Is it far?')).length / asked.length;
  };
  expect(await ask(plain, 10_000)).toBe(1);
  const enough = longest + options.maxTokens;
  expect(await ask(plain, enough)).toBe(1);
  expect(await ask({ ...plain, inWords: true }, enough)).toBeLessThan(1);
});

test('fluency is that of what was asked for, level by level, beside replies without a label and at defaults', async () => {
  const { model } = modelThat((prompt) => {
    if (!prompt.includes('<extra_id_2>')) return 'free';
    return asked(prompt, 'marks') ? `marks ${asked(prompt, 'marks')}` : `length ${asked(prompt, 'length')}`;
  });
  // Each word of a reply is a token, and what it costs depends on what was asked for: 2 unlabelled, 3 with a length, 4 to 6 with marks.
  const fluency = async (conversations: Conversation[]) =>
    conversations.map(({ turns }) => {
      const [kind, level] = turns.at(-1)!.content.split(' ');
      return { nats: kind === 'free' ? 2 : kind === 'length' ? 3 : 4 + Number(level), tokens: 1 };
    });
  const figures = await evaluateCondition({ model, judge: counting, schema }, plain, prompts, {
    ...options,
    targets: 0,
    unlabelled: true,
    fluency,
  });
  // Of a prompt: 5 levels of length at 3 nats, and marks at 4, 5 and 6.
  const nll = (5 * 3 + 4 + 5 + 6) / 8;
  const { perplexity, cost, cost_of_asking, levels } = figures.fluency!;
  expect(perplexity.value).toBeCloseTo(Math.exp(nll), 10);
  expect(cost.value).toBeCloseTo(Math.expm1(nll - 2), 10);
  expect(cost_of_asking.value).toBeCloseTo(Math.expm1(nll - 3), 10);
  const points = levels.marks!.map(({ requested, perplexity }) => [requested, Math.log(perplexity.value)]);
  expect(points.flat()).toEqual([0, 4, 1, 5, 2, 6].map((value) => expect.closeTo(value, 10)));
  expect(levels.length).toHaveLength(5);
});

test('a model without attributes is asked without a label', async () => {
  const { model, requests } = modelThat(() => 'word');
  const silent = { ...model, schema: { ...schema, attributes: [] } };
  const figures = await evaluateCondition({ model: silent, judge: counting, schema }, plain, prompts, options);
  expect(requests.length).toBe(84);
  expect(requests.some(({ prompts: [prompt] }) => prompt!.includes('<extra_id_2>'))).toBe(false);
  expect(figures.attributes.length!.figures.within_spearman.value).toBe(0);
});

test('replies that are unlike what the judge was trained on are counted, where it knows', async () => {
  const [judge, { model }] = [judgeThat(() => ({ length: 0, marks: 0 }), 'judge', '!'), modelThat(obedient)];
  const { ground } = await evaluateCondition({ model, judge, schema }, plain, prompts, { ...options, targets: 0 });
  // Those asked for one mark or two: 2 of 9 replies, twice for each prompt.
  expect(ground).toEqual({ replies: 72, unlike: 16 });
});

test('when one reply fails all others are stopped, and the failure is told', async () => {
  const { model, requests } = modelThat((prompt) => {
    if (prompt.includes('marks:2')) throw new Error('no room');
    return 'word';
  });
  await expect(evaluateCondition({ model, judge: counting, schema }, plain, prompts, options)).rejects.toThrow('no room');
  expect(requests.length).toBeLessThan(60);
});

test('an abort ends it', async () => {
  const stop = new AbortController();
  const { model } = modelThat(obedient);
  const running = evaluateCondition({ model, judge: counting, schema }, plain, prompts, {
    ...options,
    signal: stop.signal,
    onReply: () => stop.abort(),
  });
  await expect(running).rejects.toThrow(/abort/i);
});

describe('what is judged', () => {
  const only = (...names: string[]) => ({ ...schema, attributes: schema.attributes.filter(({ name }) => names.includes(name)) });

  test('is what both know', () => {
    expect(attributesJudged(schema, { id: 'j', schema: only('marks') }, 'm')).toEqual(['marks']);
  });

  test('is refused where it is nothing, or of another scale', () => {
    const judge = { id: 'j', schema };
    expect(() => attributesJudged({ ...schema, attributes: [] }, judge, 'm')).toThrow('m has none to steer');
    expect(() => attributesJudged(only('marks'), { id: 'j', schema: only('length') }, 'm')).toThrow(
      'j rates none of marks; it rates length',
    );
    const short = { ...schema, attributes: [{ ...schema.attributes[0]!, levels: ['no', 'yes'] }] };
    expect(() => attributesJudged(schema, { id: 'j', schema: short }, 'm')).toThrow(
      'm knows length from 0 to 4, j rates it from 0 to 1',
    );
  });
});
