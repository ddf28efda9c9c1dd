// What a character does with a line where the context has no room to ask.
import { expect, test } from 'vitest';
import { chooseAction } from '../../src/npc/choose-action.ts';
import { ParrotModel } from '../http/small-models.ts';

const conversation = { system: 'You are Oda.', turns: [{ role: 'user' as const, content: 'Halt!' }] };
const actionsOf = (count: number, when: string) => Array.from({ length: count }, (_, i) => ({ name: `act-${i}`, when }));

test.each([
  ['does not fit', 5],
  ['no encoder would read', 64],
])('a question that %s is not asked, and the line is said without an action', async (_, count) => {
  const model = new ParrotModel();
  const situation = { conversation, label: {}, actions: actionsOf(count, 'x'.repeat(200)) };
  expect(await chooseAction(model, situation, 'Aye.', new AbortController().signal)).toBeUndefined();
  expect(model.requests).toEqual([]);
  await chooseAction(model, { ...situation, actions: actionsOf(2, 'asked') }, 'Aye.', new AbortController().signal);
  expect(model.requests).toHaveLength(1);
});
