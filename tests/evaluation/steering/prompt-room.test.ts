// Room for a reply: what fits, what is refused, and what is left out where words take the place of a label.
import { expect, test } from 'vitest';
import { leavesRoom, makeRoom, type Reader } from '../../../src/evaluation/steering/prompt-room.ts';
import type { AttributeSchema } from '../../../src/steerlm/attributes.ts';
import type { Conversation } from '../../../src/steerlm/conversation.ts';
import { layOutPrompt, spellPieces } from '../../../src/steerlm/prompt-layout.ts';

const schema: AttributeSchema = {
  name: 'tone',
  version: 1,
  attributes: [{ name: 'humor', aliases: [], description: '', levels: ['none', 'some'], default: null, cap: 1 }],
};
const talk: Conversation = {
  system: 'You keep an inn.',
  turns: [
    { role: 'user', content: 'First line.' },
    { role: 'assistant', content: 'First reply.' },
    { role: 'user', content: 'Second line.' },
    { role: 'assistant', content: 'Second reply.' },
    { role: 'user', content: 'Last line.' },
  ],
};
const asking = { label: {}, maxTokens: 10 };

const layOut: Reader['layOut'] = async (conversation, label) => layOutPrompt(schema, conversation, label);
const labelled = { schema, chat: 'labels' as const, layOut };

/** A token for each character. */
function readerOf(contextLength: number): Reader {
  return { ...labelled, contextLength, encode: (pieces) => [...spellPieces(pieces)].map(() => 1) };
}

/** Least context in which the last `kept` turns have room. */
async function lengthOf(kept: number): Promise<number> {
  const some = { ...talk, turns: talk.turns.slice(-kept) };
  let length = 0;
  while (!(await leavesRoom(readerOf(length), some, asking))) length++;
  return length;
}

test('a prompt fits to the token, and one that is refused does not', async () => {
  const length = await lengthOf(5);
  expect(await leavesRoom(readerOf(length), talk, { ...asking, maxTokens: 11 })).toBe(false);
  const refusing: Reader = {
    ...labelled,
    contextLength: 10_000,
    encode: () => {
      throw new Error('too long');
    },
  };
  expect(await leavesRoom(refusing, talk, asking)).toBe(false);
});

test('words that stand for levels take room too', async () => {
  const reader: Reader = { ...readerOf(await lengthOf(5)), chat: 'messages' };
  expect(await leavesRoom(reader, talk, asking)).toBe(true);
  expect(await leavesRoom(reader, talk, { ...asking, label: { humor: 1 } })).toBe(false);
});

test('whole exchanges are left out, the oldest first, and no more than must be', async () => {
  expect(await makeRoom(readerOf(await lengthOf(5)), talk, asking)).toEqual(talk);
  expect((await makeRoom(readerOf((await lengthOf(5)) - 1), talk, asking)).turns).toEqual(talk.turns.slice(2));
  expect((await makeRoom(readerOf((await lengthOf(3)) - 1), talk, asking)).turns).toEqual(talk.turns.slice(4));
});

test('the last line stays, and the system text, even where it has no room', async () => {
  expect(await makeRoom(readerOf(3), talk, asking)).toEqual({ ...talk, turns: talk.turns.slice(4) });
});
