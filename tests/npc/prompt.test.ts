// What a character reads before a line: names filled in, facts called for, and what gives way where not all of it fits.
import { describe, expect, test } from 'vitest';
import { checkFits, measureCharacter } from '../../src/npc/fit.ts';
import { type Encoder, layOutMemory } from '../../src/npc/prompt.ts';
import { beginState, type SessionState } from '../../src/npc/session-state.ts';
import type { Turn } from '../../src/steerlm/conversation.ts';
import { layOutPrompt, type Piece } from '../../src/steerlm/prompt-layout.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import { character } from './marta.ts';

/** One token a word. */
const modelOf = (contextLength: number): Encoder => ({
  schema: gameCharacters,
  chat: 'labels',
  mixes: true,
  layOut: async (conversation, label) => layOutPrompt(gameCharacters, conversation, label),
  contextLength,
  encode: (pieces: Piece[]) =>
    pieces.flatMap((piece) => ('text' in piece ? piece.text.split(/\s+/).filter(Boolean) : ['x'])).map((_, i) => i),
});
const speakers = { char: 'Marta', user: 'Ann', seed: 5 };
const said = (count: number): Turn[] =>
  Array.from({ length: count }, (_, i) => [
    { role: 'user' as const, content: `question ${i} of ten words that are here to count` },
    { role: 'assistant' as const, content: `answer ${i} of ten words that are here to count` },
  ]).flat();
const stateOf = (turns: Turn[], notes: string[] = []): SessionState => ({
  ...beginState({ relationship: 0, preferences: {} }),
  turns: [...turns, { role: 'user', content: 'And now?' }],
  notes: notes.map((text) => ({ text })),
});
const about = character({
  persona: '{{char}} talks to {{user}}.',
  examples: [{ player: 'An example for {{char}}', npc: 'First voice.' }, { npc: 'Second voice.' }],
  lineTokens: 20,
});
const read = async (context: number, state: SessionState, fields = {}) => {
  const { conversation, leftOut } = await layOutMemory(modelOf(context), { ...about, ...fields }, state, {}, speakers);
  const { system, turns } = conversation;
  return { system, said: turns.map(({ content }) => content).join(' | '), leftOut };
};

test('everything where it fits, with both names', async () => {
  const { system, said: text } = await read(2_000, stateOf(said(2), ['{{user}} paid.']));
  expect(system).toBe('Marta talks to Ann.\nAnn paid.');
  expect(text).toMatch(/^An example for Marta \| First voice\. \| Second voice\. \| question 0 .* \| answer 1 .* \| And now\?$/);
});

describe('where it does not fit', () => {
  test('examples go first, then the oldest exchanges, three at a time, then notes; the last line stays', async () => {
    const state = stateOf(said(8), ['a note of some length that takes a few words more']);
    const fits = await Promise.all([320, 290, 260, 220, 180, 140, 100, 70, 50].map((context) => read(context, state)));
    const shown = fits.map(({ system, said: text }) => [
      text.includes('voice'),
      8 - (/question (\d)/.exec(text)?.[1] === undefined ? 8 : Number(/question (\d)/.exec(text)![1])),
      system.includes('note'),
    ]);
    expect(shown.map(([voice]) => voice).lastIndexOf(true)).toBeLessThan(shown.findIndex(([, kept]) => kept !== 8));
    expect(new Set(shown.map(([, kept]) => kept))).toEqual(new Set([8, 5, 2, 0]));
    expect(shown.filter(([, , note]) => !note).every(([, kept]) => kept === 0)).toBe(true);
    for (const { said: text } of fits) expect(text).toMatch(/And now\?$/);
  });

  test('a budget of memory forgets exchanges and leaves the examples', async () => {
    const { said: text } = await read(2_000, stateOf(said(8)), { memoryTokens: 60 });
    expect(text).toContain('First voice.');
    expect(text).not.toContain('question 0');
    expect((await read(2_000, stateOf([]), { memoryTokens: 1 })).said).toMatch(/And now\?$/);
  });

  test('facts that do not fit beside the persona give way, the last first, then examples; how many is told', async () => {
    const facts = Array.from({ length: 10 }, (_, i) => ({ content: `fact${i} ${'word '.repeat(9)}`, keys: [] }));
    const of = (context: number, turns: Turn[] = []) => read(context, stateOf(turns, ['a note']), { facts });
    for (const { context, kept, voices, leftOut } of [
      { context: 400, kept: 10, voices: 2, leftOut: {} },
      { context: 110, kept: 6, voices: 2, leftOut: { facts: 4 } },
      { context: 44, kept: 0, voices: 1, leftOut: { facts: 10, examples: 1 } },
      { context: 34, kept: 0, voices: 0, leftOut: { facts: 10, examples: 2 } },
    ]) {
      const { system, said: text, leftOut: told } = await of(context);
      expect([...system.matchAll(/fact(\d)/g)].map(([, i]) => Number(i))).toEqual(Array.from({ length: kept }, (_, i) => i));
      expect(text.match(/voice/g)?.length ?? 0).toBe(voices);
      expect(told).toEqual({ facts: 0, examples: 0, exchanges: 0, notes: told.notes, ...leftOut });
    }
    // What has been said takes nothing more from the facts.
    const { system, leftOut } = await of(160, said(8));
    expect([system.includes('fact9'), leftOut.facts, leftOut.examples > 0, leftOut.exchanges > 0]).toEqual([true, 0, true, true]);
  });

  test('a character is measured part by part, however large', async () => {
    const greeting = 'one two three';
    const many = Array.from({ length: 300 }, () => ({ content: 'word '.repeat(50), keys: ['k'] }));
    const facts = [{ content: 'four words are here', keys: [] }, { content: 'word '.repeat(300), keys: [] }, ...many];
    const measured = await measureCharacter(modelOf(200), { ...about, greeting, facts }, speakers);
    expect(measured).toMatchObject({ context: 200, line: 20, persona: 4, greeting: 3, examples: 8, fits: true });
    expect(measured.leftOut).toEqual({ facts: 1, examples: 0 });
    // A text is counted in slices, and a word that is cut counts twice.
    expect(measured.facts).toBeGreaterThanOrEqual(304);
    expect(measured.facts).toBeLessThan(320);
    expect(measured.keyedFacts).toBeGreaterThanOrEqual(15_000);
    const tooMuch = await measureCharacter(modelOf(100), { ...about, persona: 'word '.repeat(100) }, speakers);
    expect(tooMuch).toMatchObject({ fits: false, persona: 100 });
  });

  test('a persona that leaves no room is refused', async () => {
    const persona = 'word '.repeat(100);
    await expect(checkFits(modelOf(100), { ...about, persona }, speakers)).rejects.toThrow(
      expect.objectContaining({ code: 'context_length_exceeded', details: { param: 'persona' } }),
    );
    await checkFits(modelOf(200), { ...about, persona }, speakers);
  });
});

test('what an event says is told as text, whatever it holds, and a note keeps the name the player had then', async () => {
  const note = {
    text: '{{user}} brought {{what}} for {{char}}.',
    data: { what: '{{roll:6}} <USER> {{// no}}' },
    playerName: 'Bob',
  };
  expect((await read(2_000, { ...stateOf([]), notes: [note] })).system).toBe(
    'Marta talks to Ann.\nBob brought {roll:6} <USER> {// no} for Marta.',
  );
  const own = { text: '{{char}}, {{ char }}, {{CHAR}}: {{constructor}}.', data: { char: 'a {{user}}' } };
  expect((await read(2_000, { ...stateOf([]), notes: [own] })).system).toContain('a {user}, a {user}, Marta: .');
});

test('lines that were never answered give way like others, the oldest first; the line now said stays', async () => {
  const unanswered = Array.from({ length: 200 }, (_, i): Turn => ({ role: 'user', content: `unanswered ${i} of some words` }));
  const { said: text, leftOut } = await read(200, stateOf(unanswered));
  expect(text).toMatch(/^unanswered \d+ of some words\n[^|]*unanswered 199 of some words\nAnd now\?$/);
  expect(leftOut.exchanges).toBeGreaterThan(100);
  expect((await read(2_000, stateOf(unanswered), { memoryTokens: 50 })).said).toMatch(/words\nAnd now\?$/);
  await expect(read(60, stateOf([{ role: 'user', content: 'short' }]), { persona: 'word '.repeat(60) })).rejects.toThrow(
    expect.objectContaining({ code: 'context_length_exceeded' }),
  );
});

test('a session longer than what is kept of it forgets three exchanges at a time too', async () => {
  const starts = await Promise.all(
    Array.from({ length: 7 }, async (_, more) => {
      const turns = said(110 + more).slice(-99 * 2);
      const { said: text } = await read(400, { ...stateOf(turns), heard: 111 + more });
      return Number(/question (\d+)/.exec(text)![1]);
    }),
  );
  expect(new Set(starts).size).toBe(3);
  for (const start of starts) expect(start % 3).toBe(0);
});

test('facts are told when a recent line calls for them', async () => {
  const facts = [
    { content: 'Always.', keys: [] },
    { content: 'Cellar.', keys: ['CELLAR'] },
    { content: 'Rats.', keys: ['cellar'], also: ['rat'] },
  ];
  const ask = async (...lines: string[]) =>
    (await read(2_000, stateOf(lines.map((content) => ({ role: 'user', content }))), { facts })).system;
  expect(await ask('Hello')).toBe('Marta talks to Ann.\nAlways.');
  expect(await ask('The cellar?')).toBe('Marta talks to Ann.\nAlways.\nCellar.');
  expect(await ask('Rats in the cellar?')).toBe('Marta talks to Ann.\nAlways.\nCellar.\nRats.');
});
