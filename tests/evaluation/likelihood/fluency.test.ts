// Perplexity of replies and what steering costs in it, by hand; and the reader against likelihoods of the same tokens.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { meanNlls, openFluency, perplexityCost, perplexityOf } from '../../../src/evaluation/likelihood/fluency.ts';
import { unlabelledReply } from '../../../src/evaluation/likelihood/reply-sequence.ts';
import { openTokenLikelihood } from '../../../src/evaluation/likelihood/token-likelihood.ts';
import { randomStream } from '../../../src/random.ts';
import type { Conversation } from '../../../src/steerlm/conversation.ts';
import { smallTokenizer } from '../../model/tokenizer/small-tokenizer.ts';
import { writeTinyModel } from '../../tiny-model.ts';

test('perplexity weighs replies by their length, and the cost is a ratio', () => {
  const replies = [
    { group: 'a', nats: 2, tokens: 1 },
    { group: 'b', nats: 4, tokens: 5 },
  ];
  const found = perplexityOf(replies);
  expect(found).toMatchObject({ replies: 2, tokens: 6, nll: { value: 1 } });
  expect(found.perplexity.value).toBeCloseTo(Math.E, 12);
  const reference = [
    { group: 'a', nats: 1, tokens: 2 },
    { group: 'b', nats: 2, tokens: 4 },
  ];
  expect(perplexityCost(replies, reference).value).toBeCloseTo(Math.exp(0.5) - 1, 12);
  expect(perplexityCost(reference, reference)).toEqual({ value: 0, low: 0, high: 0 });
});

test('replies to the same prompts are drawn together', () => {
  const random = randomStream('fluency');
  // Prompts differ much, the two replies to each hardly.
  const hard = Array.from({ length: 80 }, () => 10 * random());
  const row = (nats: number, group: string) => ({ group, nats, tokens: 5 });
  const written = hard.map((nats, i) => row(nats * 1.1, `${i}`));
  const cost = (name: string) =>
    perplexityCost(
      written,
      hard.map((nats, i) => row(nats, `${name}${i}`)),
    );
  const [paired, apart] = [cost(''), cost('other ')];
  expect(paired.value).toBeCloseTo(apart.value, 12);
  expect(apart.high - apart.low).toBeGreaterThan(3 * (paired.high - paired.low));
});

test('a reader sees the text of the reply and no label; what is empty or too long has no tokens', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'steer-fluency-'));
  await writeTinyModel(folder, { kind: 'base', name: 'plain', contextLength: 128 });
  const say = (content: string, label = {}): Conversation => ({
    system: 'A gate.',
    turns: [
      { role: 'user', content: 'Is it shut?' },
      { role: 'assistant', content, label },
    ],
  });
  const conversations = [
    say('It is shut.'),
    say('It is shut.', { humor: 4 }),
    say(''),
    say('It is shut. '.repeat(40)),
    say('No.'),
  ];
  const reader = await openFluency(folder, { threads: 1 });
  const found = await reader.read(conversations);
  const likelihood = await openTokenLikelihood(folder, { threads: 1 });
  const [expected] = await likelihood.score([unlabelledReply(smallTokenizer, conversations[0]!)]);
  await likelihood.dispose();
  expect(reader.id).toBe('plain');
  expect(found[0]!.nats).toBeCloseTo(expected!.nats, 4);
  expect(found[0]!.tokens).toBe(smallTokenizer.encodeText('It is shut.').length);
  expect(found[1]).toEqual(found[0]);
  expect([found[2]!.tokens, found[3]!.tokens]).toEqual([0, 0]);
  const means = await meanNlls(reader, conversations);
  expect(means[4]).toBeCloseTo(found[4]!.nats / found[4]!.tokens, 6);
  expect(means[2]).toBeNaN();
  await reader.dispose();
  await rm(folder, { recursive: true });
});
