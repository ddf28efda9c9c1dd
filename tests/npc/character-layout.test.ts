// How a character is told to a model that is asked in a chat template of its own.
import { describe, expect, test } from 'vitest';
import { layOutAsked } from '../../src/generation/steered-prompt.ts';
import { lineLabel } from '../../src/npc/character-layout.ts';
import { checkFits } from '../../src/npc/fit.ts';
import { moodOf } from '../../src/npc/mood.ts';
import { type Encoder, layOutMemory } from '../../src/npc/prompt.ts';
import { beginState } from '../../src/npc/session-state.ts';
import type { Label } from '../../src/steerlm/attributes.ts';
import type { Turn } from '../../src/steerlm/conversation.ts';
import { spellPieces } from '../../src/steerlm/prompt-layout.ts';
import { everyday, gameCharacters } from '../../src/steerlm/schemas.ts';
import { character } from './marta.ts';

/** Four letters a token, as of English text. */
const modelOf = (contextLength: number, schema = everyday): Encoder => ({
  ...{ schema, chat: 'template', mixes: true, contextLength },
  layOut: async ({ system, turns }) => {
    const told = [{ role: 'system', content: system }, ...turns].map(({ role, content }) => `<${role}>\n${content}\n`);
    return [{ text: `${told.join('')}<assistant>\n`, trained: false }];
  },
  encode: (pieces) => Array.from({ length: Math.ceil(spellPieces(pieces).length / 4) }, (_, i) => i),
});
const speakers = { char: 'Pell', user: 'Ann', seed: 5 };
const pell = character({
  name: 'Pell',
  persona: '{{char}} keeps the stores. Ines Okoro repairs the recycler. Water is short.',
  facts: [
    { content: 'The ship is late.', keys: [] },
    { content: 'The code is 7741.', keys: ['code'] },
  ],
});
const heard = (content: string): Turn => ({ role: 'user', content });
const said = (content: string): Turn => ({ role: 'assistant', content });

async function read(turns: Turn[], { label = {} as Label, context = 2_048, fields = {}, notes = ['{{user}} paid.'] } = {}) {
  const model = modelOf(context);
  const state = { ...beginState({ relationship: 0, preferences: {} }), turns, notes: notes.map((text) => ({ text })) };
  const { asked, conversation, leftOut } = await layOutMemory(model, { ...pell, ...fields }, state, label, speakers);
  return { asked, conversation, leftOut, prompt: spellPieces(await layOutAsked(model, asked, label)) };
}

const system =
  'You are Pell. Pell keeps the stores. Ines Okoro repairs the recycler. Water is short.\nThe ship is late.\nAnn paid.';

test.each([
  ['Hello. Who are you?', '\n\nYour name is Pell.'],
  ['What is your name?', '\n\nYour name is Pell.'],
  ['And who’re you, the one with the stores?', '\n\nPell keeps the stores. Your name is Pell.'],
  ['Who sent you?', ''],
])('a character that is asked who it is finds its name beside the question: %s', async (question, told) => {
  const { asked } = await read([heard(question)]);
  expect(asked.turns).toEqual([heard(`${question} Answer in one or two short sentences.${told}`)]);
});

test('what stays is told first, what the last words call for beside them, and it is remembered as it was said', async () => {
  const { asked, conversation } = await read([heard('Hello.'), said('Hm.'), heard('Who repairs the recycler? And the code?')]);
  expect(asked).toEqual({
    system,
    turns: [
      heard('Hello. Answer in one or two short sentences.'),
      said('Hm.'),
      heard(
        'Who repairs the recycler? And the code? Answer in one or two short sentences.\n\nInes Okoro repairs the recycler. The code is 7741.',
      ),
    ],
  });
  expect(conversation.system).toBe(
    'Pell keeps the stores. Ines Okoro repairs the recycler. Water is short.\nThe ship is late.\nThe code is 7741.\nAnn paid.',
  );
  expect(conversation.turns.at(-1)).toEqual(heard('Who repairs the recycler? And the code?'));
});

test('a prompt goes on from the one before it, with what was told beside the words of then', async () => {
  const talk = [
    heard('Who repairs the recycler?'),
    said('Ines.'),
    heard('Is water short?'),
    said('It is.'),
    heard('Who are you?'),
  ];
  const prompts = await Promise.all([1, 3, 5].map(async (turns) => (await read(talk.slice(0, turns))).prompt));
  expect(prompts[1]!.startsWith(`${prompts[0]}Ines.\n<user>\n`)).toBe(true);
  expect(prompts[2]!.startsWith(`${prompts[1]}It is.\n<user>\n`)).toBe(true);
  expect(prompts[2]).toContain(
    '<user>\nWho repairs the recycler? Answer in one or two short sentences.\n\nInes Okoro repairs the recycler.\n<assistant>\nInes.',
  );
  const { conversation } = await read(talk);
  expect(conversation.turns).toEqual(talk);
});

test('what keys called for goes along with the last words, and the prompt goes on from there', async () => {
  const first = await read([heard('The code?')]);
  const second = await read([heard('The code?'), said('7741.'), heard('Is the recycler well?')]);
  const shared = first.prompt.slice(0, first.prompt.indexOf('sentences.') + 'sentences.'.length);
  expect(second.prompt.startsWith(shared)).toBe(true);
  expect(second.prompt).toContain('\n<assistant>\n7741.\n<user>\nThe code is 7741.\n\nIs the recycler well? Answer');
});

test('what earlier words called for stands before the last ones', async () => {
  const { asked } = await read([heard('The code?'), said('7741.'), heard('Is it cold outside?')]);
  expect(asked.turns.at(-1)).toEqual(heard('The code is 7741.\n\nIs it cold outside? Answer in one or two short sentences.'));
});

test('a card that speaks to the character is told as it is', async () => {
  const { asked } = await read([heard('Hello.')], { fields: { persona: 'You are {{char}}, tired.', facts: [] }, notes: [] });
  expect(asked.system).toBe('You are Pell, tired.');
});

test.each([0, 1, 2, 3, 4])('verbosity %i alone says how long a line is to be', async (verbosity) => {
  const { prompt } = await read([heard('Hello.')], { label: { verbosity, humor: 2 } });
  expect(prompt).toMatch(/(sentences?|paragraphs?)\. Tell it with a joke\.\n<assistant>\n$/);
  expect(prompt.match(/sentence|paragraph/g)).toHaveLength(1);
  expect((await read([heard('Hello.')], { label: { humor: 2 } })).prompt).toContain(
    'one or two short sentences.\n\nTell it with a joke',
  );
});

test('a mood in words is the nearest level, and of what nobody speaks of nothing is said', () => {
  const author = character({ attributes: { humor: 0, verbosity: null } });
  const moods = (changes: Label) => {
    const effects = [{ source: 'scene' as const, changes, atS: 0, priority: 0 }];
    return moodOf(gameCharacters, author, { effects, relationship: 0, preferences: {} }, 0);
  };
  const label = (changes: Label) => lineLabel(modelOf(2_048, gameCharacters), author, moods(changes));
  expect(label({})).toEqual({ humor: 0 });
  expect(label({ humor: 1.25, formality: -0.75 })).toEqual({ humor: 1, formality: 1 });
  const labels = { ...modelOf(2_048, gameCharacters), chat: 'labels' as const };
  expect(lineLabel(labels, author, moods({ humor: 1.25 }))).toMatchObject({ humor: 1.25, toxicity: 0, formality: 2 });
  expect(lineLabel({ ...labels, mixes: false }, author, moods({ humor: 1.25 }))).toMatchObject({ humor: 1, toxicity: 0 });
});

describe('what fits', () => {
  const card = `{{char}} is old. ${'The sea took the harbour and gave back only bells. '.repeat(60)}`.slice(0, 3_000);

  test('a card of 3,000 characters with a lorebook and what was said', async () => {
    const facts = Array.from({ length: 8 }, (_, i) => ({
      content: `Fact ${i}: ${'lore of the station '.repeat(10)}`,
      keys: ['bells'],
    }));
    const turns = Array.from({ length: 6 }, (_, i) => [heard(`Question ${i}?`), said(`Answer ${i}.`)]).flat();
    const { asked, leftOut } = await read([...turns, heard('The bells?')], { fields: { persona: card, facts } });
    expect(asked.system).toContain(card.slice(100).trim());
    expect(asked.turns.at(-1)!.content).toMatch(
      /^The bells\? Answer in one or two short sentences\.\n\nThe sea .* bells\. Fact 0.* Fact 7/,
    );
    expect(leftOut).toEqual({ facts: 0, examples: 0, exchanges: 0, notes: 0 });
    await checkFits(modelOf(1_024), { ...pell, persona: card }, speakers);
    await expect(checkFits(modelOf(512), { ...pell, persona: card }, speakers)).rejects.toThrow(
      expect.objectContaining({ code: 'context_length_exceeded', details: { param: 'persona' } }),
    );
  });

  test('what is told a second time gives way first, then facts', async () => {
    const persona = `${card.slice(0, 900)} Ines repairs ${'all the many things of this station and '.repeat(5)}more.`;
    const of = (context: number) => read([heard('Who repairs the code?')], { context, fields: { persona } });
    const shown: unknown[][] = [];
    for (let context = 800; context > 360; context -= 2) {
      const { asked, leftOut } = await of(context).catch(() => ({ asked: undefined, leftOut: undefined }));
      if (!asked) break;
      const near = asked.turns.at(-1)!.content;
      const now = [near.includes('Ines repairs'), near.includes('7741'), leftOut.facts];
      if (JSON.stringify(now) !== JSON.stringify(shown.at(-1))) shown.push(now);
    }
    expect(shown).toEqual([
      [true, true, 0],
      [false, true, 0],
      [false, false, 1],
      [false, false, 2],
    ]);
  });
});
