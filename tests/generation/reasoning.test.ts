// What a model thinks is told apart from what it answers, however the text comes in parts.
import { expect, test } from 'vitest';
import type { CompletionEvent } from '../../src/generation/language-model.ts';
import { splitReasoning } from '../../src/generation/reasoning.ts';

async function* told(text: string, size: number): AsyncGenerator<CompletionEvent> {
  for (let at = 0; at < text.length; at += size) yield { kind: 'delta', index: 0, text: text.slice(at, at + size) };
  yield { kind: 'end', index: 0, text, finishReason: 'stop', completionTokens: text.length };
}

const cases: [string, boolean, { reasoning: string; text: string }][] = [
  ['Plain.', false, { reasoning: '', text: 'Plain.' }],
  ['<think>\nHm.\n</think>\n\nYes.', false, { reasoning: '\nHm.\n', text: 'Yes.' }],
  ['\n <think>a < b</thin</think> No </think>.', false, { reasoning: 'a < b</thin', text: 'No </think>.' }],
  ['Hm.</think>Yes.', true, { reasoning: 'Hm.', text: 'Yes.' }],
  ['<think>for ever', false, { reasoning: 'for ever', text: '' }],
  ['never said', true, { reasoning: 'never said', text: '' }],
  ['<think></think>\n\nYes.', false, { reasoning: '', text: 'Yes.' }],
  ['<thin', false, { reasoning: '', text: '<thin' }],
  [' <b> is text, <think> too', false, { reasoning: '', text: ' <b> is text, <think> too' }],
  ['<think>only</think>', false, { reasoning: 'only', text: '' }],
  ['', false, { reasoning: '', text: '' }],
];

test.each(cases)('%j, opened %s', async (text, opened, expected) => {
  for (let size = 1; size <= text.length + 1; size++) {
    const parts = { reasoning: '', text: '' };
    for await (const event of splitReasoning(told(text, size), opened)) {
      if (event.kind === 'delta') {
        expect(event.text + (event.reasoning ?? '')).not.toBe('');
        parts.reasoning += event.reasoning ?? '';
        parts.text += event.text;
      } else expect({ reasoning: event.reasoning ?? '', text: event.text }).toEqual(expected);
    }
    expect(parts).toEqual(expected);
  }
});

test('replies are told apart each by itself, and the likelihoods of the answer stay with it', async () => {
  const token = (id: number) => ({ token: id, logprob: -1, top: [] });
  async function* events(): AsyncGenerator<CompletionEvent> {
    yield { kind: 'delta', index: 0, text: '<think>', tokens: [token(1)] };
    yield { kind: 'delta', index: 1, text: ' ', tokens: [token(5)] };
    yield { kind: 'delta', index: 1, text: 'Yes', tokens: [token(2)] };
    yield { kind: 'delta', index: 0, text: 'x</think>', tokens: [token(3)] };
    yield { kind: 'delta', index: 0, text: 'No', tokens: [token(4)] };
  }
  const seen: CompletionEvent[] = [];
  for await (const event of splitReasoning(events(), false)) seen.push(event);
  expect(seen).toEqual([
    { kind: 'delta', index: 1, text: ' Yes', tokens: [token(5), token(2)] },
    { kind: 'delta', index: 0, text: '', reasoning: 'x' },
    { kind: 'delta', index: 0, text: 'No', tokens: [token(4)] },
  ]);
});
