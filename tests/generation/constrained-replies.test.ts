// Constrained replies of a whole model through its thread: its weights are random, so only the constraint makes sense of them.
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ConstraintSpec } from '../../src/constraints/constraint.ts';
import type { CompletionEvent, CompletionRequest, LanguageModel } from '../../src/generation/language-model.ts';
import { openLanguageModel } from '../../src/generation/steered-model.ts';
import { writeSmallModel } from '../engine/models.ts';

let folder: string;
let model: LanguageModel;

beforeAll(async () => {
  folder = await writeSmallModel(200);
  model = await openLanguageModel(folder, { threads: 1, sequences: 8 });
});
afterAll(async () => {
  await model.dispose();
  await rm(folder, { recursive: true });
});

type End = CompletionEvent & { kind: 'end' };

async function ask(constraint: ConstraintSpec, fields: Partial<CompletionRequest> = {}): Promise<End[]> {
  const prompt = model.encode([{ text: 'Is the gate shut?', trained: false }]);
  const request: CompletionRequest = {
    prompt,
    maxTokens: 150,
    stop: [],
    seed: 1,
    n: 1,
    temperature: 1,
    topP: 1,
    topK: 0,
    ...fields,
    constraint,
  };
  const ends: End[] = [];
  for await (const event of model.complete(request, new AbortController().signal))
    if (event.kind === 'end') ends[event.index] = event;
  return ends;
}

const schema = {
  type: 'object',
  properties: {
    mood: { enum: ['calm', 'angry', 'naïve 😀'] },
    line: { type: 'string', maxLength: 12 },
    gold: { type: 'integer', minimum: 3, maximum: 120 },
    allies: { type: 'array', items: { type: 'boolean' }, maxItems: 3 },
  },
  required: ['mood', 'line', 'gold', 'allies'],
};

it('are JSON of the schema, each of n the one its seed gives alone', async () => {
  const spec: ConstraintSpec = { kind: 'json_schema', schema };
  const ends = await ask(spec, { n: 6 });
  for (const { text, finishReason } of ends) {
    expect(finishReason).toBe('stop');
    const value = JSON.parse(text);
    expect(Object.keys(value)).toEqual(['mood', 'line', 'gold', 'allies']);
    expect(schema.properties.mood.enum).toContain(value.mood);
    expect([...value.line].length).toBeLessThanOrEqual(12);
    expect(value.gold).toBeGreaterThanOrEqual(3);
    expect(value.gold).toBeLessThanOrEqual(120);
    expect(value.allies.every((ally: unknown) => typeof ally === 'boolean')).toBe(true);
  }
  expect(new Set(ends.map(({ text }) => text)).size).toBeGreaterThan(3);
  const [alone] = await ask(spec, { seed: 4 });
  expect({ ...alone, index: 3 }).toEqual(ends[3]);
});

it('keep to patterns and choices, under greedy drawing too, and end at once when nothing can follow', async () => {
  const [code] = await ask({ kind: 'regex', pattern: '[A-F]{2}-\\d{3}' }, { temperature: 0 });
  expect(code).toMatchObject({ text: expect.stringMatching(/^[A-F]{2}-\d{3}$/), finishReason: 'stop' });
  const choices = ['yes', 'no', 'The guard is at the gate.'];
  for (const { text, finishReason } of await ask({ kind: 'choice', choices }, { n: 6 })) {
    expect(choices).toContain(text);
    expect(finishReason).toBe('stop');
  }
});

it('are brought to their end before their length, and where that is too short are the beginning of what was asked for', async () => {
  for (const { text, finishReason } of await ask({ kind: 'json_object' }, { maxTokens: 5, n: 6 })) {
    expect([JSON.parse(text), finishReason]).toEqual([expect.any(Object), 'stop']);
  }
  const [end] = await ask({ kind: 'json_schema', schema }, { maxTokens: 5 });
  expect(end).toMatchObject({ text: expect.stringMatching(/^\{/), finishReason: 'length', completionTokens: 5 });
});

it('that cannot be followed fail alone, saying why', async () => {
  const served = ask({ kind: 'json_schema', schema }, { seed: 9 });
  const refused = ask({ kind: 'json_schema', schema: { type: 'array', uniqueItems: true } });
  await expect(refused).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining('#/uniqueItems') });
  // Passes the door, and opens too many ways when it comes to it.
  const ambiguous = ask({ kind: 'regex', pattern: '(?:.{0,70}){0,70}x' });
  await expect(ambiguous).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining('ways') });
  expect((await served)[0]).toMatchObject({ finishReason: 'stop' });
});

it.each<[string, object, (value: never) => boolean]>([
  [
    'a format beside a pattern',
    {
      type: 'object',
      properties: { born: { type: 'string', format: 'date', pattern: '^\\d{4}-\\d{2}-\\d{2}$' } },
      required: ['born'],
      additionalProperties: false,
    },
    ({ born }: { born: string }) => /^\d{4}-\d{2}-\d{2}$/.test(born) && !Number.isNaN(Date.parse(born)),
  ],
  [
    'names of properties that are strings',
    {
      type: 'object',
      properties: {
        open: { type: 'object', propertyNames: { type: 'string' }, additionalProperties: { type: 'boolean' }, maxProperties: 2 },
      },
      required: ['open'],
      additionalProperties: false,
    },
    ({ open }: { open: object }) => Object.values(open).every((value) => typeof value === 'boolean'),
  ],
])('%s, as zod writes it', async (_, schema, holds) => {
  const replies = await ask({ kind: 'json_schema', schema }, { n: 8, maxTokens: 190 });
  for (const { text, finishReason } of replies) {
    expect(finishReason, text).toBe('stop');
    expect(holds(JSON.parse(text) as never), text).toBe(true);
  }
});

it('go before words that are kept out, which they are wherever the form leaves a choice', async () => {
  const badWords = ['fool', 'a', 'e', 'i', 'o', 'u'];
  const textsOf = async (spec: ConstraintSpec) => (await ask(spec, { n: 6, badWords })).map(({ text }) => text);
  expect(new Set(await textsOf({ kind: 'choice', choices: ['You fool', 'my friend'] }))).toEqual(new Set(['my friend']));
  for (const text of await textsOf({ kind: 'choice', choices: ['You fool', 'an oaf'] }))
    expect(['You fool', 'an oaf']).toContain(text);
  for (const text of await textsOf({ kind: 'json_schema', schema: { const: { say: 'You fool' } } })) {
    expect(JSON.parse(text)).toEqual({ say: 'You fool' });
  }
  for (const text of await textsOf({ kind: 'regex', pattern: '[aeiou]{9}' })) expect(text).toMatch(/^[aeiou]{9}$/);
  for (const text of await textsOf({ kind: 'regex', pattern: '[a-h]{1,9}' })) expect(text).toMatch(/^[bcdfgh][a-h]{0,8}$/);
});

it('hold no word after an escape of JSON; a pattern knows no escapes', async () => {
  const textsOf = async (spec: ConstraintSpec) => {
    return new Set((await ask(spec, { n: 16, badWords: ['fool'] })).map(({ text }) => text));
  };
  const food = String.raw`"Hi\nfood"`;
  expect(await textsOf({ kind: 'json_schema', schema: { type: 'string', pattern: '^Hi\nfoo(l|d)$' } })).toEqual(new Set([food]));
  const asText = await textsOf({ kind: 'regex', pattern: String.raw`"Hi\\nfoo(l|d)"` });
  expect(asText).toEqual(new Set([food, String.raw`"Hi\nfool"`]));
});
