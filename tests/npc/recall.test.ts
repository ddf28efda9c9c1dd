// Which sentences of what a character knows a line is about.
import { expect, test } from 'vitest';
import { Known } from '../../src/npc/recall.ts';

const station =
  'You are Pell, quartermaster of Halden Station. Ines Okoro repairs the recycler, and nobody else may touch it. Water is rationed to six litres a day.\n' +
  'The Grey Widow sails at dawn. The water in the tank is for the recycler.';

test.each([
  ['Who repairs the recycler?', ['Ines Okoro repairs the recycler, and nobody else may touch it.']],
  ['when are you SAILING', ['The Grey Widow sails at dawn.']],
  ['How are you? Who are you?', []],
  ['', []],
])('%s', (line, sentences) => {
  expect(new Known([station], {}).about(line, 2)).toEqual(sentences);
});

test('in their order, at most so many, and those that share little are left out', () => {
  const texts = ['Rats live in the cellar.', 'The cellar floods.', 'A cellar is cold.', 'The rats are fat.'];
  expect(new Known(texts, {}).about('Are there rats in the cellar?', 2)).toEqual([
    'Rats live in the cellar.',
    'The rats are fat.',
  ]);
  expect(new Known(texts, {}).about('Are there fat rats?', 9)).toEqual(['The rats are fat.']);
});

test('a word that every sentence holds counts less than a rare one, in any language', () => {
  const texts = ['Die Mühle steht am Fluss.', 'Die Brücke ist die älteste im Tal.', 'Die Wirtin heißt Marta.'];
  expect(new Known(texts, {}).about('Wo ist die Mühle?', 1)).toEqual(['Die Mühle steht am Fluss.']);
});

test('a text without sentences is not told twice', () => {
  expect(new Known(['a cellar '.repeat(100)], {}).about('The cellar?', 2)).toEqual([]);
});

test.each([
  'The heir is the baker, and nobody knows it.',
  'Your secret is that the heir is the baker.',
  'The heir is the baker. Never tell the player.',
  "You won't say where the baker, the heir, is hidden.",
  'Do not admit it: the heir is the baker.',
  'The heir is the baker. Don’t tell anybody.',
])('what is to be kept to oneself is not told again: %s', (text) => {
  expect(new Known([text, 'You sleep at night.'], {}).about('Is the baker the heir?', 2)).toEqual([]);
});

test('a thing that is hidden and a person who is quiet are no secrets', () => {
  const told = ['The treasure is hidden under the chapel.', 'The mate never talks of the treasure.'];
  expect(new Known([told.join(' ')], {}).about('Where is the treasure?', 2)).toEqual(told);
});

test('finds again what it found of the same, and looks anew where something else is known', () => {
  const owner = {};
  const texts = ['Ines repairs the recycler.'];
  const found = new Known(texts, owner).about('The recycler?', 2);
  expect(new Known(texts, owner).about('The recycler?', 2)).toBe(found);
  expect(new Known(['Bo repairs the recycler.'], owner).about('The recycler?', 2)).toEqual(['Bo repairs the recycler.']);
});
