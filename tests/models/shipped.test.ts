// The shipped models load, speak, listen, and obey every attribute on prompts whose wording training never saw.
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateCorpus } from '../../models/corpus/grammar.ts';
import { measureListening, measureRecall, measureSaid } from '../../models/measure/grounding.ts';
import { type Asked, asRequests, everyLevel, followed, heldOutPrompts, repliesTo } from '../../models/measure/steerability.ts';
import * as recipes from '../../models/recipes.ts';
import { saysTwice } from '../../src/evaluation/steering/text-health.ts';
import type { LanguageModel } from '../../src/generation/language-model.ts';
import { openLanguageModel } from '../../src/generation/steered-model.ts';
import { readModelCard } from '../../src/model/model-folder.ts';
import { chatTemplate } from '../../src/model/tokenizer/label-template.ts';
import { Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { openPredictor } from '../../src/predictor/open.ts';
import type { Predictor } from '../../src/predictor/predictor.ts';
import { mean, spearman } from '../../src/statistics.ts';
import type { Conversation } from '../../src/steerlm/conversation.ts';

const models = fileURLToPath(new URL('../../models', import.meta.url));
const signal = new AbortController().signal;
const words = (text: string): number => text.split(/\s+/).filter(Boolean).length;

let model: LanguageModel;
let predictor: Predictor;
beforeAll(async () => {
  model = await openLanguageModel(`${models}/npc`, { threads: 2 });
  predictor = await openPredictor(`${models}/npc-predictor`, { threads: 2 });
});
afterAll(async () => {
  await model.dispose();
  await predictor.dispose();
});

it('says on every card what it is, and how to fetch another', async () => {
  for (const name of Object.values(recipes.models)) {
    expect((await readModelCard(`${models}/${name}`)).description, name).toBe(recipes.description);
  }
  expect(recipes.description).toContain('npx steer pull smollm2-135m');
});

it('is small enough to ship', () => {
  const files = readdirSync(models, { recursive: true, encoding: 'utf8' }).map((name) => statSync(`${models}/${name}`));
  expect(files.reduce((total, file) => total + (file.isFile() ? file.size : 0), 0)).toBeLessThan(60e6);
});

it('listens: a reply is likelier after the line it answers than after another', async () => {
  const { right, wrong } = await measureListening(`${models}/npc`, 60);
  expect(wrong - right).toBeGreaterThan(0.1);
});

it('knows who it is: what its own system turn states is likelier than what another states', async () => {
  for (const { fact, likelier } of await measureRecall(`${models}/npc`, 60)) expect(likelier, fact).toBeGreaterThan(0.9);
});

it('says who it is when it is asked', async () => {
  // Where they are is answered with the house alone at times.
  for (const [fact, share] of await measureSaid(model, 60)) expect(share, fact).toBeGreaterThan(fact === 'town' ? 0.7 : 0.9);
});

describe('asked for each level of one attribute, the others at their defaults', () => {
  const prompts = heldOutPrompts(16);
  let asked: Asked[];
  let replies: string[];
  beforeAll(async () => {
    asked = everyLevel(prompts, model.schema.attributes);
    replies = await repliesTo(model, asRequests(asked));
  });

  it('obeys every attribute, by the predictor', async () => {
    const ways = await followed(predictor, asked, replies);
    for (const [name, { spearman }] of ways) expect(spearman, name).toBeGreaterThan(name === 'verbosity' ? 0.8 : 0.45);
  });

  it('says more at verbosity 4 than at 0', () => {
    const at = (level: number) =>
      mean(replies.filter((_, i) => asked[i]!.attribute === 'verbosity' && asked[i]!.value === level).map(words));
    expect(at(0)).toBeLessThan(8);
    expect(at(4)).toBeGreaterThan(4 * at(0));
  });

  it('says a sentence of its own again in fewer than one reply of ten', () => {
    expect(mean(replies.map((text) => Number(saysTwice(text))))).toBeLessThan(0.1);
  });

  it('never writes a label', () => {
    for (const text of replies)
      expect(text).not.toMatch(/extra_id|\b(?:helpfulness|humor|creativity|verbosity|toxicity|formality):\d/);
  });
});

it('the predictor ranks held-out replies as their labels do', async () => {
  const rated: { conversation: Conversation; label: Record<string, number> }[] = [];
  for (const { conversation, split } of generateCorpus({ seed: 78, conversations: 2500 })) {
    const first = conversation.turns.slice(0, 2);
    if (split === 'validation') rated.push({ conversation: { ...conversation, turns: first }, label: first[1]!.label! });
  }
  const scores = await predictor.score(
    rated.map(({ conversation }) => conversation),
    signal,
  );
  for (const { name } of predictor.schema.attributes) {
    const pairs = rated.map(({ label }, i) => [label[name]!, scores[i]!.attributes[name]!.value] as const);
    expect(
      spearman(
        pairs.map(([label]) => label),
        pairs.map(([, value]) => value),
      ),
      name,
    ).toBeGreaterThan(0.6);
  }
});

it('tells other engines how it is asked', async () => {
  const [card, tokenizer] = [await readModelCard(`${models}/npc`), await Tokenizer.open(`${models}/npc`)];
  expect(tokenizer.chatTemplate).toBe(chatTemplate(card.attributeSchema!, tokenizer.specialSpellings));
});
