// A request by messages: nothing but what OpenAI's protocol has, and nothing lost in silence.
import { expect, test } from 'vitest';
import type { ConstraintSpec } from '../../src/constraints/constraint.ts';
import type { CompletionRequest } from '../../src/generation/language-model.ts';
import { type ChatTarget, toChatBody } from '../../src/upstream/chat-body.ts';
import type { Message } from '../../src/upstream/message-tokens.ts';

const messages: Message[] = [{ role: 'user', content: 'Well?' }];
const request: CompletionRequest = { prompt: [], maxTokens: 9, stop: ['x'], seed: 1, n: 2, temperature: 1, topP: 1, topK: 0 };
const bodyOf = (fields: Partial<CompletionRequest> = {}, rest: Partial<ChatTarget> = {}) =>
  toChatBody(
    { ...request, ...fields },
    { model: 'm', messages, maxTokens: 7, maxTokensField: 'max_tokens', extraBody: {}, ...rest },
  );

test('what nobody chose is left to the upstream', () => {
  const plain = { model: 'm', messages, n: 1, stream: true, stream_options: { include_usage: true } };
  expect(bodyOf()).toEqual({ ...plain, max_tokens: 7 });
  expect(bodyOf({}, { maxTokens: undefined })).toEqual(plain);
});

test('what was chosen is said', () => {
  const dials = { temperature: 0.5, topP: 0.9, presencePenalty: 0.3, frequencyPenalty: 0.4, logitBias: [[6, -3] as const] };
  expect(bodyOf({ ...dials, topLogprobs: 2 })).toMatchObject({
    temperature: 0.5,
    top_p: 0.9,
    presence_penalty: 0.3,
    frequency_penalty: 0.4,
    logit_bias: { 6: -3 },
    logprobs: true,
    top_logprobs: 2,
  });
  expect(bodyOf({ topK: 1 })).toMatchObject({ temperature: 0 });
});

test('newer names and fields of one server come from upstream.json, and replace nothing that is asked', () => {
  const extraBody = { reasoning_effort: 'none', model: 'other', stream: false };
  expect(bodyOf({}, { maxTokensField: 'max_completion_tokens', extraBody })).toMatchObject({
    reasoning_effort: 'none',
    max_completion_tokens: 7,
    model: 'm',
    stream: true,
  });
});

test.each<[string, Partial<CompletionRequest>]>([
  ['top_k', { topK: 5 }],
  ['min_p', { minP: 0.1 }],
  ['repetition_penalty', { repetitionPenalty: 1.1 }],
  ['min_tokens', { minTokens: 2 }],
  ['stop_token_ids', { stopTokens: [4] }],
  ['ignore_eos', { ignoreEos: true }],
  ['bad_words', { badWords: ['fool'] }],
  ['structured_outputs.regex', { constraint: { kind: 'regex', pattern: 'a+' } }],
])('%s is refused by name', (param, fields) => {
  expect(() => bodyOf(fields)).toThrow(expect.objectContaining({ code: 'invalid_request', details: { param } }));
});

const choice = {
  type: 'object',
  properties: { choice: { type: 'string', enum: ['a', 'b'] } },
  required: ['choice'],
  additionalProperties: false,
};
test.each<[ConstraintSpec, object]>([
  [{ kind: 'json_object' }, { type: 'json_object' }],
  [
    { kind: 'json_schema', schema: { type: 'object' } },
    { type: 'json_schema', json_schema: { name: 'reply', schema: { type: 'object' }, strict: true } },
  ],
  [
    { kind: 'choice', choices: ['a', 'b'] },
    { type: 'json_schema', json_schema: { name: 'reply', schema: choice, strict: true } },
  ],
])('%j', (constraint, format) => {
  expect(bodyOf({ constraint }).response_format).toEqual(format);
});
