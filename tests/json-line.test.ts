import { expect, test } from 'vitest';
import { jsonLine } from '../src/json-line.ts';

test('a value is one line for readers that end lines at U+2028, U+2029 and U+0085 too, and reads back the same', () => {
  const value = { 'a\u2028': ['b\u2029', 'c\u0085d\r\n', 'é 🎲'] };
  const line = jsonLine(value);
  expect(line.split(/[\r\n\u2028\u2029\u0085]/)).toHaveLength(1);
  expect(JSON.parse(line)).toEqual(value);
  expect(jsonLine({ a: 'é 🎲' })).toBe('{"a":"é 🎲"}');
});
