// Words kept out of replies: in texts, in what a drawer picks of tokens that spell them in many ways, and in replies of an engine.
import { describe, expect, it, test } from 'vitest';
import { flatten } from '../../src/constraints/token-trie.ts';
import { BadWords, WordList, withoutBadChoices } from '../../src/engine/bad-words.ts';
import { Drawer } from '../../src/engine/drawing.ts';
import { type Drawing, type GenerationRequest, onePrompt } from '../../src/engine/request.ts';
import { alone, answer, engineWith, longPrompt, prompt, requestOf, vocabulary } from './tiny-engine.ts';

test.each([
  ['fool', 'You fool'],
  ['fool', 'FOOL!'],
  ['fool', 'how foolish'],
  ['fool', '“Fool”, he said'],
  ['fool', 'half-fool'],
  ['fool', '_fool_'],
  [' fool ', 'a fool'],
  ['shut it', 'Oh, shut\n\n it.'],
  ['shut  it', 'shut it'],
  ["you're dull", 'You’re dull'],
  ['. fool', 'Fool.'],
  ['. fool', 'Well. Fool.'],
  ['!!', 'no!!'],
  ['3 coins', 'for 3 coins'],
  ['naïve', 'NAÏVE'],
  ['βλακας', 'ΒΛΑΚΑΣ'],
  ['笨蛋', '你是笨蛋'],
  ['aab', 'aa aab'],
  ['a a b', 'a a a b'],
])('%j is in %j', (word, text) => {
  expect(new WordList(['other', word]).isIn(text)).toBe(true);
});

test.each([
  ['fool', 'a snowfool'],
  ['fool', 'fo ol'],
  ['fool', 'foo'],
  ['shut it', 'shutit'],
  ['. fool', 'told by a fool'],
  ['the the', 'bathe the'],
  ['3 coins', '13 coins'],
  ['naïve', 'naive'],
  ['e', 'naïve'],
  [' ', 'a word'],
])('%j is not in %j', (word, text) => {
  expect(new WordList([word]).isIn(text)).toBe(false);
});

test('choices that hold a word give way to those that do not', () => {
  const choices = ['you fool', 'friend'];
  expect(withoutBadChoices({ kind: 'choice', choices }, ['fool'])).toEqual({ kind: 'choice', choices: ['friend'] });
  for (const words of [[], ['friend', 'you'], ['dolt']]) {
    expect(withoutBadChoices({ kind: 'choice', choices }, words)).toEqual({ kind: 'choice', choices });
  }
});

test('long words that begin alike make a text no dearer to follow', () => {
  const alike = Array.from({ length: 37 }, (_, i) => '.'.repeat(63) + String.fromCodePoint(0x4e00 + i));
  const words = [...alike, ...'abcdefghijklmnopqrstuvwxyz', '.'];
  const list = new WordList(words);
  const lookedFor = (follow: () => unknown): number => {
    const before = list.looked;
    follow();
    return list.looked - before;
  };
  // Each character is a prefix longer at most, and each look beyond the first is at a shorter one.
  const text = `${'.'.repeat(200)}${`${'.'.repeat(62)}b`.repeat(20)}`;
  expect(lookedFor(() => list.isIn(text))).toBeLessThanOrEqual(2 * text.length);
  const deep = list.follow(list.start, '.'.repeat(63));
  expect(lookedFor(() => list.follow(deep, 'a'))).toBeLessThanOrEqual(64);
  expect(new WordList(alike).follow(new WordList(alike).start, '.'.repeat(70)).completed).toBe(false);
  expect(new WordList(alike).isIn(`${'.'.repeat(70)}\u4e24`)).toBe(true);
});

describe('of a reply in JSON', () => {
  /** Whether a token completes one, cut into single bytes, in two everywhere, or not. */
  const found = (word: string, text: string, json: boolean): boolean[] => {
    const bytes = Buffer.from(text);
    const cuts = [
      [...bytes].map((byte) => Uint8Array.of(byte)),
      ...Array.from(bytes, (_, i) => [bytes.subarray(0, i), bytes.subarray(i)]),
    ];
    const each = cuts.map((tokens) => {
      const words = new BadWords([word], flatten(tokens), [], { json });
      return tokens.some((_, token) => {
        const completes = words.completes(token);
        words.note(token);
        return completes;
      });
    });
    return [...new Set(each)];
  };

  it.each([
    ['sage', String.raw`"Hi.\nsages"`],
    ['sage', String.raw`"Hi\tsage"`],
    ['sage', String.raw`"Hi\rsage"`],
    ['fool', String.raw`"\u0066oo\u006C"`],
    ['fool', String.raw`"\ud83d\uDE00fool"`],
    ['\u{1f600}', String.raw`"so \uD83D\ude00"`],
    ['shut it', String.raw`"shut\u000ait"`],
    ['naïve', String.raw`"na\u00efve"`],
    ['a/b"c\\d', String.raw`"a\/b\"c\\d"`],
  ])('%j is in %s, which it would not be in a text', (word, text) => {
    expect(found(word, text, true)).toEqual([true]);
    expect(found(word, text, false)).toEqual([false]);
  });

  it.each([
    ['nsage', String.raw`"\nsage"`],
    ['u0066', String.raw`"\u0066"`],
    ['fool', String.raw`"snow\u0066ool"`],
  ])('%j is not in %s', (word, text) => {
    expect(found(word, text, true)).toEqual([false]);
  });

  it('an escaped backslash begins no other escape', () => {
    expect(found('fool', String.raw`"\\u0066ool"`, true)).toEqual([false]);
    expect(found('nfool', String.raw`"\\nfool"`, true)).toEqual([true]);
  });
});

const greedy: Drawing = { temperature: 0, topK: 0, topP: 1 };

/** A drawer whose tokens stand for these bytes; the first ends the reply. */
function drawerOf(tokens: (string | Uint8Array)[], words: string[], drawing: Partial<Drawing> = {}, seed = 1) {
  const bytes = tokens.map((token, id) => (id === 0 ? new Uint8Array() : typeof token === 'string' ? Buffer.from(token) : token));
  const drawer = new Drawer(
    { ...greedy, ...drawing },
    { allowed: new Uint8Array(tokens.length).fill(1), stopTokens: [0] },
    [],
    seed,
  );
  drawer.keepOut(new BadWords(words, flatten(bytes)));
  return drawer;
}

describe('a drawer', () => {
  /** What it says where later tokens are likelier. */
  const say = (tokens: (string | Uint8Array)[], words: string[], order: number[], drawing: Partial<Drawing> = {}) => {
    const drawer = drawerOf(tokens, words, drawing);
    const said: number[] = [];
    for (const favourite of order) {
      const scores = Float32Array.from(tokens, (_, id) => (id === favourite ? 99 : -id));
      const { token } = drawer.pick(scores);
      if (drawer.ends(token)) return [...said, -1];
      drawer.note(token);
      said.push(token);
    }
    return said;
  };

  it('picks the likeliest token that does not complete a word, however the word is cut', () => {
    expect(say(['', 'x', ' fool'], ['fool'], [2])).toEqual([-1]);
    expect(say(['', 'x', 'You', ' f', 'ool'], ['fool'], [2, 3, 4, 4])).toEqual([2, 3, -1]);
    expect(say(['', 'f', 'o', 'l', 's'], ['fool'], [1, 2, 2, 4, 3])).toEqual([1, 2, 2, 4, 3]);
    expect(say(['', ' sh', 'ut', ' i', 't', 's.'], ['shut it'], [1, 2, 3, 5])).toEqual([1, 2, 3, 5]);
    expect(say(['', ' sh', 'ut', ' i', 't', 's.'], ['shut it'], [1, 2, 3, 4])).toEqual([1, 2, 3, -1]);
    expect(say(['', 'a. You fool, you'], ['fool'], [1])).toEqual([-1]);
  });

  it('reads characters that come in halves', () => {
    const [first, second] = [Uint8Array.of(0xc3), Uint8Array.of(0x89)];
    expect(say(['', first, second, 't'], ['ét'], [1, 2, 3])).toEqual([1, 2, -1]);
    expect(say(['', first, second, 'd', 't'], ['ét'], [1, 2, 3, 4])).toEqual([1, 2, 3, 4]);
  });

  const names = ['', ' fool', ' friend', ' FOOLISH', ' dear', ' you'];
  const scores = Float32Array.of(0, 3, 2, 3, 1, 0.5);

  it('draws the others as often as if the words were no tokens', () => {
    const drawer = drawerOf(names, ['fool'], { temperature: 1 });
    const counts = new Map<number, number>();
    const draws = 20_000;
    for (let i = 0; i < draws; i++) {
      const { token } = drawer.pick(scores);
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
    const open = [0, 2, 4, 5];
    const mass = open.reduce((sum, id) => sum + Math.exp(scores[id]!), 0);
    expect([...counts.keys()].toSorted()).toEqual(open);
    for (const id of open) expect(Math.abs(counts.get(id)! / draws - Math.exp(scores[id]!) / mass)).toBeLessThan(0.015);
  });

  it('draws the same for the same seed', () => {
    const draw = (seed: number) => {
      const drawer = drawerOf(names, ['fool'], { temperature: 1, topP: 0.9 }, seed);
      return Array.from({ length: 30 }, () => drawer.pick(scores).token);
    };
    expect(draw(4)).toEqual(draw(4));
    expect(draw(4)).not.toEqual(draw(5));
  });

  it('tells nothing of what would complete a word, and the likeliest first is what it picks', () => {
    const { token, likelihood } = drawerOf(names, ['fool'], { topLogprobs: 2 }).pick(scores);
    expect([token, ...likelihood!.top.map((each) => each.token)]).toEqual([2, 2, 4]);
    const free = drawerOf(names, [], { topLogprobs: 5 }).pick(scores).likelihood!;
    expect(likelihood!.logprob).toBeCloseTo(free.top.find((each) => each.token === 2)!.logprob, 6);
  });

  it('ends where nothing else can be said, also before its least tokens, and in few draws', () => {
    const letters = Array.from({ length: 40_000 }, (_, id) => (id === 0 ? '' : ` ${String.fromCharCode(97 + (id % 26))}${id}`));
    const all = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i));
    const flat = new Float32Array(letters.length);
    for (const asked of [{}, { minTokens: 5 }, { ignoreEos: true }, { temperature: 0 }, { topLogprobs: 20 }]) {
      const drawer = drawerOf(letters, all, { temperature: 1, ...asked });
      expect(drawer.ends(drawer.pick(flat).token), JSON.stringify(asked)).toBe(true);
    }
  });

  it('may end at a stop token of the request whatever its text, which is no part of the reply', () => {
    expect(drawerOf(names, ['fool'], { stopTokens: [1] }).pick(scores).token).toBe(1);
  });

  it('still says of broken weights that they are', () => {
    expect(() => drawerOf(names, ['fool']).pick(scores.map(() => Number.NEGATIVE_INFINITY))).toThrow('found none');
    expect(() => drawerOf(names, ['fool']).pick(scores.map(() => Number.NaN))).toThrow('finite score');
  });
});

describe('an engine', () => {
  /** Tokens of one and two letters, so that a word comes in many ways. */
  const spelled = Array.from(vocabulary.allowed, (_, id) => 'abcd '[id % 5]! + (id % 3 === 0 ? 'abcd'[id % 4]! : ''));
  const words = { ...vocabulary, tokenBytes: flatten(spelled.map((token) => Buffer.from(token))) };
  const textOf = (tokens: number[]) => tokens.map((token) => spelled[token]).join('');
  const bad = { badWords: ['a', 'bb', 'cd'] };
  const holds = (text: string) => new WordList(bad.badWords).isIn(text);
  const fields = { maxTokens: 40, n: 3 };

  it('says none of them, and the same reply alone and among others', async () => {
    const free = await alone({ ...fields }, { words });
    expect(free.tokens.some((tokens) => holds(textOf(tokens)))).toBe(true);
    const kept = await alone({ ...fields, ...bad }, { words });
    for (const tokens of kept.tokens) expect(holds(textOf(tokens)), textOf(tokens)).toBe(false);
    const engine = engineWith({ words });
    const others = [requestOf({ ...fields, seed: 4, prompt: longPrompt(9), badWords: ['d'] }), requestOf({ ...fields, seed: 5 })];
    const [together] = await Promise.all([requestOf({ ...fields, ...bad }), ...others].map((request) => answer(engine, request)));
    expect(together).toEqual(kept);
  });

  it('keeps out of each phase what it names, of a word that began before it too', async () => {
    const [{ branches }] = onePrompt(prompt) as [GenerationRequest['phases'][number]];
    const cut = 20;
    const phases = [
      { branches, until: { tokens: cut } },
      { branches, ...bad },
    ];
    const { tokens } = await alone({ ...fields, n: 8, phases }, { words });
    const first = tokens.map((each) => textOf(each.slice(0, cut)));
    expect(first.some(holds)).toBe(true);
    for (const each of tokens) {
      const follower = new BadWords(bad.badWords, words.tokenBytes, each.slice(0, cut));
      for (const token of each.slice(cut)) {
        expect(follower.completes(token), textOf(each)).toBe(false);
        follower.note(token);
      }
    }
  });

  it('refuses them where the tokenizer tells no bytes', async () => {
    const refused = { code: 'invalid_request', message: expect.stringContaining('bad_words') };
    await expect(alone(bad)).rejects.toMatchObject(refused);
  });
});
