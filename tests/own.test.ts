// An attribute may be called `constructor`: nobody has said it until somebody does.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { dropLabels } from '../src/finetuning/label-dropout.ts';
import { distanceFrom } from '../src/generation/best-of.ts';
import { moodOf } from '../src/npc/mood.ts';
import { offsetsOf } from '../src/npc/preferences.ts';
import { own } from '../src/own.ts';
import { writeGoals } from '../src/predictor/distribution.ts';
import { recordOf } from '../src/record-of.ts';
import { type AttributeSchema, applyAttributes, formatLabel } from '../src/steerlm/attributes.ts';
import { dial } from '../src/steerlm/guidance.ts';

const levels = ['none', 'little', 'some'];
const attribute = (name: string) => ({ name, aliases: [], description: '', levels, default: null, cap: 2 });
const schema: AttributeSchema = { name: 'odd', version: 1, attributes: [attribute('constructor'), attribute('humor')] };

test('what every object inherits is no value of it', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) expect(own({ humor: 1 }, name)).toBeUndefined();
  expect(own({ constructor: 2 }, 'constructor')).toBe(2);
  expect(own(JSON.parse('{"__proto__": 3}'), '__proto__')).toBe(3);
  expect(own(undefined, 'humor')).toBeUndefined();
});

test('a label that says nothing of it says nothing', () => {
  expect(formatLabel(schema, { humor: 1 })).toBe('humor:1');
  expect(formatLabel(schema, { humor: 1, constructor: 2 })).toBe('constructor:2,humor:1');
  expect(applyAttributes(schema, { constructor: 1 })).toEqual({ constructor: 1 });
  const opposite = dial(schema, { humor: 2 }, { strength: 2, against: 'opposite' });
  expect(opposite.map(({ label }) => label)).toEqual([{ humor: 2 }, { humor: 0 }]);
  expect(distanceFrom(schema, { humor: 2 })({ humor: { value: 2 } })).toBe(0);
});

test('nor does what a model or a predictor is trained on', () => {
  const turns = [{ role: 'assistant' as const, content: 'Hi', label: { humor: 1 } }];
  const { turns: kept } = dropLabels({ system: '', turns }, schema, { label: 0, attribute: 0, partial: 0 }, () => 0.5);
  expect(kept[0]!.label).toEqual({ humor: 1 });
  const goals = new Float32Array(6);
  expect(writeGoals(goals, 0, schema, { humor: 1 })).toBe(1);
  expect([...goals]).toEqual([0, 0, 0, 0, 1, 0]);
});

test('nor does a character or a player', () => {
  const nothing = { attributes: {}, caps: {}, relationship: {} };
  const moved = { effects: [], relationship: 0, preferences: {} };
  expect(moodOf(schema, nothing, moved, 0)).toEqual({});
  const mood = moodOf(schema, { ...nothing, attributes: { constructor: 1, humor: 1 } }, moved, 0);
  expect(mood.constructor).toMatchObject({ value: 1, contributions: [] });
  const told = [0, 1, 2, 2].map((humor) => ({ up: humor > 1, applied: { humor } }));
  expect(Object.keys(offsetsOf(schema, told))).toEqual(['humor']);
});

test('the one name no record can hold is refused, not dropped', () => {
  const levelsOf = recordOf(z.string(), z.number());
  expect(levelsOf.parse({ constructor: 1 })).toEqual({ constructor: 1 });
  const { error } = levelsOf.safeParse(JSON.parse('{"humor": 1, "__proto__": 2}'));
  expect(error?.issues[0]?.path).toEqual(['__proto__']);
});
