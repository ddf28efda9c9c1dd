// Requests of every route that takes a body, and what is hostile in place of each of their parts, of addresses and of queries.
import type { AttributeSchema } from '../../src/steerlm/attributes.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';

const levels = ['none', 'little', 'some', 'much', 'most'];
/** An attribute may be called what every object has. */
export const odd: AttributeSchema = {
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
export function* hostile(value: unknown, place = ''): Generator<[place: string, value: unknown]> {
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

export const at = 'npcs/marta/sessions/SESSION';
const dials = {
  ...{ temperature: 1, top_p: 0.9, top_k: 5, seed: 3, min_p: 0.1, min_tokens: 1, repetition_penalty: 1.1 },
  ...{
    presence_penalty: 0.1,
    frequency_penalty: 0.1,
    logit_bias: { '70': 1 },
    stop_token_ids: [3],
    stop: ['stop'],
    bad_words: ['fool'],
  },
  ...{ max_tokens: 8, max_ms: 5000, n: 1, user: 'me', metadata: { topic: 'tea' }, model: 'parrot' },
};
export const talk = [
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
export const bodies: [method: string, path: string, body: object][] = [
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
export const ids = [
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
export const queries = [
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
