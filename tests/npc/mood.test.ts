// A mood is its baseline and what remains of everything that moved it, and that adds up, whatever happened.
import { describe, expect, test } from 'vitest';
import { checkCharacter } from '../../src/npc/character.ts';
import { type Effect, labelOf, moodOf } from '../../src/npc/mood.ts';
import { randomStream } from '../../src/random.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import { character } from './marta.ts';

const still = { effects: [], relationship: 0, preferences: {} };
const rule = (event: string, changes: Record<string, number>, rest: Partial<Effect> = {}): Effect => {
  return { source: 'rule', event, changes, atS: 0, priority: 0, ...rest };
};
const humorOf = (effects: Effect[], nowS = 0, about = character({ attributes: { humor: 2 } })) => {
  return moodOf(gameCharacters, about, { ...still, effects }, nowS).humor!;
};

test('a character nothing has happened to shows its baseline, and the defaults of the model beside it', () => {
  const moods = moodOf(gameCharacters, character({ attributes: { humor: 3, formality: null } }), still, 0);
  expect(labelOf(moods)).toEqual({ helpfulness: 4, humor: 3, creativity: 0, verbosity: 2, toxicity: 0 });
  expect(moods.humor).toEqual({ value: 3, requested: 3, baseline: 3, contributions: [] });
});

test('what happened fades by half in each half-life, and what has none stays', () => {
  const insult = rule('insulted', { humor: -2 }, { halfLifeS: 60 });
  expect([0, 60, 120].map((now) => humorOf([insult], now).value)).toEqual([0, 1, 1.5]);
  expect(humorOf([insult], 60).contributions).toEqual([{ source: 'rule', event: 'insulted', amount: -2, remaining: -1 }]);
  expect(humorOf([insult], 10_000)).toEqual({ value: 2, requested: 2, baseline: 2, contributions: [] });
  expect(humorOf([rule('insulted', { humor: -2 })], 1e9).value).toBe(0);
});

test('values move in quarters of a level, and the rest is told', () => {
  const { value, contributions } = humorOf([rule('insulted', { humor: -1 }, { halfLifeS: 60 })], 30);
  expect(value).toBe(1.25);
  expect(contributions.map(({ source }) => source)).toEqual(['rule', 'rounding']);
});

test('a clamp bounds what one event can do however often it happens; others go on', () => {
  const thrice = [1, 2, 3].map(() => rule('praised', { humor: 1 }, { clamp: 1.5 }));
  const { value, contributions } = humorOf([...thrice, rule('sang', { humor: 0.5 })]);
  expect(value).toBe(4);
  expect(contributions.find(({ source }) => source === 'limit')).toEqual({
    ...{ source: 'limit', event: 'praised', amount: -1.5, remaining: -1.5 },
  });
});

test('a higher priority has the last word: it starts from what the scale allowed', () => {
  const jokes = [rule('joke', { humor: 3 }), rule('joke', { humor: 3 })];
  expect(humorOf([...jokes, rule('funeral', { humor: -3 })]).value).toBe(4);
  expect(humorOf([...jokes, rule('funeral', { humor: -3 }, { priority: 1 })]).value).toBe(1);
  expect(humorOf([rule('funeral', { humor: -3 }, { priority: 1 }), ...jokes]).value).toBe(1);
});

test('caps of the character and of the model hold, and what was asked for is told beside', () => {
  const rude = rule('insulted', { toxicity: 4 });
  const moods = (caps: Record<string, number>) => moodOf(gameCharacters, character({ caps }), { ...still, effects: [rude] }, 0);
  expect(moods({}).toxicity).toMatchObject({ value: 3, requested: 4 });
  expect(moods({ toxicity: 1 }).toxicity).toMatchObject({ value: 1, requested: 4 });
  expect(moods({ toxicity: 1 }).toxicity!.contributions.at(-1)).toMatchObject({ source: 'limit', amount: -3 });
});

test('the relationship and what the player likes move the ground everything else stands on', () => {
  const about = character({ attributes: { humor: 2 }, relationship: { humor: 1, helpfulness: -2 } });
  const moods = moodOf(gameCharacters, about, { effects: [], relationship: 0.5, preferences: { humor: 0.75 } }, 0);
  expect(moods.humor!.value).toBe(3.25);
  expect(moods.helpfulness!.value).toBe(3);
  expect(moods.humor!.contributions.map(({ source, remaining }) => [source, remaining])).toEqual([
    ['preference', 0.75],
    ['relationship', 0.5],
  ]);
});

test('a scene is over when its time is', () => {
  const scene: Effect = { source: 'scene', event: 'feast', changes: { humor: 2 }, atS: 10, untilS: 20, priority: 0 };
  expect([10, 19, 20].map((now) => humorOf([scene], now).value)).toEqual([4, 4, 2]);
});

test('contributions add up to the value, whatever happened', () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = randomStream('mood', seed);
    const level = () => Math.round(random() * 80 - 40) / 10;
    const names = gameCharacters.attributes.map(({ name }) => name);
    const effects = Array.from({ length: Math.floor(random() * 12) }, (): Effect => {
      const kind = `event ${Math.floor(random() * 4)}`;
      return rule(
        kind,
        { [names[Math.floor(random() * 6)]!]: level() },
        {
          ...{ atS: random() * 100, priority: Math.floor(random() * 3) },
          halfLifeS: random() < 0.5 ? undefined : 1 + random() * 100,
          clamp: random() < 0.5 ? undefined : random() * 4,
        },
      );
    });
    const about = character({ attributes: { humor: 2 }, caps: { humor: random() * 4 }, relationship: { humor: level() / 2 } });
    const moods = moodOf(
      gameCharacters,
      about,
      { effects, relationship: random() * 2 - 1, preferences: { verbosity: random() } },
      100,
    );
    for (const [name, { value, baseline, contributions }] of Object.entries(moods)) {
      const sum = contributions.reduce((total, { remaining }) => total + remaining, baseline);
      expect(Math.abs(sum - value), `seed ${seed}, ${name}`).toBeLessThan(1e-9);
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(4);
    }
  }
});

describe('a character is refused, and the field named,', () => {
  test.each([
    [{ attributes: { humour: 9 } }, 'attributes.humour', /between 0 and 4/],
    [{ attributes: { kindness: 1 } }, 'attributes.kindness', /Unknown attribute/],
    [{ caps: { humor: 5 } }, 'caps.humor', /between 0 and 4/],
    [{ rules: [{ changes: { temper: 1 } }] }, 'rules.0.changes.temper', /Unknown attribute/],
    [{ rules: [{ changes: { humor: 1 } }, { changes: { humor: -7 } }] }, 'rules.1.changes.humor', /between -4 and 4/],
    [{ attributes: { humor: null }, rules: [{ changes: { humor: 1 } }] }, 'rules.0.changes.humor', /left open/],
    [{ relationship: { spite: 1 } }, 'relationship.spite', /Unknown attribute/],
  ])('%j', (fields, param, message) => {
    const given = fields as Parameters<typeof character>[0];
    const rules = (given?.rules ?? []).map((one) => ({ ...one, event: 'e', priority: 0, relationship: 0 }));
    const act = () => checkCharacter(character({ ...given, rules }), gameCharacters);
    expect(act).toThrow(expect.objectContaining({ details: { param } }));
    expect(act).toThrow(message);
  });
});

test('aliases become the names of the schema', () => {
  const given = character({ attributes: { Humour: 1 }, caps: { rudeness: 2 }, relationship: { humour: 1 } });
  const { attributes, caps, relationship } = checkCharacter(given, gameCharacters);
  expect([attributes, caps, relationship]).toEqual([{ humor: 1 }, { toxicity: 2 }, { humor: 1 }]);
});
