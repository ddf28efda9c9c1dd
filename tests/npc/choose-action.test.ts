// What a character does with a line: where the context has no room to ask, and where an action is clear enough to be taken.
import { expect, test } from 'vitest';
import type { CompletionEvent, CompletionRequest } from '../../src/generation/language-model.ts';
import { chooseAction } from '../../src/npc/choose-action.ts';
import { ParrotModel } from '../http/small-models.ts';

const conversation = { system: 'You are Oda.', turns: [{ role: 'user' as const, content: 'Halt!' }] };
const actionsOf = (count: number, when: string) => Array.from({ length: count }, (_, i) => ({ name: `act-${i}`, when }));

test.each([
  ['does not fit', 5],
  ['no encoder would read', 64],
])('a question that %s is not asked, and the line is said without an action', async (_, count) => {
  const model = new ParrotModel();
  const situation = { conversation, label: {}, heard: 'Halt!', actions: actionsOf(count, 'x'.repeat(200)) };
  expect(await chooseAction(model, situation, 'Aye.', new AbortController().signal)).toBeUndefined();
  expect(model.requests).toEqual([]);
  await chooseAction(model, { ...situation, actions: actionsOf(2, 'asked') }, 'Aye.', new AbortController().signal);
  expect(model.requests).toHaveLength(2);
});

/** Finds the first action likelier than none by so many nats, and any other as unlikely as can be; by `usual` ones where nothing has happened. */
class Chooser extends ParrotModel {
  override readonly mixes: boolean;
  readonly #told: number;
  readonly #usual: number;

  constructor(nats: number, { usual = 0, mixes = true } = {}) {
    super();
    this.#told = nats;
    this.#usual = usual;
    this.mixes = mixes;
  }

  get #nats(): number {
    return this.requests.length === 1 ? this.#told : this.#usual;
  }

  override async *complete(request: CompletionRequest): AsyncGenerator<CompletionEvent> {
    this.requests.push(request);
    const { choices } = request.constraint as { choices: string[] };
    const likely = [0, this.#nats].map((nats) => nats - Math.log(1 + Math.exp(this.#nats)));
    const text = this.#nats > 0 ? choices[1]! : choices[0]!;
    const top = choices.slice(0, 2).map((choice, i) => ({ token: choice.charCodeAt(0) + 3, logprob: likely[i]! }));
    const tokens = [...text].map((char, i) => {
      const token = char.charCodeAt(0) + 3;
      return i === 0 ? { ...top.find((each) => each.token === token)!, top } : { token, logprob: 0, top: [] };
    });
    yield { kind: 'delta', index: 0, text, ...(typeof request.topLogprobs === 'number' ? { tokens } : {}) };
    yield { kind: 'end', index: 0, text, finishReason: 'stop', completionTokens: text.length };
  }
}

const actions = [
  { name: 'wave_back', when: 'the player waves' },
  { name: 'sell_a_blade', when: 'somebody wants to buy a weapon' },
];
const chosen = (model: Chooser, heard: string) =>
  chooseAction(model, { conversation, label: {}, heard, actions }, 'Aye.', new AbortController().signal);

test.each([
  [4, 'Good morning.', 'wave_back'],
  [2, 'Good morning.', undefined],
  [2, 'Good morning, player. Somebody wants you.', undefined],
  [0, 'I wave.', 'wave_back'],
  [-2, 'I wave.', undefined],
  [0, 'I want to buy a weapon.', 'sell_a_blade'],
])('an action that has become %i nats likelier than none, to "%s": %s', async (nats, heard, action) => {
  expect(await chosen(new Chooser(nats), heard)).toBe(action);
});

test('an action that a model likes best whatever is said is not taken for that', async () => {
  expect(await chosen(new Chooser(8, { usual: 7.5 }), 'Who are you?')).toBeUndefined();
  expect(await chosen(new Chooser(-4, { usual: -8 }), 'Who are you?')).toBe('wave_back');
});

test('of a model that cannot mix prompts its own choice is taken', async () => {
  const model = new Chooser(0.5, { mixes: false });
  expect(await chosen(model, 'Good morning.')).toBe('wave_back');
  expect(model.requests.map(({ phases, topLogprobs }) => [phases, topLogprobs])).toEqual([[undefined, undefined]]);
  expect(await chosen(new Chooser(-0.5, { mixes: false }), 'I wave.')).toBeUndefined();
});
