// What a session has come to: effects that are counted move a mood exactly as each of them would, and a long game stays short to tell.
import { describe, expect, test } from 'vitest';
import type { Character, Rule } from '../../src/npc/character.ts';
import { type Effect, moodOf } from '../../src/npc/mood.ts';
import { beginState, type Entry, follow, type SessionState } from '../../src/npc/session-state.ts';
import { randomStream } from '../../src/random.ts';
import { maxLevel } from '../../src/steerlm/attributes.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import { character } from './marta.ts';

const begun = () => beginState({ relationship: 0, preferences: {} });
const rule = (event: string, changes: Rule['changes'], rest: Partial<Rule> = {}): Rule => {
  return { event, changes, priority: 0, relationship: 0, ...rest };
};
const play = (about: Character, entries: Entry[]) =>
  entries.reduce<SessionState>((state, entry) => follow(state, entry, about), begun());
const happened = (type: string, atS: number): Entry => ({ kind: 'event', type, atS });

/** Everything that happened, none of it counted together. */
function effectsOf(about: Character, entries: Entry[]): Effect[] {
  return entries.flatMap((entry): Effect[] => {
    if (entry.kind === 'scene') {
      const { name: event, lastsS, changes, atS, halfLifeS, priority } = entry;
      const untilS = lastsS === undefined ? undefined : atS + lastsS;
      return [{ source: 'scene', event, changes, atS, halfLifeS, untilS, priority }];
    }
    if (entry.kind !== 'event') return [];
    return about.rules.filter(({ event }) => event === entry.type).map((of) => ({ source: 'rule', ...of, atS: entry.atS }));
  });
}

/** The documented sum, effect by effect. */
function expectedOf(about: Character, effects: Effect[], name: string, nowS: number): number {
  const attribute = gameCharacters.attributes.find((one) => one.name === name)!;
  const held = (value: number) => Math.min(maxLevel(attribute), Math.max(0, value));
  let value = held((about.attributes[name] ?? attribute.default)!);
  const of = effects.filter(({ changes }) => changes[name] !== undefined);
  for (const priority of [...new Set(of.map((effect) => effect.priority))].sort((a, b) => a - b)) {
    const layer = of.filter((effect) => effect.priority === priority);
    for (const kind of new Set(layer.map(({ source, event }) => `${source} ${event}`))) {
      const same = layer.filter(({ source, event }) => `${source} ${event}` === kind);
      let together = 0;
      for (const { changes, atS, halfLifeS, untilS } of same) {
        const left = halfLifeS === undefined ? changes[name]! : changes[name]! * 2 ** (-(nowS - atS) / halfLifeS);
        const remaining = (untilS !== undefined && nowS >= untilS) || Math.abs(left) < 0.02 ? 0 : left;
        together += remaining;
        value += remaining;
      }
      const clamp = Math.min(...same.map((effect) => effect.clamp ?? Number.POSITIVE_INFINITY));
      value += Math.sign(together) * Math.min(Math.abs(together), clamp) - together;
    }
    value = held(value);
  }
  return Math.min(Math.round(value * 4) / 4, attribute.cap);
}

test('a mood is what each effect by itself would make of it, whatever happened and however often', () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = randomStream('counted', seed);
    const pick = <T>(...of: T[]) => of[Math.floor(random() * of.length)]!;
    const level = () => Math.round(random() * 40 - 20) / 20;
    const changes = () => ({ humor: level(), [pick('toxicity', 'verbosity')]: level() });
    const rest = () => ({ priority: pick(0, 0, 1), halfLifeS: pick(undefined, 40), clamp: pick(undefined, 1.3) });
    const rules = ['a', 'b', 'c'].map((event) => rule(event, changes(), rest()));
    const about = character({ attributes: { humor: 2, verbosity: 1.5 }, rules });
    const scenes = [changes(), changes()];
    const entries = Array.from({ length: Math.floor(random() * 60) }, (_, atS): Entry => {
      if (random() < 0.8) return happened(pick('a', 'b', 'c'), atS);
      return {
        kind: 'scene',
        atS,
        name: pick('x', undefined),
        changes: pick(...scenes),
        priority: 0,
        lastsS: pick(undefined, 9),
      };
    });
    const state = play(about, entries);
    const effects = effectsOf(about, entries);
    for (const [name, { value, baseline, contributions }] of Object.entries(moodOf(gameCharacters, about, state, 60))) {
      expect(value, `seed ${seed}, ${name}`).toBe(expectedOf(about, effects, name, 60));
      const sum = contributions.reduce((total, { remaining }) => total + remaining, baseline);
      expect(Math.abs(sum - value), `seed ${seed}, ${name}`).toBeLessThan(1e-9);
    }
  }
});

describe('a long game stays short to tell:', () => {
  test('what neither fades nor ends is told once, with how often it happened', () => {
    const about = character({ attributes: { humor: 2 }, rules: [rule('hit', { humor: -0.125 }, { clamp: 1 })] });
    const state = play(
      about,
      Array.from({ length: 2_500 }, (_, i) => happened('hit', i)),
    );
    expect(state.effects).toHaveLength(1);
    const { value, contributions } = moodOf(gameCharacters, about, state, 2_500).humor!;
    expect([value, contributions]).toEqual([
      1,
      [
        { source: 'rule', event: 'hit', amount: -312.5, remaining: -312.5, count: 2_500 },
        { source: 'limit', event: 'hit', amount: 311.5, remaining: 311.5 },
      ],
    ]);
  });

  test('of all that is still fading, or set under many names, the first and the last are told, and the others as one', () => {
    const about = character({ attributes: { humor: 2 } });
    const scene = (i: number): Entry => ({ kind: 'scene', atS: i, name: `s${i}`, changes: { humor: 0.5 }, priority: 0 });
    const { value, contributions } = moodOf(
      gameCharacters,
      about,
      play(
        about,
        Array.from({ length: 500 }, (_, i) => scene(i)),
      ),
      500,
    ).humor!;
    expect([value, contributions.length]).toEqual([4, 64]);
    expect(contributions[0]).toMatchObject({ event: 's0' });
    expect(contributions.find(({ source }) => source === 'others')).toMatchObject({ count: 500 - 32 - 30 });
    expect(contributions.at(-1)).toMatchObject({ source: 'limit' });
    expect(contributions.reduce((total, { remaining }) => total + remaining, 2)).toBe(4);
  });
});
