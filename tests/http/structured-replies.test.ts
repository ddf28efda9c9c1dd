// JSON and patterns from a whole model over HTTP: its weights are random, so no reply would come to an end by itself.
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LanguageModel } from '../../src/generation/language-model.ts';
import { openLanguageModel } from '../../src/generation/steered-model.ts';
import { isValid } from '../constraints/schemas.ts';
import { writeSmallModel } from '../engine/models.ts';
import { type House, openHouse, post } from './knock.ts';

const path = '/v1/chat/completions';
let folder: string;
beforeAll(async () => {
  folder = await writeSmallModel(320);
});
afterAll(() => rm(folder, { recursive: true }));

const text = { type: 'string' };
const object = (properties: object, more: object = {}) => ({
  ...{ type: 'object', properties, required: Object.keys(properties), additionalProperties: false },
  ...more,
});
const schemas: [string, object][] = [
  ['a string', text],
  ['strings in an object', object({ name: text, motto: text })],
  [
    'names of properties',
    object({ words: { type: 'object', propertyNames: text, additionalProperties: text, minProperties: 1 } }),
  ],
  ['an array', { type: 'array', items: text, minItems: 1 }],
  ['objects in arrays in objects', object({ crew: { type: 'array', items: object({ name: text }), minItems: 1 }, ship: text })],
  ['any value', {}],
];

describe.each(['fp32', 'int8'] as const)('in %s', (precision) => {
  let model: LanguageModel;
  let house: House;
  beforeAll(async () => {
    model = await openLanguageModel(folder, { threads: 1, precision });
    house = openHouse();
    house.shelf.languages = [model];
  });
  afterAll(() => model.dispose());

  const ask = async (fields: object): Promise<{ content: string; finish: string }[]> => {
    const messages = [{ role: 'user', content: 'Is the gate shut?' }];
    const { status, body } = await post(house, path, { messages, temperature: 1, seed: 5, store: false, ...fields });
    expect(status, JSON.stringify(body)).toBe(200);
    type Choice = { message: { content: string }; finish_reason: string };
    return body.choices.map((choice: Choice) => ({ content: choice.message.content, finish: choice.finish_reason }));
  };

  it.each(schemas)('%s is valid JSON from the fewest tokens on', async (_, schema) => {
    const format = { response_format: { type: 'json_schema', json_schema: { schema } } };
    const lengths = Array.from({ length: 70 }, (_, i) => i + 1);
    let least: number | undefined;
    for (const max_tokens of lengths) {
      const replies = await ask({ ...format, max_tokens, n: 3 });
      const whole = replies.every(({ finish }) => finish === 'stop');
      if (whole) least ??= max_tokens;
      if (least === undefined) continue;
      for (const { content, finish } of replies) {
        expect(finish, `${max_tokens}: ${content}`).toBe('stop');
        expect(isValid(schema, JSON.parse(content)), content).toBe(true);
      }
      if (max_tokens > least + 6) break;
    }
    expect(least).toBeLessThan(60);
  });

  it('patterns end too, and so do the best of several, and replies that fill the context', async () => {
    for (const { content, finish } of await ask({ structured_outputs: { regex: '[a-z ]+\\.' }, max_tokens: 20, n: 4 })) {
      expect([content, finish]).toEqual([expect.stringMatching(/^[a-z ]+\.$/), 'stop']);
    }
    const chosen = await ask({ response_format: { type: 'json_object' }, max_tokens: 15, n: 2, steering: { best_of: 3 } });
    expect(chosen.map(({ content, finish }) => [typeof JSON.parse(content), finish])).toEqual(Array(2).fill(['object', 'stop']));
    const [reply] = await ask({ response_format: { type: 'json_schema', json_schema: { schema: object({ line: text }) } } });
    expect([typeof JSON.parse(reply!.content).line, reply!.finish]).toEqual(['string', 'stop']);
  });

  it('in a stream, and where the tokens are too few', async () => {
    const format = { response_format: { type: 'json_object' }, messages: [{ role: 'user', content: 'Hello' }], store: false };
    const { body } = await post(house, path, { ...format, max_tokens: 12, stream: true, seed: 2 });
    const chunks = body.slice(0, -1).map((chunk: { choices: object[] }) => chunk.choices[0]);
    const content = chunks.map(({ delta }: { delta: { content?: string } }) => delta.content ?? '').join('');
    expect(JSON.parse(content)).toBeTypeOf('object');
    expect(chunks.at(-1)).toMatchObject({ finish_reason: 'stop' });
    const [cut] = await ask({ ...format, max_tokens: 1 });
    expect(cut).toEqual({ content: '{', finish: 'length' });
  });
});
