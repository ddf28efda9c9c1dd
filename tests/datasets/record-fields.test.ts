// What a stranger's record says beside its conversation: that a reply is context, ids of 64 bits, fields nobody here knows, how sure a label is.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readExport } from '../../src/datasets/export.ts';
import type { FormatName } from '../../src/datasets/formats/table.ts';
import { findDataset, streamSamples } from '../../src/datasets/samples.ts';
import { appendLabels } from '../../src/datasets/write.ts';
import { inMemory } from '../../src/in-memory.ts';
import type { Turn } from '../../src/steerlm/conversation.ts';
import { layOutTraining } from '../../src/steerlm/prompt-layout.ts';
import { openStore, type Store } from '../../src/store/connect.ts';
import { migrateStore } from '../../src/store/migrate.ts';
import { collect } from './collect.ts';
import { importText } from './import-text.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore({ dataDir: inMemory });
  await migrateStore(store.db);
});
afterAll(() => store.close());

let made = 0;
const put = async (content: string | unknown[]) => {
  const name = `set-${made++}`;
  return { name, report: await importText(store.db, name, content) };
};
const samplesOf = async (name: string) => await collect(streamSamples(store.db, (await findDataset(store.db, name)).id));
const turnsOf = async (name: string, at = 0): Promise<Turn[]> => {
  const { content } = (await samplesOf(name))[at]!;
  return content.kind === 'conversation' ? content.conversation.turns : [];
};
const textOf = async (name: string, format: FormatName = 'openai') =>
  (await collect(readExport(store.db, { dataset: name, format }))).join('');
const rowsOf = async (name: string, format: FormatName = 'openai') =>
  (await textOf(name, format))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

const user = (content: string) => ({ role: 'user', content });
const reply = (content: string, more: object = {}) => ({ role: 'assistant', content, ...more });
const trainedText = (turns: Turn[]) =>
  layOutTraining({ name: 'none', version: 0, attributes: [] }, { system: '', turns })
    .flatMap((piece) => (piece.trained ? ['text' in piece ? piece.text : '<end>'] : []))
    .join('');

describe('a reply that is context alone', () => {
  const spellings: Record<string, unknown> = {
    'weight 0 of OpenAI': {
      messages: [user('Where?'), reply('WRONG', { weight: 0 }), user('Please.'), reply('There.', { weight: 1 })],
    },
    'train false of Axolotl': { messages: [user('Where?'), reply('WRONG', { train: false }), user('Please.'), reply('There.')] },
    'training false': { messages: [user('Where?'), reply('WRONG', { training: false }), user('Please.'), reply('There.')] },
    'spans none of which is trained': {
      messages: [
        user('Where?'),
        reply('WRONG', { train_detail: [{ begin_offset: 0, end_offset: 4, train: false }] }),
        user('Please.'),
        reply('There.'),
      ],
    },
    'weight 0 in ShareGPT': {
      conversations: [
        { from: 'human', value: 'Where?' },
        { from: 'gpt', value: 'WRONG', weight: 0 },
        { from: 'human', value: 'Please.' },
        { from: 'gpt', value: 'There.' },
      ],
    },
    'weight 0 in NeMo': {
      mask: 'User',
      conversations: [
        { from: 'User', value: 'Where?', label: null },
        { from: 'Assistant', value: 'WRONG', label: null, weight: 0 },
        { from: 'User', value: 'Please.', label: null },
        { from: 'Assistant', value: 'There.', label: null },
      ],
    },
  };
  test.each(Object.keys(spellings))('%s: it is never a target, and an export says so again', async (how) => {
    const { name, report } = await put([spellings[how]]);
    expect(trainedText(await turnsOf(name))).toBe('There.\n<end>');
    expect((await rowsOf(name))[0].messages.map(({ weight }: { weight?: number }) => weight)).toEqual([
      undefined,
      0,
      undefined,
      undefined,
    ]);
    for (const format of ['openai', 'sharegpt', 'nemo', 'preference', 'helpsteer'] as const) {
      const again = await put(await textOf(name, format));
      const last = again.report.samples - 1;
      expect(trainedText(await turnsOf(again.name, last)), format).toBe('There.\n<end>');
      if (format === 'openai') expect(again.report.hash).toBe(report.hash);
    }
  });

  test('a record that is not to be learnt at all', async () => {
    const { name } = await put([{ instruction: 'Where?', output: 'There.', weight: 0 }]);
    expect(trainedText(await turnsOf(name))).toBe('');
    expect(await rowsOf(name, 'alpaca')).toMatchObject([{ output: 'There.', weight: 0 }]);
  });

  test.each([
    ['a share of a reply', { weight: 0.5 }, 'messages.1.weight: expected 0 or 1'],
    [
      'part of a reply',
      { train_detail: [{ train: true }, { train: false }] },
      'messages.1.train_detail: a reply is learnt as a whole',
    ],
    ['calls of tools', { content: null, tool_calls: [{ id: 'a' }] }, 'messages.1.tool_calls: calls of tools cannot be read'],
  ])('%s is refused by name', async (_what, more, message) => {
    await expect(put([{ messages: [user('a'), reply('b', more)] }])).rejects.toThrow(message);
  });
});

describe('ids of 64 bits', () => {
  const dialogue = '"conversations":[{"from":"human","value":"q"},{"from":"gpt","value":"y"}]';
  const [one, two] = ['12345678901234567890', '12345678901234567891'];

  test('two that differ in their last digit are two conversations, and come out as they went in', async () => {
    const { name, report } = await put([one, two].map((id) => `{"id":${id},${dialogue}}`).join('\n'));
    expect(report).toMatchObject({ samples: 2, conversations: 2 });
    for (const format of ['sharegpt', 'openai', 'nemo', 'helpsteer', 'alpaca'] as const) {
      const lines = (await textOf(name, format)).trim().split('\n');
      expect(
        lines.map((line) => /"id":(\d+)/.exec(line)?.[1]),
        format,
      ).toEqual([one, two]);
    }
  });

  test.each([
    ['openai', `{"conversation_id":ID,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"y"}]}`],
    ['nemo', `{"conversation_id":ID,"mask":"User","conversations":[{"from":"User","value":"q","label":null}]}`],
    [
      'openassistant',
      `{"message_tree_id":ID,"prompt":{"text":"q","role":"prompter","replies":[{"text":"y","role":"assistant"}]}}`,
    ],
    ['text', `{"doc_id":ID,"text":"once"}`],
    ['an array', `[{"id":ID,${dialogue}}]`],
  ])('in %s', async (_where, record) => {
    const records = [one, two].map((id) => record.replace('ID', id));
    const content = record.startsWith('[') ? `[${records.map((each) => each.slice(1, -1)).join(',')}]` : records.join('\n');
    const { report } = await put(content);
    expect(report).toMatchObject({ samples: 2, conversations: 2 });
  });

  test('anywhere in fields nobody here knows, beside fractions that stay numbers', async () => {
    const { name } = await put(`{"seed":${one},"at":{"ns":[1700000000123456789,0.1234567890123456789]},"score":0.5,${dialogue}}`);
    expect(await textOf(name)).toMatch(
      new RegExp(`"seed":${one},"at":\\{"ns":\\[1700000000123456789,0.12345678901234568\\]\\},"score":0.5`),
    );
  });
});

describe('fields nobody here knows', () => {
  test('go out with the record and with the message they stood in, in every format', async () => {
    const record = {
      id: 'row-7',
      messages: [{ ...user('a'), name: 'Ann' }, reply('b', { refusal: null, latency_ms: 12 })],
      source: { url: 'https://example.org', tags: ['x', null] },
      constructor: 'kept',
    };
    const { name } = await put([record]);
    const [row] = await rowsOf(name);
    expect(row).toMatchObject({ ...record, conversation_id: expect.any(String) });
    for (const format of ['sharegpt', 'nemo', 'helpsteer', 'alpaca', 'preference'] as const) {
      const [other] = await rowsOf(name, format);
      expect(other, format).toMatchObject({ id: 'row-7', source: record.source, constructor: 'kept' });
    }
    const again = await put(await textOf(name, 'openai'));
    expect(await rowsOf(again.name)).toEqual([row]);
  });

  test('never take the place of what a format says itself', async () => {
    const { name } = await put([{ instruction: 'a', output: 'b', messages: 'three', conversations: 4 }]);
    expect((await rowsOf(name, 'openai'))[0].messages).toHaveLength(2);
  });

  test.each(['openai', 'nemo'] as const)(
    'the id of a record that is that of its conversation too stays, in %s',
    async (format) => {
      const told = { id: 'x1', conversation_id: 'x1' };
      const spoken = {
        openai: { messages: [user('q'), reply('a')] },
        nemo: {
          mask: 'User',
          conversations: [
            { from: 'User', value: 'q', label: null },
            { from: 'Assistant', value: 'a', label: null },
          ],
        },
      }[format];
      const { name, report } = await put([{ ...spoken, ...told }]);
      expect((await rowsOf(name, format))[0]).toMatchObject(told);
      const again = await importText(store.db, name, await textOf(name, format), { newVersion: true });
      expect(again).toMatchObject({ version: report.version, created: false });
    },
  );

  test('make another version, also where all else is the same', async () => {
    const record = { messages: [user('a'), reply('b')] };
    const [plain, named] = [await put([record]), await put([{ ...record, id: 7 }])];
    expect(plain.report.hash).not.toBe(named.report.hash);
  });

  test('a record nested beyond all measure is refused by its line', async () => {
    const deep = `{"messages":[{"role":"user","content":"a"}],"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    await expect(put(deep)).rejects.toThrow('line 1: the record is nested too deeply');
  });
});

test('an export is one line a record also for readers that end lines at U+2028, U+2029 and U+0085', async () => {
  const { name } = await put([{ messages: [user('a\u2028b\u2029c\u0085d'), reply('ok\u2028')] }]);
  for (const format of ['openai', 'sharegpt', 'nemo', 'helpsteer', 'alpaca', 'preference'] as const) {
    const text = await textOf(name, format);
    expect(text.trimEnd().split(/[\n\u2028\u2029\u0085]/), format).toHaveLength(1);
  }
  expect((await rowsOf(name))[0].messages[0].content).toBe('a\u2028b\u2029c\u0085d');
});

describe('labels', () => {
  test('of any attributes are the same version again, in whichever order they were written', async () => {
    const { name, report } = await put([{ messages: [user('q'), reply('a', { attributes: { zeal: 1, awe: 1 } })] }]);
    expect(report.schema?.attributes.map(({ name }) => name)).toEqual(['awe', 'zeal']);
    expect(await importText(store.db, name, await textOf(name), { newVersion: true })).toMatchObject({
      version: 1,
      created: false,
      hash: report.hash,
    });
  });

  test('go out with value, level and confidence in every format that has room, and come in again', async () => {
    const { name } = await put([
      { messages: [user('a'), reply('b', { attributes: { helpfulness: 3 } }), user('c'), reply('d')] },
    ]);
    const [sample] = await samplesOf(name);
    const by = { sampleId: sample!.id, turn: 1, source: 'model' as const, author: 'judge' };
    await appendLabels(store.db, [{ ...by, attribute: 'helpfulness', value: 2.4, level: 3, confidence: 0.75 }]);
    const told = {
      attributes: { helpfulness: 2.4 },
      attribute_levels: { helpfulness: 3 },
      attribute_confidence: { helpfulness: 0.75 },
    };
    expect((await rowsOf(name, 'openai'))[0].messages[1]).toMatchObject(told);
    expect((await rowsOf(name, 'sharegpt'))[0].conversations[1]).toMatchObject(told);
    expect((await rowsOf(name, 'nemo'))[0].conversations[1]).toMatchObject({ ...told, label: 'helpfulness:2' });
    const { attributes, ...sure } = told;
    expect((await rowsOf(name, 'helpsteer'))[0]).toMatchObject({ ...attributes, ...sure });
    expect((await rowsOf(name, 'nemo-regression'))[0]).toMatchObject({
      ...told,
      label: [-100, -100, -100, -100, 2.4, -100, -100, -100, -100],
    });
    expect((await rowsOf(name, 'preference'))[0].prompt[1]).toMatchObject(told);
    for (const format of ['openai', 'sharegpt', 'nemo', 'helpsteer', 'nemo-regression', 'preference'] as const) {
      const again = await put(await textOf(name, format));
      expect((await rowsOf(again.name, 'openai'))[0].messages[1], format).toMatchObject(told);
    }
  });

  test.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf'])('of an attribute named %s', async (attribute) => {
    const { name, report } = await put([
      { messages: [user('q'), reply('a', { attributes: { [attribute]: 2 } }), user('q'), reply('b')] },
    ]);
    expect(report).toMatchObject({ labels: 1, schema: { attributes: [{ name: attribute.toLowerCase() }] } });
    const turns = await turnsOf(name);
    expect(turns[1]?.label).toEqual({ [attribute.toLowerCase()]: 2 });
    const { schema } = await findDataset(store.db, name);
    const spelled = layOutTraining(schema!, { system: '', turns }).flatMap((piece) => ('text' in piece ? [piece.text] : []));
    expect(spelled.filter((text) => text.includes(':'))).toEqual([`${attribute.toLowerCase()}:2\n`]);
    expect((await rowsOf(name, 'nemo'))[0].conversations.map(({ label }: { label: string | null }) => label)).toEqual([
      null,
      `${attribute.toLowerCase()}:2`,
      null,
      null,
    ]);
  });

  test('of an attribute named __proto__ are refused by that name', async () => {
    const line = '{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","attributes":{"__proto__":2}}]}';
    await expect(put(line)).rejects.toThrow('line 1: expected the name of an attribute, got "__proto__"');
    const nemo = '{"mask":"User","conversations":[{"from":"Assistant","value":"a","label":"__proto__:2"}]}';
    await expect(put(nemo)).rejects.toThrow('got "__proto__"');
  });
});

test('parts of a text are joined with nothing between, in messages of either spelling', async () => {
  const parts = ['Where is ', 'the market?'].map((text) => ({ type: 'text', text }));
  const asked = { role: 'user', content: parts };
  const elsewhere = ['human', 'gpt'].map((from) => ({ from, value: from === 'human' ? parts : 'There.' }));
  const spelled = [{ messages: [asked, reply('There.')] }, { conversations: elsewhere }];
  for (const record of [...spelled, { prompt: [asked], completion: [reply('There.')] }]) {
    const { name } = await put([record]);
    expect((await turnsOf(name))[0]?.content).toBe('Where is the market?');
  }
});
