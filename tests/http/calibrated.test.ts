// steering.calibrated: the attributes say what a reply should measure, and the prompt says what leads there.
import { beforeEach, expect, test } from 'vitest';
import { type House, knock, openHouse } from './knock.ts';

let house: House;
beforeEach(() => {
  house = openHouse();
  const obtained = [0.5, 1, 2, 2.5, 3];
  house.model.curves = { humor: obtained.map((value, requested) => ({ requested, obtained: value, replies: 40 })) };
});

const ask = (body: object) =>
  knock(house, '/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }], max_tokens: 3, ...body }),
  });

test('asks for what was measured to give the level wanted', async () => {
  const { body } = await ask({ attributes: { humour: 1.5, verbosity: null }, steering: { calibrated: true } });
  expect(body.choices[0].steering.requested).toEqual({ humor: 1.5, verbosity: null });
  expect(body.choices[0].steering.applied.humor).toBe(1.5);
  const next = await ask({ attributes: { humor: 2.25 }, steering: { calibrated: true } });
  expect(next.body.choices[0].steering.applied.humor).toBe(2.5);
  const most = await ask({ attributes: { humor: 4 }, steering: { calibrated: true } });
  expect(most.body.choices[0].steering).toMatchObject({ requested: { humor: 4 }, applied: { humor: 4 }, expected: { humor: 3 } });
  expect([body, next.body].map(({ choices }) => choices[0].steering.expected)).toEqual([{ humor: 1.5 }, { humor: 2.25 }]);
});

test('leaves defaults and what is not calibrated as they are', async () => {
  const { body } = await ask({ attributes: { humor: 2.25 } });
  expect(body.choices[0].steering.applied.humor).toBe(2.25);
  expect(body.choices[0].steering).not.toHaveProperty('expected');
  const calibrated = await ask({ attributes: {}, steering: { calibrated: true } });
  expect(calibrated.body.choices[0].steering.applied).toEqual({ helpfulness: 4, toxicity: 0 });
});

test('also for what changes on the way', async () => {
  const steering = { calibrated: true, schedule: [{ after: { tokens: 2 }, attributes: { humor: 2.25 } }] };
  await ask({ attributes: { humor: 2 }, steering });
  const weights = house.model.requests[0]!.phases!.map(({ branches }) => branches.map(({ weight }) => weight));
  expect(weights).toEqual([[1], [0.5, 0.5]]);
});

test.each([
  [
    'an attribute whose curve nobody measured',
    { attributes: { creativity: 2 }, steering: { calibrated: true } },
    'never measured',
  ],
  ['a strength it was not measured at', { attributes: { humor: 2 }, steering: { calibrated: true, strength: 2 } }, 'strength 1'],
])('refuses %s, naming the field', async (_, body, reason) => {
  const { status, body: answer } = await ask(body);
  expect([status, answer.error.param]).toEqual([400, 'steering.calibrated']);
  expect(answer.error.message).toContain(reason);
});

test('GET /v1/attributes tells the curve, and null where there is none', async () => {
  const { body } = await knock(house, '/v1/attributes');
  const of = (name: string) => body.data.find((each: { name: string }) => each.name === name).obtained;
  expect(of('humor')[1]).toEqual({ requested: 1, obtained: 1, replies: 40 });
  expect(of('creativity')).toBeNull();
});
