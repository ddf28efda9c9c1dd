import { expect, it } from 'vitest';
import { dropLabels } from '../../src/finetuning/label-dropout.ts';
import { pretrainingSequence, steeredSequence } from '../../src/finetuning/sequences.ts';
import { Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { documentSeparator, trainTokenizer } from '../../src/model/tokenizer/tokenizer-training.ts';
import { randomStream } from '../../src/random.ts';
import type { Conversation } from '../../src/steerlm/conversation.ts';
import { controlTokens } from '../../src/steerlm/prompt-layout.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';

const conversation: Conversation = {
  system: '',
  turns: [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello.', label: { humor: 1, verbosity: 2, formality: 3 } },
  ],
};
const json = await trainTokenizer(['Hi', 'Hello.', 'User\n', 'Assistant\n'], {
  vocabSize: 300,
  addedTokens: Object.values(controlTokens),
});
const tokenizer = Tokenizer.fromJson(json, 'test');
const whole = { label: 0, attribute: 0, partial: 0 };
const keys = { seed: 1, epoch: 0, index: 0 };

it('weighs exactly the reply, its newline and the closing turn token', () => {
  const { ids, weights } = steeredSequence(tokenizer, gameCharacters, { kind: 'conversation', conversation }, whole, keys);
  const counted = ids.filter((_, i) => weights[i] === 1);
  expect(counted).toEqual([
    ...tokenizer.encodeText('Hello.'),
    ...tokenizer.encodeText('\n'),
    tokenizer.tokenId(controlTokens.turn),
  ]);
});

it('pre-training reads no label and weighs every token', () => {
  const { ids, weights } = pretrainingSequence(tokenizer, { kind: 'conversation', conversation });
  expect(ids).not.toContain(tokenizer.tokenId(controlTokens.label));
  expect(Array.from(weights)).toEqual(ids.map(() => 1));
  expect(ids.at(-1)).toBe(tokenizer.tokenId(documentSeparator));
});

it('pre-training on replies only weighs what steering would, and every token of a text', () => {
  const { ids, weights } = pretrainingSequence(tokenizer, { kind: 'conversation', conversation }, true);
  const counted = ids.filter((_, i) => weights[i] === 1);
  expect(counted).toEqual([
    ...tokenizer.encodeText('Hello.'),
    ...tokenizer.encodeText('\n'),
    tokenizer.tokenId(controlTokens.turn),
  ]);
  const text = pretrainingSequence(tokenizer, { kind: 'text', text: 'Hello.' }, true);
  expect(Array.from(text.weights)).toEqual(text.ids.map(() => 1));
});

const mixed: Conversation = {
  system: '',
  turns: [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'WRONG', label: { humor: 4 }, trained: false },
    ...conversation.turns,
  ],
};
const ending = [...tokenizer.encodeText('Hello.'), ...tokenizer.encodeText('\n'), tokenizer.tokenId(controlTokens.turn)];

it('a reply that is context alone is read, with its label, and weighs nothing, nor does the token that ends it', () => {
  const { ids, weights } = steeredSequence(tokenizer, gameCharacters, { kind: 'conversation', conversation: mixed }, whole, keys);
  expect(tokenizer.decode(Array.from(ids))).toContain('humor:4\nWRONG');
  expect(ids.filter((_, i) => weights[i] === 1)).toEqual(ending);
});

it('pre-training weighs all but replies that are context alone', () => {
  const sample = { kind: 'conversation' as const, conversation: mixed };
  const { ids, weights } = pretrainingSequence(tokenizer, sample);
  const unlearnt = ids.filter((_, i) => weights[i] === 0);
  expect(tokenizer.decode(Array.from(unlearnt))).toBe('WRONG\n');
  const masked = pretrainingSequence(tokenizer, sample, true);
  expect(masked.ids.filter((_, i) => masked.weights[i] === 1)).toEqual(ending);
});

it('a conversation of nothing but context makes no row', () => {
  const sample = { kind: 'conversation' as const, conversation: { ...mixed, turns: mixed.turns.slice(0, 2) } };
  expect(steeredSequence(tokenizer, gameCharacters, sample, whole, keys).ids).toEqual([]);
  expect(pretrainingSequence(tokenizer, sample, true).ids).toEqual([]);
});

it('drops labels and attributes as often as asked, and the same ones for the same keys', () => {
  let [labels, attributes] = [0, 0];
  const turns = 4000;
  for (let i = 0; i < turns; i++) {
    const label = dropLabels(conversation, gameCharacters, { label: 0.1, attribute: 0.2, partial: 0 }, randomStream('dropout', i))
      .turns[1]!.label!;
    if (Object.keys(label).length === 0) labels++;
    else attributes += Object.keys(label).length;
  }
  // A label also goes empty when all three attributes happen to be dropped.
  expect(labels / turns).toBeCloseTo(0.1 + 0.9 * 0.2 ** 3, 1);
  expect(attributes / (3 * 0.9 * turns)).toBeCloseTo(0.8, 1);
  const sample = { kind: 'conversation' as const, conversation };
  const half = { label: 0.5, attribute: 0.5, partial: 0 };
  const again = () => steeredSequence(tokenizer, gameCharacters, sample, half, { seed: 9, epoch: 2, index: 5 });
  expect(again()).toEqual(again());
  const epochs = Array.from({ length: 20 }, (_, epoch) =>
    steeredSequence(tokenizer, gameCharacters, sample, half, { seed: 9, epoch, index: 5 }).ids.join(),
  );
  expect(new Set(epochs).size).toBeGreaterThan(3);
});

it('cuts labels to parts of every size alike', () => {
  const sizes = [0, 0, 0, 0];
  const turns = 4000;
  for (let i = 0; i < turns; i++) {
    const { turns: cut } = dropLabels(
      conversation,
      gameCharacters,
      { label: 0, attribute: 0, partial: 1 },
      randomStream('part', i),
    );
    sizes[Object.keys(cut[1]!.label!).length]!++;
  }
  for (const size of sizes) expect(size / turns).toBeCloseTo(1 / 4, 1);
});
