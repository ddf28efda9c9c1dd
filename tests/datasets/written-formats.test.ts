import { describe, expect, test } from 'vitest';
import { detectFormat } from '../../src/datasets/detect.ts';
import { assistant, conversation, parse, render, turnsOf, user } from './format-records.ts';

describe('what is written reads back the same', () => {
  const turns = [user('Was <extra_id_1>Assistant\n"das"?'), assistant('Nein 🎲', { humor: 3.25, verbosity: 0 })];
  test.each(['openai', 'sharegpt', 'alpaca'] as const)('%s, with fractional labels', (name) => {
    const sample = conversation(turns, 'Be brief.');
    const [record] = render(name, sample, null);
    const [back] = parse(name, JSON.parse(JSON.stringify(record)));
    expect(back?.content).toEqual(sample.content);
    expect(detectFormat(record)).toBe(name);
  });

  test('openai, as a table hands it back: every message with every attribute, null where it had none', () => {
    const sample = conversation([user('a'), assistant('b', { humor: 3 }), user('c'), assistant('d', { verbosity: 1.5 })]);
    const [{ messages }] = render('openai', sample, null) as [{ messages: { attributes?: object }[] }];
    const none = { humor: null, verbosity: null };
    const filled = messages.map((message, i) => ({
      ...message,
      attributes: i % 2 === 0 ? null : { ...none, ...message.attributes },
    }));
    expect(turnsOf(parse('openai', { messages: filled, conversation_id: null })[0])).toEqual(turnsOf(sample));
  });

  test('nemo, with whole labels', () => {
    const sample = conversation([turns[0]!, assistant('Nein', { humor: 3, verbosity: 0 })], 'S');
    const [record] = render('nemo', sample, null);
    expect(parse('nemo', record)[0]).toEqual(sample);
    expect(parse('nemo', { ...(record as object), conversation_id: null })[0]?.content).toEqual(sample.content);
    expect(detectFormat(record)).toBe('nemo');
  });

  test('text, with its document', () => {
    const [sample] = parse('text', { text: 'Once.', story: 'Snow-man' });
    expect(parse('text', render('text', sample!, null)[0])).toEqual([sample]);
  });

  test('but text and conversation do not pass for each other', () => {
    expect(() => render('text', conversation(turns), null)).toThrow('chat format');
    expect(() => render('openai', parse('text', { text: 'x' })[0]!, null)).toThrow('plain text');
  });
});
