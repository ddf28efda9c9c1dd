// A model that nobody trained on labels, asked in its own chat template: attributes reach it in words, and what was never measured of it is refused.
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CompletionEvent } from '../../src/generation/language-model.ts';
import { splitReasoning } from '../../src/generation/reasoning.ts';
import { everyday, gameCharacters } from '../../src/steerlm/schemas.ts';
import { openHouse, post } from './knock.ts';
import { PupilModel } from './pupil-model.ts';
import { ParrotModel, WordCountPredictor } from './small-models.ts';

function openSchool() {
  const house = openHouse();
  const model = new PupilModel();
  onTestFinished(() => model.dispose());
  const predictors = [new WordCountPredictor(gameCharacters)];
  house.shelf.languages = [model];
  house.shelf.predictors = predictors;
  const ask = (body: object, path = '/v1/chat/completions') =>
    post(house, path, { messages: [{ role: 'user', content: 'Why is the sky blue? ' }], max_tokens: 3, seed: 1, ...body });
  const textOf = (ids: readonly number[]) => String.fromCharCode(...ids.map((id) => id - 3));
  return { house, model, ask, textOf, asked: () => textOf(model.requests.at(-1)!.prompt) };
}

const plain = 'user: Why is the sky blue? \nassistant: ';
const words = (...said: string[]) => `user: Why is the sky blue?\n\n${said.join(' ')}\nassistant: `;
const [one, , , , long] = everyday.attributes.find(({ name }) => name === 'verbosity')!.instructions!;
const slang = everyday.attributes.find(({ name }) => name === 'formality')!.instructions![0]!;

describe('attributes', () => {
  test('stand in words at the end of what the user says, and it is told that they do', async () => {
    const { ask, asked } = openSchool();
    const { body } = await ask({ attributes: { verbosity: 0, formality: 0 } });
    expect(asked()).toBe(words(one!, slang));
    expect(body.choices[0].steering).toEqual({
      requested: { verbosity: 0, formality: 0 },
      applied: { verbosity: 0, formality: 0 },
      applied_by: { verbosity: 'instruction', formality: 'instruction' },
    });
  });

  test('that nobody asks for leave the model as it is', async () => {
    const { ask, asked } = openSchool();
    const { body } = await ask({});
    expect(asked()).toBe(plain);
    expect(body.choices[0].steering).toEqual({ requested: {}, applied: {}, applied_by: {} });
  });

  test('are shown by render', async () => {
    const { ask } = openSchool();
    const { body } = await ask({ attributes: { verbosity: 4 } }, '/v1/chat/completions/render');
    expect(body.prompt).toBe(words(long!));
    expect(body.steering.applied_by).toEqual({ verbosity: 'instruction' });
    expect(body.fits).toBe(true);
    const lengthy = [{ role: 'user', content: 'x'.repeat(3000) }];
    expect((await ask({ messages: lengthy }, '/v1/chat/completions/render')).body.fits).toBe(false);
  });

  test('between two levels are drawn from both wordings', async () => {
    const { ask, model, textOf } = openSchool();
    await ask({ attributes: { verbosity: 0.25 } });
    const [phase] = model.requests[0]!.phases!;
    expect(phase!.branches.map(({ weight }) => weight)).toEqual([0.75, 0.25]);
    expect(textOf(phase!.branches[0]!.prompt)).toBe(words(one!));
  });

  test('are pushed away from the prompt without them, and change on the way', async () => {
    const { ask, model, textOf } = openSchool();
    const schedule = [{ after: { sentences: 1 }, attributes: { verbosity: 4 } }];
    await ask({ attributes: { verbosity: 0 }, steering: { strength: 2, schedule } });
    const phases = model.requests[0]!.phases!;
    expect(phases.map(({ branches }) => branches.map(({ prompt, weight }) => [textOf(prompt), weight]))).toEqual([
      [
        [words(one!), 2],
        [plain, -1],
      ],
      [
        [words(long!), 2],
        [plain, -1],
      ],
    ]);
  });

  test('reach it not at all where that is asked', async () => {
    const { ask, asked } = openSchool();
    const { body } = await ask({ attributes: { verbosity: 0 }, steering: { method: 'none' } });
    expect(asked()).toBe(plain);
    expect(body.choices[0].steering).toEqual({ requested: { verbosity: 0 }, applied: {}, applied_by: {} });
  });
});

test('what it thinks stands beside what it answers, whole and in a stream', async () => {
  const { house, model, ask } = openSchool();
  async function* said(): AsyncGenerator<CompletionEvent> {
    for (const text of ['<thi', 'nk>Rayleigh', '?</think>\n\n', 'Scatter', 'ing.']) yield { kind: 'delta', index: 0, text };
    yield { kind: 'end', index: 0, text: '', finishReason: 'stop', completionTokens: 5 };
  }
  Object.assign(model, { complete: () => splitReasoning(said(), false) });
  expect((await ask({})).body.choices[0].message).toMatchObject({ content: 'Scattering.', reasoning_content: 'Rayleigh?' });
  const { body } = await post(house, '/v1/chat/completions', { messages: [{ role: 'user', content: 'Why?' }], stream: true });
  const deltas = body.flatMap((chunk: { choices?: { delta: object }[] }) => chunk.choices?.map(({ delta }) => delta) ?? []);
  const joined = (field: string) => deltas.map((delta: Record<string, string>) => delta[field] ?? '').join('');
  expect([joined('content'), joined('reasoning_content')]).toEqual(['Scattering.', 'Rayleigh?']);
});

test('a model trained on labels can be asked in words too', async () => {
  const house = openHouse();
  const ask = {
    messages: [{ role: 'user', content: 'Hello' }],
    attributes: { verbosity: 4 },
    steering: { method: 'instruction' },
  };
  const { body } = await post(house, '/v1/chat/completions/render', ask);
  expect(body.prompt).toContain('Answer in several long paragraphs.');
  expect(body.prompt).not.toContain('<extra_id_2>');
  expect(body.steering.applied_by).toMatchObject({ verbosity: 'instruction' });
});

describe('refused by name is', () => {
  test.each([
    ['a label', { method: 'label' }, 'steering.method'],
    ['a measure without a predictor that was chosen', { measure: true }, 'steering.predictor'],
    ['a choice among candidates without one', { best_of: 2 }, 'steering.predictor'],
    ['one that rates nothing of it', { measure: true, predictor: 'stranger' }, 'steering.predictor'],
    ['a calibration that nobody measured', { calibrated: true }, 'steering.calibrated'],
  ])('%s', async (_, steering, param) => {
    const { ask, house, model } = openSchool();
    const attributes = [{ name: 'verbosity', aliases: [], description: '', levels: ['no', 'yes'], default: null, cap: 1 }];
    const stranger = new WordCountPredictor({ name: 'other', version: 1, attributes });
    Object.assign(stranger, { id: 'stranger' });
    house.shelf.predictors.push(stranger);
    const { status, body } = await ask({ attributes: { verbosity: 1 }, steering });
    expect([status, body.error.param]).toEqual([400, param]);
    expect(model.requests).toEqual([]);
  });

  test('nothing where a predictor was chosen: it tells what it rates on the same scale', async () => {
    const { ask } = openSchool();
    const { status, body } = await ask({ steering: { measure: true, predictor: 'counter' } });
    expect(status).toBe(200);
    expect(Object.keys(body.choices[0].steering.measured).toSorted()).toEqual([
      'creativity',
      'formality',
      'helpfulness',
      'humor',
      'toxicity',
      'verbosity',
    ]);
  });
});

class Continuer extends ParrotModel {
  override readonly id: string = 'continuer';
  override readonly schema = { name: 'none', version: 1, attributes: [] };
  override readonly chat = null;
}

test('a model that only continues texts is asked for no reply, whatever else is wrong', async () => {
  const house = openHouse();
  house.shelf.languages.push(new Continuer());
  for (const path of ['/v1/chat/completions', '/v1/chat/completions/render']) {
    const { status, body } = await post(house, path, {
      model: 'continuer',
      messages: [{ role: 'user', content: 'Hi' }],
      attributes: { humor: 1 },
    });
    expect([status, body.error.param]).toEqual([400, 'model']);
    expect(body.error.message).toMatch(/only continues texts.*Ask one that replies: parrot\..*steer pull smollm2-135m/);
  }
  const { status } = await post(house, '/v1/completions', { model: 'continuer', prompt: 'Once' });
  expect(status).toBe(200);
});
