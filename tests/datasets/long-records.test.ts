// Records of many megabytes: read as JSON.parse reads them, while other work of the process has its turns.
import { describe, expect, test } from 'vitest';
import { parseLongJson, writeLongJson } from '../../src/datasets/long-json.ts';
import { readRows } from '../../src/datasets/read.ts';
import { contentHash, contentHashSlowly, promptKey, promptKeySlowly, type SampleContent } from '../../src/datasets/sample.ts';
import { pieceLength } from '../../src/datasets/text-pieces.ts';
import { turnsDuring } from '../turns-during.ts';
import { collect } from './collect.ts';
import { bytesOf } from './import-text.ts';

const chat = (content: string) => ({
  messages: [
    { role: 'user', content: 'Tell me all.' },
    { role: 'assistant', content },
  ],
});
const read = (content: string) => collect(readRows({ bytes: bytesOf(content), name: 'x.jsonl' }));

describe('a long record', () => {
  test.each([
    ['one long text', chat('All that is. '.repeat(1_000_000))],
    [
      'two words far apart',
      `{"instruction": "a",${' '.repeat(8_000_000)}"output":\n${'\t'.repeat(8_000_000)}"b"}${' '.repeat(8_000_000)}`,
    ],
    [
      'many turns',
      {
        messages: Array.from({ length: 10_000 }, (_, i) => ({
          role: i % 2 ? 'assistant' : 'user',
          content: 'word '.repeat(200),
        })),
      },
    ],
    ['a long prompt that names the conversation', { instruction: 'once '.repeat(2_000_000), output: 'b' }],
    ['a long field nobody here knows', { ...chat('b'), vector: Array.from({ length: 1_000_000 }, (_, i) => i / 8) }],
  ])('of %s lets others have their turn for every piece', async (_what, record) => {
    const line = typeof record === 'string' ? record.replaceAll('\n', ' ') : JSON.stringify(record);
    const { result, turns } = await turnsDuring(() => read(line));
    expect(result).toMatchObject([{ line: 1, samples: [{}] }]);
    expect(turns).toBeGreaterThan(line.length / pieceLength);
  });

  test('of more messages than a conversation has is refused by its line', async () => {
    const messages = Array.from({ length: 10_001 }, () => ({ role: 'user', content: 'x' }));
    expect(await read(JSON.stringify({ messages }))).toMatchObject([
      { line: 1, problem: expect.stringContaining('messages: expected at most 10000 of one record, found 10001') },
    ]);
  });

  const named = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, 1]));
  const rated = (count: number) => ({
    messages: [chat('b').messages[0], { ...chat('b').messages[1], attributes: named(count) }],
  });
  const many = Array.from({ length: 9_000 }, (_, i) => ({
    role: i % 2 ? 'assistant' : 'user',
    content: 'x',
    attributes: named(12),
  }));
  type Message = { text: string; role: string; replies?: Message[] };
  const leaf = { text: 'a', role: 'assistant' };
  const comb = (depth: number): Message => {
    let message: Message = leaf;
    for (let i = 0; i < depth; i++) message = { text: 'm', role: i % 2 ? 'assistant' : 'prompter', replies: [message, leaf] };
    return message;
  };
  const tree = (prompt: Message) => ({ message_tree_id: 't', prompt });
  test.each<[string, object | string, string]>([
    ['attributes of one reply', rated(5_001), 'messages.1.attributes: expected at most 5000'],
    ['attributes in all', { messages: many }, 'messages: expected at most 100000'],
    ['fields', { ...chat('b'), ...named(5_001) }, 'the record: expected at most 5000'],
    ['digits', `{"text":"x","n":${'1'.repeat(2 * pieceLength)}}`, 'not JSON: expected a value, found "11111111111111111111"'],
    ['ways through a tree', tree(comb(300)), 'prompt: expected at most 20000 turns'],
    [
      'ends of a tree',
      tree({ text: 'q', role: 'prompter', replies: Array.from({ length: 20_000 }, () => leaf) }),
      'prompt: expected',
    ],
    ['text', { text: 'x'.repeat(2 ** 24 + 1) }, 'expected at most 16777216 characters of one sample'],
    [
      'turns in one text',
      { prompt: 'p', chosen: 'Human: a\n\nAssistant: b\n\n'.repeat(5_001), rejected: 'x' },
      'at most 10000 turns',
    ],
    ['text of turns', { prompt: 'p', chosen: `Human: ${'a'.repeat(2 ** 22)}\n\nAssistant: b`, rejected: 'x' }, 'at most 4194304'],
  ])('of too much %s is refused by its line', async (_what, record, problem) => {
    const line = typeof record === 'string' ? record : JSON.stringify(record);
    expect(await read(line)).toMatchObject([{ line: 1, problem: expect.stringContaining(problem) }]);
  });

  test('is written as it is written in one go', async () => {
    const value = { a: [1, [], { b: null }], long: Array.from({ length: 70_000 }, (_, i) => ({ i })), c: {}, d: 'x' };
    expect(await writeLongJson(value)).toBe(JSON.stringify(value));
  });

  test('gives what JSON.parse gives, wherever it is cut', async () => {
    const odd = '\\ "\n\u2028🎲é\u0001]}{[,:';
    const value = {
      escapes: odd.repeat(60_000),
      slashes: '\\'.repeat(pieceLength + 7),
      pairs: '🎲'.repeat(pieceLength),
      nested: [[{ 'a "key": {': Array.from({ length: 90_000 }, (_, i) => ({ i, e: [], o: {}, n: null, t: true })) }], -1.5e-7],
    };
    for (const text of [
      JSON.stringify(value),
      JSON.stringify(value, null, 1),
      ` \n${JSON.stringify(value).replaceAll('é', '\\u00e9')} `,
    ]) {
      expect(await parseLongJson(text)).toEqual(value);
    }
    const big = `{"pad":"${'x'.repeat(pieceLength)}","id":12345678901234567890}`;
    expect(String(((await parseLongJson(big)) as { id: unknown }).id)).toBe('12345678901234567890');
  });

  test.each(['{"a":"X', '{"a":"X"', '{"a":["X",oops]}', '{"a":"X"} and more', '{a:"X"}', '{"a":"X\\q"}'])(
    '%s is refused with its line',
    async (text) => {
      const problems = await read(text.replace('X', 'x'.repeat(2 * pieceLength)));
      expect(problems).toMatchObject([{ line: 1, problem: expect.stringContaining('not JSON') }]);
    },
  );

  test('has the hash and the key it has when worked on in one go', async () => {
    const conversation = {
      system: '🎲'.repeat(pieceLength),
      turns: [{ role: 'user' as const, content: `a${'🎲\n"'.repeat(pieceLength)}` }],
    };
    for (const content of [
      { kind: 'conversation', conversation },
      { kind: 'text', text: `b${'🎲'.repeat(pieceLength)}` },
    ] satisfies SampleContent[]) {
      expect(await contentHashSlowly(content)).toBe(contentHash(content));
      expect(await promptKeySlowly(content)).toBe(promptKey(content));
    }
  });
});

test('hashes are those of earlier releases', () => {
  const turns = [
    { role: 'user' as const, content: 'Was "das"? 🎲' },
    { role: 'assistant' as const, content: 'Nein.' },
  ];
  expect(contentHash({ kind: 'conversation', conversation: { system: 'S', turns } })).toBe(
    'fa45e7e835e1f29eb4f579383f13890b4ef32b3aa34f4625575ea9985d6a771a',
  );
  expect(contentHash({ kind: 'text', text: 'Once 🎲' })).toBe('4f863c823dae1683f2e3f40bcd1e95845891411104bbc9fa71978dd66f2acc55');
});
