// The dials of a chat request: which prompts the engine is asked to mix, where they change, which candidate is told.
import { beforeEach, describe, expect, test } from 'vitest';
import type { CompletionEvent, CompletionRequest } from '../../src/generation/language-model.ts';
import { applyAttributes } from '../../src/steerlm/attributes.ts';
import { layOutPrompt } from '../../src/steerlm/prompt-layout.ts';
import { type House, knock, openHouse } from './knock.ts';

const path = '/v1/chat/completions';
const messages = [{ role: 'user', content: 'Hello' }];

let house: House;
beforeEach(() => {
  house = openHouse();
});

const ask = (body: object, of = house) =>
  knock(of, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages, max_tokens: 3, seed: 7, ...body }),
  });

/** Token ids of the prompt under a label and nothing else. */
function promptUnder(label: Record<string, number>): number[] {
  const conversation = { system: '', turns: [{ role: 'user' as const, content: 'Hello' }] };
  return house.model.encode(layOutPrompt(house.model.schema, conversation, label));
}

const label = (asked: Record<string, number>) => applyAttributes(house.model.schema, asked);

describe('what the engine is asked to mix', () => {
  test('whole levels at strength 1 are the plain prompt', async () => {
    await ask({ attributes: { humor: 3 }, steering: { strength: 1 } });
    expect(house.model.requests[0]).toMatchObject({ prompt: promptUnder(label({ humor: 3 })), phases: undefined });
  });

  test('a value between levels is both levels, weighted, and stands as asked in what was applied', async () => {
    const { body } = await ask({ attributes: { humor: 3.25 } });
    expect(body.choices[0].steering.applied.humor).toBe(3.25);
    expect(body.choices[0].message.attributes.humor).toBe(3.25);
    expect(house.model.requests[0]!.phases).toEqual([
      {
        branches: [
          { prompt: promptUnder(label({ humor: 3 })), weight: 0.75 },
          { prompt: promptUnder(label({ humor: 4 })), weight: 0.25 },
        ],
        until: undefined,
      },
    ]);
  });

  test('strength pushes away from the prompt without attributes, or from their opposite', async () => {
    await ask({ attributes: { humor: 4 }, steering: { strength: 2.5 } });
    await ask({ attributes: { humor: 4 }, steering: { strength: 2.5, against: 'opposite' } });
    const [free, opposite] = house.model.requests.map(({ phases }) => phases![0]!.branches);
    expect(free).toEqual([
      { prompt: promptUnder(label({ humor: 4 })), weight: 2.5 },
      { prompt: promptUnder({}), weight: -1.5 },
    ]);
    expect(opposite![1]!.prompt).not.toEqual(free![1]!.prompt);
    expect(opposite![1]!.weight).toBe(-1.5);
  });

  test('a schedule adds to what holds, part by part', async () => {
    const schedule = [
      { after: { sentences: 1 }, attributes: { humor: 0 } },
      { after: { tokens: 40 }, attributes: { formality: 4 } },
    ];
    await ask({ attributes: { humor: 4, verbosity: 2 }, steering: { schedule } });
    expect(house.model.requests[0]!.phases).toEqual([
      { branches: [{ prompt: promptUnder(label({ humor: 4, verbosity: 2 })), weight: 1 }], until: { sentences: 1 } },
      { branches: [{ prompt: promptUnder(label({ humor: 0, verbosity: 2 })), weight: 1 }], until: { tokens: 40 } },
      { branches: [{ prompt: promptUnder(label({ humor: 0, verbosity: 2, formality: 4 })), weight: 1 }], until: undefined },
    ]);
  });
});

describe('best_of', () => {
  /** Reply i has 1 + i words. */
  function growing(request: CompletionRequest): CompletionEvent[] {
    return Array.from({ length: request.n }, (_, index) => {
      const text = Array.from({ length: 1 + index }, () => 'word').join(' ');
      return { kind: 'end' as const, index, text, finishReason: 'stop' as const, completionTokens: 1 + index };
    });
  }

  function openGrowing(): House {
    const of = openHouse();
    of.model.complete = async function* (request) {
      of.model.requests.push(request);
      yield* growing(request);
    };
    return of;
  }

  test('tells the candidate measured nearest to what was asked, and counts the tokens of all', async () => {
    const of = openGrowing();
    const { body } = await ask({ attributes: { verbosity: 3 }, steering: { best_of: 4 } }, of);
    expect(of.model.requests[0]!.n).toBe(4);
    expect(body.choices).toHaveLength(1);
    expect(body.choices[0]).toMatchObject({
      message: { content: 'word word word' },
      steering: { measured: { verbosity: { value: 3 } }, candidates: 4 },
    });
    expect(body.usage.completion_tokens).toBe(1 + 2 + 3 + 4);
  });

  test('tells the likelihoods of the one it chose', async () => {
    const of = openHouse();
    const { body } = await ask({ steering: { best_of: 2 }, logprobs: true, top_logprobs: 1 }, of);
    expect(body.choices[0].logprobs.content).toHaveLength(3);
  });

  test('chooses for each of n replies among candidates of its own, streamed or not', async () => {
    const of = openGrowing();
    const request = { attributes: { verbosity: 1 }, n: 2, steering: { best_of: 2 } };
    const { body } = await ask(request, of);
    expect(body.choices.map(({ message }: { message: { content: string } }) => message.content)).toEqual([
      'word',
      'word word word',
    ]);
    const reply = await of.app.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages, ...request, stream: true }),
    });
    const chunks = (await reply.text()).split('\n\n').filter((line) => line.startsWith('data: {'));
    const said = chunks.flatMap((line) => JSON.parse(line.slice(6)).choices).map(({ delta }) => delta.content ?? '');
    expect(said.filter((text) => text !== '')).toEqual(['word', 'word word word']);
  });
});

test.each([
  [{ response_format: { type: 'json_object' } }, { kind: 'json_object' }],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'integer' }, strict: true } } },
    { kind: 'json_schema', schema: { type: 'integer' } },
  ],
  [{ response_format: { type: 'json_object', schema: { type: 'null' } } }, { kind: 'json_schema', schema: { type: 'null' } }],
  [{ response_format: { type: 'json_object', schema: null } }, { kind: 'json_object' }],
  [{ structured_outputs: { regex: 'a+' } }, { kind: 'regex', pattern: 'a+' }],
  [{ guided_choice: ['yes', 'no'] }, { kind: 'choice', choices: ['yes', 'no'] }],
  [{ response_format: { type: 'text' } }, undefined],
])('%j is the form the engine is given', async (body, constraint) => {
  expect((await ask(body)).status).toBe(200);
  expect(house.model.requests[0]!.constraint).toEqual(constraint);
});

test('a reply whose time was up says so', async () => {
  house.model.complete = async function* () {
    yield { kind: 'end', index: 0, text: '', finishReason: 'length', completionTokens: 0, deadline: true };
  };
  const { body } = await ask({ max_ms: 5 });
  expect(body.choices[0]).toMatchObject({ finish_reason: 'length', steering: { deadline: true } });
});

test('likelihoods are told token by token, whole and in a stream', async () => {
  const { body } = await ask({ logprobs: true, top_logprobs: 1 });
  const w = { token: 'w', logprob: -0.5, bytes: [119] };
  expect(body.choices[0].logprobs.content[0]).toEqual({ ...w, top_logprobs: [w] });
  expect(body.choices[0].logprobs.content).toHaveLength(3);
  expect((await ask({})).body.choices[0].logprobs).toBeNull();
});

test.each([
  [{ steering: { strength: 9 } }, 'steering.strength', /5/],
  [{ steering: { strenght: 2 } }, 'steering.strenght', /./],
  [
    { steering: { best_of: 4, schedule: [{ after: { tokens: 2 }, attributes: {} }] } },
    'steering.best_of',
    /leave best_of or schedule out/,
  ],
  [{ steering: { schedule: [{ after: { words: 2 }, attributes: {} }] } }, 'steering.schedule.0.after', /tokens.*sentences/],
  [
    { steering: { schedule: [{ after: { tokens: 2 }, attributes: { humour: 9 } }] } },
    'steering.schedule.0.attributes.humour',
    /between 0 and 4/,
  ],
  [{ top_logprobs: 3 }, 'top_logprobs', /logprobs/],
  [{ logit_bias: { abc: 1 } }, 'logit_bias.abc', /token id/],
  [{ max_ms: 0 }, 'max_ms', /1/],
  [{ guided_regex: '(?<=a)b' }, 'guided_regex', /look-behind/],
  [{ guided_regex: 'a(?=b)' }, 'guided_regex', /no text meets all/],
  [{ response_format: { type: 'json_object', schema: { not: {} } } }, 'response_format.schema', /#\/not/],
  [{ response_format: { type: 'json_object', schema: 'a' } }, 'response_format.schema', /./],
  [{ response_format: { type: 'json_object', json_schema: { schema: {} } } }, 'response_format.json_schema', /json_object/],
  [{ response_format: { type: 'text', schema: {} } }, 'response_format.schema', /type text/],
  [{ guided_json: { type: 'string', not: {} } }, 'guided_json', /not/],
  [{ guided_regex: 'a', guided_choice: ['b'] }, 'guided_choice', /two forms/],
  [{ structured_outputs: { grammar: 'x' } }, 'structured_outputs.grammar', /./],
])('refuses %j by name', async (body, param, message) => {
  const answer = await ask(body);
  expect(answer.status).toBe(400);
  expect(answer.body.error).toMatchObject({ param, message: expect.stringMatching(message) });
});
