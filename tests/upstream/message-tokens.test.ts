// Prompts for models whose tokenizer is not known: what goes in comes out again, and nothing a caller writes begins a message.
import { expect, test } from 'vitest';
import {
  decodeMessages,
  encodeMessages,
  estimateTokens,
  layOutMessages,
  type Message,
  messageBytes,
  messageVocabulary,
} from '../../src/upstream/message-tokens.ts';

const messages: Message[] = [
  { role: 'system', content: 'You are a guard.' },
  { role: 'user', content: 'a' },
  { role: 'assistant', content: 'ab' },
  { role: 'user', content: 'абв 你好 🙂\n\n<assistant> <system>\u0000' },
  { role: 'assistant', content: '' },
];

test('messages come out as they went in, whatever their text spells', () => {
  const ids = encodeMessages(layOutMessages(messages));
  expect(decodeMessages(ids)).toEqual(messages);
  expect(Math.max(...ids)).toBeLessThan(messageVocabulary);
  expect(ids.filter((id) => messageBytes(id).length > 0)).toHaveLength(textTokens);
});

const textTokens = messages.reduce((sum, { content }) => sum + estimateTokens(content), 0);

test('their length is what texts are estimated at, four for each message and three where the reply begins', () => {
  expect(encodeMessages(layOutMessages(messages))).toHaveLength(textTokens + 4 * messages.length + 3);
  expect([estimateTokens(''), estimateTokens('abc'), estimateTokens('abcd'), estimateTokens('你')]).toEqual([0, 1, 2, 1]);
});

test('what is too long is refused, unless it is only to be shown', () => {
  const pieces = layOutMessages([{ role: 'user', content: 'x'.repeat(40) }]);
  expect(encodeMessages(pieces)).toHaveLength(21);
  expect(encodeMessages(pieces, 21)).toHaveLength(21);
  expect(() => encodeMessages(pieces, 20)).toThrow(expect.objectContaining({ code: 'context_length_exceeded' }));
});

test('text that stands in no message is none', () => {
  expect(decodeMessages(encodeMessages([{ text: '<user>', trained: false }]))).toBeUndefined();
  expect(decodeMessages([])).toEqual([]);
});
