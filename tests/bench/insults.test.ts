// The words that insult, in the place that makes them an insult; measured too on the corpus, whose labels know which replies do.
import { describe, expect, it, test } from 'vitest';
import { insultsIn } from '../../bench/insults.ts';
import { badWords } from '../../models/bad-words.ts';
import { generateCorpus } from '../../models/corpus/grammar.ts';
import { WordList } from '../../src/engine/bad-words.ts';

test.each([
  'Fool.',
  'Out, you oaf!',
  'Go away, wretch!',
  "You're a useless lump in expensive boots.",
  'You’re an idiot.',
  'you stupid old cow',
  'You pig, you ate it all!',
  'You pathetic little nuisance.',
  'What a stupid question.',
  'Stupid question.',
  "I'm tired of your silly face already.",
  "I've met ugly mules with more sense than you.",
  'Only a moron would ask.',
  'Even your brother is less of an IDIOT.',
  'Are you really so stupid? You are so very dumb.',
  'Shut up.',
  'Get lost!',
  'Useless\nlump.',
])('%j insults', (line) => {
  expect(insultsIn(line)).not.toEqual([]);
});

test.each([
  "You pig farmer's pigs are fat.",
  'You said the pig was fat.',
  'I sold you a cow.',
  'Not stupid at all.',
  'That is not a stupid question.',
  'There are no stupid questions.',
  "You're not stupid, and I'm no idiot.",
  'Dreams are only the day, told by a fool.',
  'Spring makes fools of us all.',
  'I made a sword for a coward once.',
  'The toad is my partner, and he does all the paperwork.',
  'I dropped my helmet and now it is useless.',
  'A lump of coal, a rat trap and an ass.',
  'People get lost here all the time.',
  'My mother warned me of people like you.',
  'The class will pass the brass.',
  'Scunthorpe has a fine cockpit.',
  'A clodhopper is a boot.',
  'It was a dull day, and the soup was boring.',
  '',
])('%j insults nobody', (line) => {
  expect(insultsIn(line)).toEqual([]);
});

describe('of the replies of the corpus', () => {
  const replies = [...generateCorpus({ seed: 5, conversations: 1500 })].flatMap(({ conversation }) =>
    conversation.turns.flatMap(({ content, label }) => (label ? [{ content, level: label.toxicity! }] : [])),
  );
  const at = (level: number) => replies.filter((reply) => reply.level === level).map(({ content }) => content);
  const insulting = (lines: string[]) => lines.filter((line) => insultsIn(line).length > 0);

  it('finds nearly all that insult and none that are kind', () => {
    const missed = at(3).filter((line) => insultsIn(line).length === 0);
    expect(missed.length / at(3).length, missed[0]).toBeLessThan(0.02);
    expect(insulting(at(0))).toEqual([]);
  });

  it("each that insults holds a word of the shipped card's list, which is another one", () => {
    const list = new WordList(badWords.toxicity!.words);
    expect(insulting(replies.map(({ content }) => content)).filter((line) => !list.isIn(line))).toEqual([]);
  });
});
