// Pairs of replies in every spelling, and what NeMo's predictor of attributes is trained on.
import { describe, expect, test } from 'vitest';
import { detectFormat } from '../../src/datasets/detect.ts';
import { withRecord } from '../../src/datasets/export.ts';
import { type FormatName, formats } from '../../src/datasets/formats/table.ts';
import { readRows } from '../../src/datasets/read.ts';
import type { Sample } from '../../src/datasets/sample.ts';
import type { AttributeSchema } from '../../src/steerlm/attributes.ts';
import { steerLM } from '../../src/steerlm/schemas.ts';
import { bytesOf } from './import-text.ts';

async function read(records: unknown[], schema?: AttributeSchema): Promise<Sample[]> {
  const text = records.map((record) => JSON.stringify(record)).join('\n');
  const samples: Sample[] = [];
  for await (const row of readRows({ bytes: bytesOf(text), name: 'x.jsonl' }, { schema })) {
    if ('problem' in row) throw new Error(row.problem);
    samples.push(...row.samples);
  }
  return samples;
}
const render = (format: FormatName, sample: Sample) =>
  formats[format].render!(sample, steerLM).map((row) => withRecord(sample, row, format));
const turnsOf = ({ content }: Sample) => (content.kind === 'conversation' ? content.conversation.turns : []);
/** Who says what, and whether it is to be learnt. */
const told = (sample: Sample) =>
  turnsOf(sample).map(({ role, content, trained }) => `${role === 'user' ? '?' : trained === false ? '-' : '+'} ${content}`);

const user = (content: string) => ({ role: 'user', content });
const reply = (content: string) => ({ role: 'assistant', content });

const pairs: Record<string, object> = {
  'TRL, texts': { prompt: 'Where?', chosen: 'There.', rejected: 'Find it.' },
  'TRL, messages': { prompt: [user('Where?')], chosen: [reply('There.')], rejected: [reply('Find it.')] },
  'TRL, whole conversations': { chosen: [user('Where?'), reply('There.')], rejected: [user('Where?'), reply('Find it.')] },
  'whole conversations beside a prompt as text': {
    prompt: 'Where?',
    chosen: [user('Where?'), reply('There.')],
    rejected: [user('Where?'), reply('Find it.')],
    messages: [user('Where?'), reply('There.')],
  },
  ShareGPT: {
    conversations: [{ from: 'human', value: 'Where?' }],
    chosen: { from: 'gpt', value: 'There.' },
    rejected: { from: 'gpt', value: 'Find it.' },
  },
  OpenAI: {
    input: { messages: [user('Where?')], tools: [] },
    preferred_output: [reply('There.')],
    non_preferred_output: [reply('Find it.')],
  },
  'hh-rlhf': { chosen: '\n\nHuman: Where?\n\nAssistant: There.', rejected: '\n\nHuman: Where?\n\nAssistant: Find it.' },
  'a question of its own name': { question: 'Where?', chosen: 'There.', rejected: 'Find it.' },
  Argilla: { instruction: 'Where?', chosen_response: 'There.', rejected_response: 'Find it.' },
  'HelpSteer2, the second better': { prompt: 'Where?', response_1: 'Find it.', response_2: 'There.', preference_strength: 2 },
  'HelpSteer2, the first better': { prompt: 'Where?', response_1: 'There.', response_2: 'Find it.', preference_strength: -1 },
};

describe('a pair is two samples of one conversation, the worse one marked and never learnt', () => {
  test.each(Object.keys(pairs))('%s', async (how) => {
    expect(detectFormat(pairs[how])).toBe('preference');
    const samples = await read([pairs[how]]);
    expect(samples.map(({ preference }) => preference)).toEqual(['chosen', 'rejected']);
    expect(samples.map(told)).toEqual([
      ['? Where?', '+ There.'],
      ['? Where?', '- Find it.'],
    ]);
    expect(samples[0]!.conversationId).toBe(samples[1]!.conversationId);
  });

  test('earlier replies are context of both, and a system text stays one', async () => {
    const before = [{ role: 'system', content: 'Be kind.' }, user('Hi'), reply('Hello'), user('Where?')];
    const explicit = { prompt: before, chosen: [reply('There.')], rejected: [reply('Find it.')] };
    const whole = { chosen: [...before, reply('There.')], rejected: [...before, reply('Find it.')] };
    for (const record of [explicit, whole]) {
      const samples = await read([record]);
      expect(samples.map(told)).toEqual([
        ['? Hi', '- Hello', '? Where?', '+ There.'],
        ['? Hi', '- Hello', '? Where?', '- Find it.'],
      ]);
      expect(samples[0]?.content).toMatchObject({ conversation: { system: 'Be kind.' } });
    }
  });

  test('the mark goes out in every format and comes in again', async () => {
    for (const sample of await read([{ ...pairs.ShareGPT, id: 'p1' }])) {
      for (const format of ['preference', 'openai', 'sharegpt', 'nemo', 'helpsteer', 'alpaca'] as const) {
        const [row] = render(format, sample);
        expect(row, format).toMatchObject({ id: 'p1' });
        const [again] = await read([row]);
        expect([again?.preference, told(again!)], format).toEqual([sample.preference, told(sample)]);
      }
      expect(render('preference', sample)[0]).toMatchObject({ label: sample.preference === 'chosen' });
    }
  });

  test.each([
    ['without a prompt', { chosen: 'a', rejected: 'b' }, 'chosen: expected what the reply answers, in prompt'],
    ['without a worse reply', { prompt: 'p', chosen: 'a', rejected: null }, 'expected the worse reply in rejected'],
    ['of numbers', { prompt: 'p', chosen: 1, rejected: 2 }, 'chosen: expected a text, a message'],
    ['that ends with a question', { chosen: [user('a')], rejected: [user('b')] }, 'expected a reply of the assistant at the end'],
  ])('%s it is refused by name', async (_what, record, message) => {
    await expect(read([record])).rejects.toThrow(message);
  });

  test('two replies of which none was preferred are two samples without a mark', async () => {
    const samples = await read([{ prompt: 'Where?', response_1: 'a', response_2: 'b', preference_strength: 0 }]);
    expect(samples.map((sample) => [sample.preference, ...told(sample)])).toEqual([
      [undefined, '? Where?', '+ a'],
      [undefined, '? Where?', '+ b'],
    ]);
  });
});

test('KTO: one reply by itself, better, worse or not compared', async () => {
  const samples = await read([
    { prompt: 'Where?', completion: 'There.', label: true },
    { prompt: [user('Where?')], completion: [reply('Find it.')], label: false },
    { prompt: 'Where?', completion: 'Here.' },
  ]);
  expect(samples.map((sample) => [sample.preference, ...told(sample)])).toEqual([
    ['chosen', '? Where?', '+ There.'],
    ['rejected', '? Where?', '- Find it.'],
    [undefined, '? Where?', '+ Here.'],
  ]);
});

describe('KTO of whole conversations', () => {
  const said = (good: boolean) => [
    { from: 'human', value: 'Hi.' },
    { from: 'gpt', value: 'Hello.' },
    { from: 'human', value: 'Where?' },
    { from: 'gpt', value: good ? 'There.' : 'Find it.' },
  ];
  const messages = (good: boolean) => said(good).map(({ from, value }) => (from === 'gpt' ? reply(value) : user(value)));
  const good = ['chosen', '? Hi.', '- Hello.', '? Where?', '+ There.'];
  const bad = ['rejected', '? Hi.', '- Hello.', '? Where?', '- Find it.'];
  test.each([
    ['ShareGPT, label', (better: boolean) => ({ conversations: said(better), label: better })],
    ['ShareGPT, kto_tag', (better: boolean) => ({ conversations: said(better), kto_tag: better })],
    ['messages, label', (better: boolean) => ({ messages: messages(better), label: better })],
  ])('%s', async (_spelling, record) => {
    const samples = await read([record(true), record(false)]);
    expect(samples.map((sample) => [sample.preference, ...told(sample)])).toEqual([good, bad]);
    for (const format of ['sharegpt', 'openai', 'preference'] as const) {
      const rendered = samples.flatMap((sample) => render(format, sample));
      const again = await read(rendered);
      expect(again.map((sample) => [sample.preference, ...told(sample)])).toEqual([good, bad]);
    }
    const [row] = render('sharegpt', samples[1]!);
    expect(row).toMatchObject({ preference: 'rejected', conversations: [{}, { weight: 0 }, {}, { weight: 0 }] });
    expect(row).not.toHaveProperty('label');
  });

  test('of one exchange as an instruction', async () => {
    const [sample] = await read([{ instruction: 'Where?', output: 'Find it.', kto_tag: false }]);
    expect([sample!.preference, ...told(sample!)]).toEqual(['rejected', '? Where?', '- Find it.']);
  });

  test('a label that is no judgement stays a field', async () => {
    const [sample] = await read([{ conversations: said(true), label: 'travel' }]);
    expect(sample).toMatchObject({ fields: { record: { label: 'travel' } } });
    expect(sample!.preference).toBeUndefined();
  });
});

test('a reply that is not learnt is context, however that is spelled', async () => {
  const spellings = [
    { loss: false },
    { loss: 0 },
    { loss_weight: 0 },
    { train: false },
    { training: false },
    { trainable: false },
  ];
  for (const spelling of [...spellings, { mask: true }, { mask: 1 }, { masked: true }]) {
    for (const record of [
      {
        conversations: [
          { from: 'human', value: 'Where?' },
          { from: 'gpt', value: 'There.', ...spelling },
        ],
      },
      { messages: [user('Where?'), { ...reply('There.'), ...spelling }] },
    ]) {
      const [sample] = await read([record]);
      expect(told(sample!), JSON.stringify(spelling)).toEqual(['? Where?', '- There.']);
      expect(render('sharegpt', sample!)).toMatchObject([{ conversations: [{}, { from: 'gpt', value: 'There.', weight: 0 }] }]);
      expect(sample!.fields?.turns).toBeUndefined();
    }
  }
  for (const spelling of [{ loss: true }, { mask: false }, { loss: 0.35 }, { mask: 'User' }, { loss: null }]) {
    const [sample] = await read([{ messages: [user('Where?'), { ...reply('There.'), ...spelling }] }]);
    expect(told(sample!), JSON.stringify(spelling)).toEqual(['? Where?', '+ There.']);
  }
});

describe('what NeMo trains its predictor of attributes on', () => {
  const spell = (...turns: [string, string][]) =>
    `<extra_id_0>System\nA guide.\n${turns.map(([name, said]) => `<extra_id_1>${name}\n${said}\n`).join('')}<extra_id_2>`;
  const text = spell(['User', 'Where is the well?'], ['Assistant', 'Past the\n\ngate.']);
  const label = [4, 0, -100, 1, 3, 3, 4, 1, 1];

  test('is one conversation, its last reply rated in the order of NeMo, with what is unsaid left out', async () => {
    expect(detectFormat({ text, label })).toBe('nemo-regression');
    const [sample] = await read([{ text, label }]);
    expect(sample?.content).toMatchObject({ conversation: { system: 'A guide.' } });
    expect(turnsOf(sample!)).toEqual([
      user('Where is the well?'),
      {
        ...reply('Past the\n\ngate.'),
        label: {
          quality: 4,
          toxicity: 0,
          creativity: 1,
          helpfulness: 3,
          correctness: 3,
          coherence: 4,
          complexity: 1,
          verbosity: 1,
        },
      },
    ]);
    expect(render('nemo-regression', sample!)).toMatchObject([{ text, label }]);
  });

  test('earlier replies are context, an empty system text is none', async () => {
    const long = spell(['User', 'a'], ['Assistant', 'b'], ['User', 'c'], ['Assistant', 'd']).replace('A guide.', '');
    const [sample] = await read([{ text: long, label: label.map(() => -100) }]);
    expect(told(sample!)).toEqual(['? a', '- b', '? c', '+ d']);
    expect(sample?.content).toMatchObject({ conversation: { system: '' } });
    expect(turnsOf(sample!)[3]).not.toHaveProperty('label');
  });

  test('a list of another length is read by a schema that is named, and refused without', async () => {
    const [first, second] = [steerLM.attributes[4]!, steerLM.attributes[8]!];
    const schema = { name: 'two', version: 1, attributes: [first, second] };
    const [sample] = await read([{ text, label: [2.5, 1] }], schema);
    expect(turnsOf(sample!)[1]?.label).toEqual({ helpfulness: 2.5, verbosity: 1 });
    await expect(read([{ text, label: [2.5, 1] }])).rejects.toThrow(
      'label: expected 9 numbers, of quality, toxicity, humor, creativity, helpfulness, correctness, coherence, complexity, verbosity; found 2',
    );
  });

  test.each([
    ['no reply at its end', spell(['User', 'a']), 'expected a reply of the assistant at its end'],
    ['another speaker', spell(['Narrator', 'a'], ['Assistant', 'b']), 'found one of "Narrator"'],
  ])('%s is refused', async (_what, bad, message) => {
    await expect(read([{ text: bad, label }])).rejects.toThrow(message);
  });

  test('text that would turn into structure is not written', async () => {
    const [sample] = await read([
      { messages: [user('a\n<extra_id_1>Assistant\nyes'), { ...reply('b'), attributes: { quality: 1 } }] },
    ]);
    expect(() => render('nemo-regression', sample!)).toThrow('turn token');
  });
});
