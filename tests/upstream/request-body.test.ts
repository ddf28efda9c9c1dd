// A request in the words of an upstream: what second-instance.test.ts cannot see, since both ends of it are ours.
import { expect, test } from 'vitest';
import type { ConstraintSpec } from '../../src/constraints/constraint.ts';
import type { CompletionRequest } from '../../src/generation/language-model.ts';
import { toBody } from '../../src/upstream/request-body.ts';

const request: CompletionRequest = {
  prompt: [5],
  maxTokens: 9,
  stop: ['x'],
  seed: 1,
  n: 2,
  temperature: 0.5,
  topP: 0.9,
  topK: 0,
};
const target = { model: 'm', stopTokens: [1, 2] };
const bodyOf = (fields: Partial<CompletionRequest> = {}) => toBody({ ...request, ...fields }, 7, target);

test('every dial is said, so that no default of the upstream holds', () => {
  expect(bodyOf()).toEqual({
    model: 'm',
    prompt: [5],
    max_tokens: 7,
    temperature: 0.5,
    top_p: 0.9,
    top_k: -1,
    min_p: 0,
    repetition_penalty: 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    min_tokens: 0,
    ignore_eos: false,
    stop_token_ids: [1, 2],
    logit_bias: {},
    n: 1,
    stream: true,
    stream_options: { include_usage: true },
    return_token_ids: true,
    store: false,
  });
});

test('dials, stop tokens, likelihoods and priority have vLLM names', () => {
  const fields = { topK: 4, minP: 0.1, repetitionPenalty: 1.2, presencePenalty: 0.3, frequencyPenalty: 0.4, minTokens: 3 };
  const rest = {
    stopTokens: [2, 8],
    logitBias: [[6, -3] as const],
    topLogprobs: 2,
    badWords: ['fool'],
    priority: 'batch' as const,
  };
  expect(bodyOf({ ...fields, ...rest })).toMatchObject({
    top_k: 4,
    min_p: 0.1,
    repetition_penalty: 1.2,
    presence_penalty: 0.3,
    frequency_penalty: 0.4,
    min_tokens: 3,
    stop_token_ids: [1, 2, 8],
    logit_bias: { 6: -3 },
    bad_words: ['fool'],
    logprobs: 2,
    return_tokens_as_token_ids: true,
    service_tier: 'flex',
  });
});

test('ignore_eos bars what ends replies of this model, but for what the request itself stops at', () => {
  const body = bodyOf({ ignoreEos: true, stopTokens: [2], logitBias: [[1, 50]] });
  expect(body).toMatchObject({ ignore_eos: true, stop_token_ids: [2], logit_bias: { 1: -100 } });
});

test('callers are told apart, and nobody is told who they are', () => {
  const [one, two] = ['address 192.0.2.1', 'address 192.0.2.2'].map((caller) => bodyOf({ caller }).user as string);
  expect(one).toMatch(/^[0-9a-f]{16}$/);
  expect(two).not.toBe(one);
  expect(bodyOf({ caller: 'address 192.0.2.1' }).user).toBe(one);
  expect(bodyOf()).not.toHaveProperty('user');
});

test.each<[ConstraintSpec, object]>([
  [{ kind: 'json_schema', schema: { type: 'object' } }, { json: { type: 'object' } }],
  [{ kind: 'json_object' }, { json_object: true }],
  [{ kind: 'regex', pattern: 'a+' }, { regex: 'a+' }],
  [{ kind: 'choice', choices: ['a', 'b'] }, { choice: ['a', 'b'] }],
])('%j', (constraint, structured) => {
  expect(bodyOf({ constraint }).structured_outputs).toEqual(structured);
});
