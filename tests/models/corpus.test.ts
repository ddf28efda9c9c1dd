// The corpus: same seed same text, labels that rules read off the text can confirm, independent levels, honest held-out parts.
import { describe, expect, it } from 'vitest';
import { archetypes } from '../../models/corpus/archetypes.ts';
import { type CorpusItem, generateCorpus, generateExchanges } from '../../models/corpus/grammar.ts';
import { isPairHeldOut, linesOf, valuesOf } from '../../models/corpus/heldout.ts';
import { intents } from '../../models/corpus/intents.ts';
import { inventedNames, inventedTowns, spellName } from '../../models/corpus/invented.ts';
import { drawLookup } from '../../models/corpus/lookups.ts';
import {
  countImageCues,
  countJokeCues,
  countWords,
  formalityOf,
  hasContraction,
  soundsRude,
  verbosityOf,
} from '../../models/corpus/measure.ts';
import { createRandom } from '../../models/corpus/random.ts';
import { drawScene } from '../../models/corpus/scene.ts';
import { items, names, towns } from '../../models/corpus/world.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';

const seed = 20_240_611;
const sample = [...generateCorpus({ seed, conversations: 4000 })];
const attributes = gameCharacters.attributes.map((attribute) => attribute.name);
const replies = sample.flatMap(({ conversation }) =>
  conversation.turns.flatMap(({ role, content, label }) => (role === 'assistant' ? [{ content, label: label ?? {} }] : [])),
);

function level(reply: { label: Record<string, number> }, name: string): number {
  return reply.label[name] ?? Number.NaN;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Pearson correlation of two lists of equal length. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  const product = (x: readonly number[], meanX: number, y: readonly number[], meanY: number) =>
    mean(x.map((value, index) => (value - meanX) * ((y[index] as number) - meanY)));
  return product(a, meanA, b, meanB) / Math.sqrt(product(a, meanA, a, meanA) * product(b, meanB, b, meanB));
}

describe('corpus generator', () => {
  it('gives the same conversations for the same seed and others for another', () => {
    const again = [...generateCorpus({ seed, conversations: 50 })];
    expect(again).toEqual(sample.slice(0, 50));
    expect([...generateCorpus({ seed: seed + 1, conversations: 50 })]).not.toEqual(again);
  });

  it('labels every reply with whole levels of every attribute of the schema', () => {
    for (const { label } of replies) {
      expect(Object.keys(label).toSorted()).toEqual(attributes.toSorted());
      for (const value of Object.values(label)) expect([0, 1, 2, 3, 4]).toContain(value);
    }
  });

  it('alternates user and assistant, one to four exchanges', () => {
    for (const { conversation } of sample) {
      expect(conversation.turns.length).toBeLessThanOrEqual(8);
      expect(conversation.turns.map((turn) => turn.role)).toEqual(
        conversation.turns.map((_, index) => (index % 2 === 0 ? 'user' : 'assistant')),
      );
    }
  });

  it('hardly ever repeats a reply', () => {
    const long = replies.filter((reply) => countWords(reply.content) >= 15).map((reply) => reply.content);
    expect(new Set(long).size).toBe(long.length);
  });
});

describe('text', () => {
  it('has no open slots, double blanks or stray marks', () => {
    for (const { conversation } of sample) {
      const texts = [conversation.system, ...conversation.turns.map((turn) => turn.content)];
      for (const text of texts) expect(text, text).not.toMatch(/[{}]| {2}|undefined|,,|,\.|\s[.,!?]/);
    }
  });

  it('begins sentences with a capital and ends with a mark', () => {
    for (const { content } of replies) {
      expect(content).toMatch(/^[^a-z].*[.!?]$/s);
      expect(content, content).not.toMatch(/[.!?] [a-z]/);
    }
  });
});

describe('labels against rules on the text', () => {
  it('verbosity is the number of words', () => {
    for (const reply of replies) expect(level(reply, 'verbosity')).toBe(verbosityOf(countWords(reply.content)));
  });

  it('formality is what its markers say, and polite speech has no contractions', () => {
    for (const reply of replies) {
      expect(formalityOf(reply.content), reply.content).toBe(level(reply, 'formality'));
      if (level(reply, 'formality') >= 3) expect(hasContraction(reply.content), reply.content).toBe(false);
    }
  });

  it('rude replies hold a rude word, kind ones rarely do', () => {
    for (const reply of replies) if (level(reply, 'toxicity') > 0) expect(soundsRude(reply.content), reply.content).toBe(true);
    const kind = replies.filter((reply) => level(reply, 'toxicity') === 0);
    expect(mean(kind.map((reply) => Number(soundsRude(reply.content))))).toBeLessThan(0.2);
  });

  it.each([
    ['humor', countJokeCues],
    ['creativity', countImageCues],
  ] as const)('%s rises with its cues', (name, count) => {
    const byLevel = [0, 2, 4].map((wanted) =>
      mean(
        replies
          .filter((reply) => level(reply, name) === wanted && countWords(reply.content) >= 15)
          .map((reply) => count(reply.content)),
      ),
    );
    expect(byLevel[1]).toBeGreaterThan((byLevel[0] as number) * 1.3);
    expect(byLevel[2]).toBeGreaterThan((byLevel[1] as number) * 1.1);
  });
});

describe('balance', () => {
  it('shows every level of every attribute in at least 8 % of replies', () => {
    for (const name of attributes) {
      for (const wanted of [0, 1, 2, 3, 4]) {
        expect(mean(replies.map((reply) => Number(level(reply, name) === wanted))), `${name} ${wanted}`).toBeGreaterThan(0.08);
      }
    }
  });

  it('keeps attributes nearly independent', () => {
    for (const [index, first] of attributes.entries()) {
      for (const second of attributes.slice(index + 1)) {
        const r = correlation(
          replies.map((reply) => level(reply, first)),
          replies.map((reply) => level(reply, second)),
        );
        expect(Math.abs(r), `${first} × ${second}, seed ${seed}`).toBeLessThan(0.15);
      }
    }
  });
});

describe('held-out parts', () => {
  const train = sample.filter((item) => item.split === 'train');
  const kept = (reason: string): CorpusItem[] => sample.filter((item) => item.heldOut === reason);

  it('says why for every validation conversation, and never for training', () => {
    for (const item of sample) expect(item.heldOut !== undefined).toBe(item.split === 'validation');
    for (const reason of ['pair', 'persona', 'paraphrase', 'slot', 'draw'])
      expect(kept(reason).length, reason).toBeGreaterThan(10);
  });

  it('keeps held-out pairs out of training, and covers most others', () => {
    const seen = new Set(
      train.flatMap((item) => item.intents.flatMap((turn) => turn.split('+').map((intent) => `${item.archetype} × ${intent}`))),
    );
    const held = archetypes.flatMap(({ name }) =>
      intents.filter((intent) => isPairHeldOut(name, intent.name)).map((intent) => `${name} × ${intent.name}`),
    );
    expect(held.length).toBeGreaterThan(60);
    for (const pair of held) expect(seen.has(pair), pair).toBe(false);
    for (const item of kept('pair')) expect(isPairHeldOut(item.archetype, item.intents[0] as string)).toBe(true);
  });

  it('keeps held-out personas and values out of training', () => {
    const text = train
      .map(({ conversation }) => [conversation.system, ...conversation.turns.map((turn) => turn.content)].join('\n'))
      .join('\n');
    for (const name of [...valuesOf(names, true), ...valuesOf(towns, true)]) expect(text, name).not.toContain(name);
    for (const item of valuesOf(items, true)) expect(text, item).not.toMatch(new RegExp(`\\b(?:my|your) ${item}\\b`, 'i'));
  });

  it('keeps held-out paraphrases out of training', () => {
    const said = new Set(
      train.flatMap(({ conversation }) => conversation.turns.filter((turn) => turn.role === 'user').map((turn) => turn.content)),
    );
    for (const intent of intents) {
      for (const { text } of linesOf(intent, true)) if (!text.includes('{')) expect(said.has(text), text).toBe(false);
    }
  });
});

describe('exchanges', () => {
  const exchanges = [...generateExchanges({ seed, conversations: 3000 })];

  it('are a line and its plain answer, with a system turn only where the answer stands in it', () => {
    for (const { system, turns } of exchanges) {
      const [line, reply] = turns;
      expect([turns.length, line!.role, reply!.role]).toEqual([2, 'user', 'assistant']);
      expect(reply!.label).toMatchObject({ creativity: 0, toxicity: 0, formality: 2 });
      if (system !== '') expect(system).toMatch(/[A-Z][a-z]+/);
    }
    expect(mean(exchanges.map(({ system }) => Number(system !== '')))).toBeLessThan(0.5);
  });

  it('hold nothing that is held out', () => {
    const said = new Set(exchanges.map(({ turns }) => turns[0]!.content));
    for (const intent of intents) {
      for (const { text } of linesOf(intent, true)) if (!text.includes('{')) expect(said.has(text), text).toBe(false);
    }
    const text = exchanges.map(({ system, turns }) => [system, ...turns.map((turn) => turn.content)].join('\n')).join('\n');
    for (const name of [...valuesOf(names, true), ...valuesOf(towns, true)]) expect(text, name).not.toContain(name);
  });
});

describe('lookups and repeats', () => {
  const shares = { repeats: 0.3, lookups: 0.4 };
  const lines = [...generateExchanges({ seed, conversations: 3000, ...shares })];
  const repeats = lines.filter(({ turns }) => turns[0]!.content === turns[1]!.content);

  it('come as often as asked', () => {
    expect(repeats.length / lines.length).toBeCloseTo(shares.repeats, 1);
  });

  it('are answered by what was said before, word for word', () => {
    const random = createRandom(seed);
    const lookups = Array.from({ length: 2000 }, () => drawLookup(random, drawScene(random, random.pick(archetypes), undefined)));
    const invented = new Set([...inventedNames, ...inventedTowns]);
    let named = 0;
    for (const { system, turns } of lookups) {
      const said = `${system} ${turns[0]!.content}`.toLowerCase();
      for (const word of turns[1]!.content.match(/[A-Z][a-z]+/g) ?? []) {
        if (!invented.has(word)) continue;
        named++;
        expect(said, word).toContain(word.toLowerCase());
      }
    }
    expect(named).toBeGreaterThan(1000);
  });

  it('hold no name that is held out', () => {
    const text = lines.map(({ system, turns }) => [system, ...turns.map((turn) => turn.content)].join('\n')).join('\n');
    for (const name of [...valuesOf(names, true), ...valuesOf(towns, true)]) expect(text, name).not.toContain(name);
    for (const name of [...valuesOf(inventedNames, true), ...valuesOf(inventedTowns, true)])
      expect(text, name).not.toMatch(new RegExp(`\\b${name}\\b`));
  });
});

describe('spelled names', () => {
  const known = new Set([...names, ...inventedNames]);
  const plainSystem = /^$|^You are a |^Chat|^A conv/;
  const nameOf = ({ system }: { system: string }) =>
    /^(?:You are|Name:|Play|Stay in character as)? ?([A-Z][a-z]+)/.exec(system)?.[1];
  const unknown = (request: Parameters<typeof generateCorpus>[0], heldOut: string | undefined) =>
    mean(
      [...generateCorpus(request)]
        .filter((item) => item.heldOut === heldOut && !plainSystem.test(item.conversation.system))
        .map(({ conversation }) => Number(!known.has(nameOf(conversation)!))),
    );

  it('are as many of the invented half as asked, none where nobody asks and none among held-out personas', () => {
    const request = { seed, conversations: 3000, spelled: 0.6 };
    expect(unknown(request, undefined)).toBeCloseTo(0.3, 1);
    expect(unknown({ seed, conversations: 1000 }, undefined)).toBe(0);
    expect(unknown(request, 'persona')).toBe(0);
  });

  it('take the place of every invented name where all are to be spelled', () => {
    const lines = [...generateExchanges({ seed, conversations: 3000, repeats: 0.5, lookups: 0.5, spelled: 1 })];
    const said = lines.map(({ system, turns }) => [system, ...turns.map(({ content }) => content)].join('\n')).join('\n');
    for (const name of inventedNames.slice(0, 40)) expect(said, name).not.toMatch(new RegExp(`\\b${name}\\b`));
  });

  it('are no name that is held out', () => {
    const random = createRandom(seed);
    const spelled = new Set(Array.from({ length: 20_000 }, () => spellName(random)));
    expect(spelled.size).toBeGreaterThan(19_000);
    for (const name of [...names, ...towns, ...inventedNames, ...inventedTowns]) expect(spelled.has(name), name).toBe(false);
  });
});

describe('replies beside the point', () => {
  it('are no help, whatever they say, and none where nobody asks for them', () => {
    const strays = [...generateCorpus({ seed, conversations: 1500, strays: 1 })].flatMap(
      ({ conversation }) => conversation.turns,
    );
    for (const { label } of strays) if (label) expect(label.helpfulness).toBe(0);
    expect(mean(replies.map(({ label }) => Number(label.helpfulness === 0)))).toBeLessThan(0.3);
  });
});

describe('material', () => {
  it('has its size: twelve archetypes, forty intents, twenty paraphrases each', () => {
    expect(archetypes.filter((archetype) => archetype.setting === 'game').length).toBeGreaterThanOrEqual(12);
    expect(intents.length).toBeGreaterThanOrEqual(40);
    for (const intent of intents)
      expect(new Set(intent.lines.map((line) => line.text)).size, intent.name).toBeGreaterThanOrEqual(20);
  });
});
