// Values at the ends of what validation lets through, and names that every object of the language inherits, in every field and address: refused or
// answered, never a fault of the server.
import { readFileSync } from 'node:fs';
import type { OpenAPIObject, OperationObject, ParameterObject } from 'openapi3-ts/oas31';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AttributeSchema } from '../../src/steerlm/attributes.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import type { Store } from '../../src/store/connect.ts';
import { testDatabases } from '../store/databases.ts';
import { type House, openHouse, post } from './knock.ts';
import { ParrotModel, WordCountPredictor } from './small-models.ts';

const { paths = {} } = JSON.parse(readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8')) as OpenAPIObject;

const levels = ['none', 'little', 'some', 'much', 'most'];
/** An attribute may be called what every object has. */
const odd: AttributeSchema = {
  ...gameCharacters,
  attributes: [
    ...gameCharacters.attributes,
    { name: 'constructor', aliases: [], description: '', levels, default: null, cap: 4 },
  ],
};

const numbers = [5e-324, -1, 1.5, 2 ** 31, 2 ** 53 - 1, -(2 ** 53) + 1, 253_402_300_800, 1e300, -1e300];
const texts = ['', 'a\u0000', 'a\ud83d', 'constructor', '__proto__', 'x@99999999999', 'x'.repeat(300)];
const names = ['constructor', '__proto__', 'toString', '\u0000', '\ud83d'];

/** The value with each of its parts replaced by what is hostile there, one at a time. */
function* hostile(value: unknown, place = ''): Generator<[place: string, value: unknown]> {
  if (typeof value === 'number') for (const other of numbers) yield [place, other];
  else if (typeof value === 'string') for (const other of texts) yield [place, other];
  else if (Array.isArray(value)) {
    for (const [i, part] of value.entries()) {
      for (const [where, other] of hostile(part, `${place}.${i}`)) yield [where, value.with(i, other)];
    }
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    for (const [i, [key, part]] of entries.entries()) {
      for (const [where, other] of hostile(part, `${place}.${key}`)) {
        yield [where, Object.fromEntries(entries.with(i, [key, other]))];
      }
    }
    for (const name of names) {
      for (const other of [entries[0]?.[1] ?? 1, 1e300])
        yield [`${place}.${name}`, Object.fromEntries([...entries, [name, other]])];
    }
  }
}

const at = 'npcs/marta/sessions/SESSION';
const dials = {
  ...{ temperature: 1, top_p: 0.9, top_k: 5, seed: 3, min_p: 0.1, min_tokens: 1, repetition_penalty: 1.1 },
  ...{ presence_penalty: 0.1, frequency_penalty: 0.1, logit_bias: { '70': 1 }, stop_token_ids: [3], stop: ['stop'] },
  ...{ max_tokens: 8, max_ms: 5000, n: 1, user: 'me', metadata: { topic: 'tea' }, model: 'parrot' },
};
const talk = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hello' },
  { role: 'assistant', content: 'Hi', attributes: { humor: 2, constructor: 1 } },
  { role: 'user', content: 'And?' },
];
const hyperparameters = { n_epochs: 1, batch_size: 4, learning_rate: 1e-4, lora_rank: 4, evaluate_every: 2, checkpoint_every: 2 };
const attribute = { levels, aliases: ['wit'], description: 'How much', default: 1, cap: 4 };
const attributes = [
  { name: 'constructor', ...attribute },
  { name: 'humor', levels },
];

/** A request of each route that takes a body, with every kind of field set. */
const bodies: [method: string, path: string, body: object][] = [
  [
    'POST',
    'chat/completions',
    { ...dials, messages: talk, attributes: { humor: 1.5, constructor: 3 }, logprobs: true, top_logprobs: 1 },
  ],
  ['POST', 'chat/completions', { messages: talk, steering: { measure: true, strength: 1.5, best_of: 2 }, seed: 1 }],
  ['POST', 'chat/completions', { messages: talk, steering: { schedule: [{ after: { tokens: 2 }, attributes: { humor: 1 } }] } }],
  ['POST', 'chat/completions/render', { messages: talk, attributes: { constructor: 2 } }],
  ['POST', 'completions', { ...dials, prompt: 'Once', logprobs: 1 }],
  ['POST', 'completions', { prompt: [70, 71] }],
  ['POST', 'attributes/score', { model: 'counter', inputs: [{ messages: talk.slice(0, 3) }], turns: 'all' }],
  ['POST', 'feedback', { rater: 'ann', completion_id: 'COMPLETION', choice: 0, ratings: { humor: 2 }, comment: 'Well' }],
  [
    'POST',
    'feedback',
    { rater: 'ann', completion_id: 'COMPLETION', against: { completion_id: 'OTHER', choice: 0, outcome: 'win' } },
  ],
  [
    'POST',
    'feedback/harvest',
    {
      dataset: 'taste',
      filters: { model: 'parrot', attributes: ['humor'], since: 1, until: 2_000_000_000 },
      rules: { min_raters: 1, max_spread: 2 },
    },
  ],
  ['POST', 'raters/check', { rater: 'ann' }],
  ['POST', 'raters/ann', { weight: 1, reason: 'known' }],
  ['POST', 'datasets', { name: 'second', file_id: 'FILE', validation_share: 0.1, schema: { name: 's', version: 1, attributes } }],
  ['POST', 'datasets/lines/label', { model: 'counter' }],
  ['POST', 'models/counter/evaluate', { kind: 'predictor', dataset: 'lines', limit: 5, seed: 1, split: 'all' }],
  [
    'POST',
    'models/parrot/evaluate',
    {
      ...{
        kind: 'steering',
        dataset: 'lines',
        judge: 'counter',
        force: true,
        prompts_count: 2,
        seeds: 1,
        grid: 1,
        strength: [1.5],
      },
      ...{ max_tokens: 8, temperature: 1, top_p: 0.9, frequency_penalty: 0.1, draws: 10, seed: 1 },
    },
  ],
  ['POST', 'models/parrot/evaluate', { kind: 'likelihood', dataset: 'lines', base: 'plain', limit: 4, force: true, seed: 1 }],
  [
    'POST',
    'batches',
    { input_file_id: 'BATCH', endpoint: '/v1/chat/completions', completion_window: '24h', metadata: { topic: 'tea' } },
  ],
  [
    'POST',
    'fine_tuning/jobs',
    { model: 'parrot', training_dataset: 'lines', suffix: 'x', seed: 1, metadata: { topic: 'tea' }, hyperparameters },
  ],
  [
    'POST',
    'fine_tuning/jobs',
    {
      model: 'parrot',
      training_dataset: 'lines',
      method: { type: 'steerlm', steerlm: { schema: 'npc', attributes: ['humor'] } },
    },
  ],
  [
    'POST',
    'fine_tuning/jobs',
    {
      ...{ model: 'parrot', training_dataset: 'lines' },
      method: {
        type: 'bootstrap',
        bootstrap: {
          ...{ predictor: 'counter', samples_per_prompt: 1, max_prompts: 2, attributes: { humor: [1, 2], constructor: 1 } },
          ...{ temperature: 1, top_k: 5, max_tokens: 8 },
        },
      },
    },
  ],
  [
    'PUT',
    'npcs/olin',
    {
      ...{ name: 'Olin', persona: 'You are Olin.', greeting: 'Well met, {{user}}.', attributes: { humor: 1, constructor: 2 } },
      ...{
        caps: { humor: 2, constructor: 3 },
        relationship: { constructor: 1 },
        actions: ['nod'],
        fallback: ['Hm.'],
        line_tokens: 16,
      },
      ...{ memory_tokens: 64, facts: [{ content: 'A fact', keys: ['fact'] }], examples: [{ player: 'Hi', npc: 'Ho' }] },
      rules: [
        {
          event: 'e',
          changes: { constructor: 1 },
          half_life_s: 5,
          priority: 1,
          clamp: 2,
          relationship: 0.1,
          note: 'n {{constructor}}',
        },
      ],
    },
  ],
  ['POST', 'npcs/marta/sessions', { player_id: 'ann', player_name: 'Ann', seed: 1, relationship: 0.5, at: 1 }],
  ['POST', `${at}/events`, { type: 'e', data: { who: 'ann', times: 2 } }],
  ['POST', `${at}/mood`, { changes: { constructor: 1 }, name: 'scene', half_life_s: 5, lasts_s: 5, priority: 1, note: 'note' }],
  ['POST', `${at}/say`, { text: 'Hello', strength: 1, max_ms: 5000, fallback: 'Hm.' }],
  ['POST', `${at}/save`, { name: 'here' }],
  ['POST', `${at}/fork`, { from: 1, player_id: 'bo', player_name: 'Bo', seed: 1 }],
  ['POST', `${at}/tokens`, { allow: ['say'], expires_in_s: 60 }],
  ['POST', `${at}/feedback`, { thumb: 'up', ratings: { humor: 1 }, comment: 'Well' }],
  ['POST', `${at}/rewind`, { to: 1 }],
  ['PUT', 'models/aliases/brief', { model: 'parrot' }],
];

/** What may stand in an address, and in a query. */
const ids = [
  'constructor',
  '__proto__',
  '%00',
  '%ED%A0%80',
  '%ff',
  'x@99999999999',
  `${'x'.repeat(65)}`,
  'x'.repeat(129),
  'x'.repeat(3000),
];
const queries = [
  ...[
    '',
    '0',
    '-1',
    '1.5',
    '2147483648',
    '9007199254740991',
    '9007199254740993',
    '1e308',
    '1e400',
    '5e-324',
    'NaN',
    '0x10',
    'true',
  ],
  ...[
    '253402300799',
    '253402300800',
    '8640000000001',
    '8000000000000',
    '99999999999999999999',
    '%00',
    '%ED%A0%80',
    'constructor',
  ],
];

/** Whether the document says that the route may answer so. An address that no route takes has nothing declared. */
function isDeclared(method: string, path: string, status: number): boolean {
  const address = path.split('?')[0]!;
  const fitting = Object.entries(paths).filter(([template]) =>
    new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(address),
  );
  const operations = fitting.flatMap(([, item]) => (item[method.toLowerCase() as 'get'] as OperationObject | undefined) ?? []);
  return operations.length === 0 || operations.some(({ responses }) => responses?.[status]);
}

describe.each(await testDatabases())('on $name', (database) => {
  let store: Store;
  let house: House;
  const known: Record<string, string> = {};
  const faults: string[] = [];

  beforeAll(async () => {
    store = await database.open();
    house = openHouse({}, { db: store.db });
    const plain = Object.assign(new ParrotModel(), { id: 'plain', schema: { ...odd, attributes: [] } });
    house.shelf.languages = [Object.assign(new ParrotModel(), { schema: odd }), plain];
    house.shelf.predictors = [new WordCountPredictor(odd)];
    const upload = async (purpose: string, text: string) => {
      const form = new FormData();
      form.set('purpose', purpose);
      form.set('file', new File([text], 'lines.jsonl'));
      return ((await (await house.app.request('/v1/files', { method: 'POST', body: form })).json()) as { id: string }).id;
    };
    const lines = Array.from({ length: 12 }, (_, i) => {
      const said = { role: 'assistant', content: `a${i}`, attributes: { constructor: i % 5, humor: 1 } };
      return JSON.stringify({ messages: [{ role: 'user', content: `q${i}` }, said] });
    });
    known.FILE = await upload('fine-tune', lines.join('\n'));
    known.BATCH = await upload('batch', '{}');
    const imported = await post(house, '/v1/datasets', { name: 'lines', file_id: known.FILE });
    expect([imported.status, imported.body.schema?.attributes.map(({ name }: { name: string }) => name)]).toEqual([
      201,
      ['constructor', 'humor'],
    ]);
    for (const name of ['COMPLETION', 'OTHER'])
      known[name] = (await post(house, '/v1/chat/completions', { messages: talk })).body.id;
    const rules = [{ event: 'e', changes: { constructor: 1 }, note: '{{who}} and {{constructor}}' }];
    const baseline = { humor: 1, constructor: 1 };
    for (const id of ['marta', 'olin']) {
      expect(
        (await post(house, '/v1/npcs', { id, name: 'Marta', persona: 'You are Marta.', rules, attributes: baseline })).status,
      ).toBe(200);
    }
    known.SESSION = (await post(house, '/v1/npcs/marta/sessions', { player_id: 'ann' })).body.id;
    await post(house, `/v1/${at.replace('SESSION', known.SESSION!)}/say`, { text: 'Hello' });
  }, 60_000);
  afterAll(() => store.close());

  const filled = (text: string) => text.replace(/COMPLETION|OTHER|FILE|BATCH|SESSION/g, (name) => known[name]!);

  async function ask(method: string, path: string, body?: unknown, place = ''): Promise<number> {
    const init =
      body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: filled(JSON.stringify(body)) };
    const before = house.lines.length;
    const reply = await house.app.request(filled(path), { method, ...init });
    const text = await reply.text();
    if (!isDeclared(method, path, reply.status))
      faults.push(`${method} ${path.slice(0, 100)} answers ${reply.status} undeclared`);
    if (reply.status >= 500) {
      const cause = house.lines.slice(before).find((line) => line.includes('request failed')) ?? '';
      faults.push(`${method} ${path.slice(0, 100)} ${place}: ${reply.status} ${cause.slice(0, 400)}`);
    } else if (/"(stored|broken)":false/.test(text) || house.lines.slice(before).some((line) => line.includes('not kept'))) {
      faults.push(`${method} ${path} ${place}: not kept`);
    }
    return reply.status;
  }

  test.each(bodies)(
    '%s %s, field by field',
    async (method, path, body) => {
      faults.splice(0);
      const whole = await ask(method, `/v1/${path}`, body);
      expect([whole < 300 || (path === `${at}/feedback` && whole === 404), faults]).toEqual([true, []]);
      for (const [place, changed] of hostile(body))
        await ask(method, `/v1/${path}`, changed, `${place} in ${JSON.stringify(changed)}`);
      expect(faults).toEqual([]);
    },
    120_000,
  );

  test('every address and every query', async () => {
    faults.splice(0);
    for (const [template, item] of Object.entries(paths)) {
      for (const method of ['get', 'post', 'put', 'delete'] as const) {
        const operation = item[method] as OperationObject | undefined;
        if (!operation) continue;
        const parameters = (operation.parameters ?? []) as ParameterObject[];
        const whole = template
          .replace('{sid}', 'SESSION')
          .replace(/\{(id|alias)\}/, template.includes('/npcs/') ? 'marta' : 'lines');
        const body = method === 'post' || method === 'put' ? {} : undefined;
        for (const id of ids) {
          for (const part of template.match(/\{\w+\}/g) ?? []) {
            const path = template
              .replace(part, id)
              .replace('{sid}', 'SESSION')
              .replace(/\{\w+\}/, 'marta');
            await ask(method.toUpperCase(), path, body);
          }
        }
        if (method !== 'get') continue;
        for (const { name } of parameters.filter((parameter) => parameter.in === 'query')) {
          for (const value of queries) await ask('GET', `${whole}?${name}=${value}`);
        }
      }
    }
    expect(faults).toEqual([]);
  }, 120_000);

  test('what was let in can be read again', async () => {
    faults.splice(0);
    const lists = [
      'chat/completions',
      'feedback',
      'raters',
      'raters/agreement',
      'leaderboard',
      'datasets',
      'jobs',
      'batches',
      'fine_tuning/jobs',
      'npcs',
    ];
    for (const list of [...lists, 'npcs/marta/sessions', `${at}/log`, `${at}/mood`, `${at}/saves`, 'datasets/lines/inspect']) {
      expect([list, await ask('GET', `/v1/${list}`)]).toEqual([list, 200]);
    }
    expect(faults).toEqual([]);
  });
});
