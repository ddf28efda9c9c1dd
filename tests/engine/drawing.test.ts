// A reply's drawer: against transformers and torch, and what a request may ask for beside the sampling itself.
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Constraint } from '../../src/constraints/constraint.ts';
import { Drawer } from '../../src/engine/drawing.ts';
import { PenaltyRecord } from '../../src/engine/penalties.ts';
import type { Drawing } from '../../src/engine/request.ts';
import { leastRepetitionPenalty } from '../../src/model/sampling-defaults.ts';

interface Case {
  prompt?: number[];
  reply?: number[];
  bias?: [number, number][];
  repetition_penalty?: number;
  presence_penalty?: number;
  frequency_penalty?: number;
  min_tokens?: number;
  temperature?: number;
  top_k?: number;
  top_p?: number;
  min_p?: number;
  scores: number[];
  penalised: (number | null)[];
  chances: number[];
  top_logprobs: [number, number][];
}

const golden: { stop_tokens: number[]; banned: number[]; cases: Record<string, Case> } = JSON.parse(
  await readFile(new URL('../golden/sampling.json', import.meta.url), 'utf8'),
);
const draws = 20_000;
const plain: Drawing = { temperature: 1, topK: 0, topP: 1 };
const greedy: Drawing = { ...plain, temperature: 0 };

function drawingOf(fields: Case): Drawing {
  return {
    ...{ temperature: fields.temperature ?? 1, topK: fields.top_k ?? 0, topP: fields.top_p ?? 1, minP: fields.min_p },
    ...{ logitBias: fields.bias, repetitionPenalty: fields.repetition_penalty, presencePenalty: fields.presence_penalty },
    ...{ frequencyPenalty: fields.frequency_penalty, minTokens: fields.min_tokens },
  };
}

describe.each(Object.entries(golden.cases))('as transformers does: %s', (_, fields) => {
  const { scores, penalised, chances, top_logprobs, prompt = [14], reply = [] } = fields;
  const raw = Float32Array.from(scores);
  const allowed = Uint8Array.from(scores, (_, id) => Number(!golden.banned.includes(id)));

  it('bias and penalties', () => {
    const record = new PenaltyRecord(drawingOf(fields), prompt);
    for (const token of reply) record.note(token);
    const changed = raw.slice();
    record.apply(changed);
    for (const [id, score] of penalised.entries()) if (score !== null) expect(changed[id], `id ${id}`).toBeCloseTo(score, 4);
  });

  it('tokens named in place of the prompt count as its own do', () => {
    const named = new PenaltyRecord({ ...drawingOf(fields), repeated: prompt }, []);
    for (const token of reply) named.note(token);
    const changed = raw.slice();
    named.apply(changed);
    for (const [id, score] of penalised.entries()) if (score !== null) expect(changed[id], `id ${id}`).toBeCloseTo(score, 4);
  });

  it('every token is drawn as often as it should be, and its log-probability told', () => {
    const drawer = new Drawer({ ...drawingOf(fields), topLogprobs: 5 }, { allowed, stopTokens: golden.stop_tokens }, prompt, 4);
    for (const token of reply) drawer.note(token);
    const counts = new Array<number>(scores.length).fill(0);
    for (let i = 0; i < draws; i++) counts[drawer.pick(raw).token]! += 1;
    expect(raw).toEqual(Float32Array.from(scores));
    const within = (id: number): number => 5 * Math.sqrt(draws * chances[id]!) + 1;
    for (const [id, count] of counts.entries()) {
      if (chances[id] === 0) expect(count, `id ${id}`).toBe(0);
      else expect(Math.abs(count - draws * chances[id]!), `id ${id}`).toBeLessThan(within(id));
    }
    const { token, likelihood } = drawer.pick(raw);
    expect(likelihood!.top.map((told) => told.token)).toEqual(top_logprobs.map(([id]) => id));
    for (const [i, { logprob }] of likelihood!.top.entries()) expect(logprob).toBeCloseTo(top_logprobs[i]![1], 4);
    const [best, logprob] = top_logprobs[0]!;
    expect(likelihood!.logprob).toBeCloseTo(logprob + raw[token]! - raw[best]!, 4);
  });
});

const V = 8;
const words = { allowed: Uint8Array.of(1, 1, 1, 1, 1, 1, 0, 0), stopTokens: [0] };
/** Likeliest last; ids 6 and 7 are none of a reply. */
const scores = Float32Array.of(3, 1, 2, 3, 4, 5, 6, 7);

function drawerOf(
  drawing: Partial<Drawing>,
  { prompt = [1], constraint }: { prompt?: number[]; constraint?: Constraint } = {},
): Drawer {
  return new Drawer({ ...greedy, ...drawing }, words, prompt, 1, constraint);
}

/** Ids of a greedy reply, to its end or eight tokens. */
function reply(drawer: Drawer, by = scores): number[] {
  const tokens: number[] = [];
  for (;;) {
    const { token } = drawer.pick(by);
    tokens.push(token);
    if (drawer.ends(token) || tokens.length === 8) return tokens;
    drawer.note(token);
  }
}

it('tells nothing where nothing is asked', () => {
  expect(drawerOf({}).pick(scores)).toEqual({ token: 5 });
  expect(drawerOf({ topLogprobs: null }).pick(scores)).toEqual({ token: 5 });
});

it('tells the picked token alone for 0, and no more than there are', () => {
  const mass = Math.log([3, 1, 2, 3, 4, 5].reduce((sum, score) => sum + Math.exp(score), 0));
  const { likelihood } = drawerOf({ topLogprobs: 0 }).pick(scores);
  expect(likelihood).toEqual({ logprob: expect.closeTo(5 - mass, 5), top: [] });
  const all = drawerOf({ topLogprobs: 20 }).pick(scores).likelihood!;
  expect(all.top.map(({ token }) => token)).toEqual([5, 4, 0, 3, 2, 1]);
  expect(all.top.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 6);
});

it('tells log-probabilities before bias, penalties and temperature', () => {
  const asked = { topLogprobs: 2, temperature: 0.3, repetitionPenalty: 9, logitBias: [[1, 100]] as [number, number][] };
  const told = drawerOf(asked, { prompt: [5] }).pick(scores);
  expect(told.token).toBe(1);
  const { likelihood } = drawerOf({ topLogprobs: 2 }).pick(scores);
  expect(told.likelihood!.top).toEqual(likelihood!.top);
  expect(told.likelihood!.logprob).toBeCloseTo(likelihood!.logprob - 4, 6);
});

it.each([
  { repetitionPenalty: leastRepetitionPenalty },
  { repetitionPenalty: 10, frequencyPenalty: 2, presencePenalty: 2 },
  { temperature: 5e-324, minP: 5e-324, topP: 5e-324 },
  { temperature: 5e-324, topK: 3, topP: 1 - 2 ** -53 },
  {
    temperature: 2,
    logitBias: [
      [1, 100],
      [2, -100],
    ] as [number, number][],
  },
])('draws at the ends of what may be asked for: %j', (asked) => {
  const wide = Float32Array.from([3, 1e30, -1e30, 3e4, -3e4, 5e-324]);
  for (const some of [scores, wide]) {
    const drawer = drawerOf({ ...asked, topLogprobs: 3 }, { prompt: [1, 2, 3, 4, 5] });
    for (let i = 0; i < 5; i++) {
      const { token, likelihood } = drawer.pick(some);
      expect([token >= 0, Number.isNaN(likelihood!.logprob)]).toEqual([true, false]);
      drawer.note(token);
    }
  }
});

it('ends at the tokens of the model and of the request, also such as no reply may hold', () => {
  expect(drawerOf({}).ends(0)).toBe(true);
  expect(drawerOf({}).ends(4)).toBe(false);
  expect(drawerOf({ stopTokens: [4, 7] }).ends(4)).toBe(true);
  expect(reply(drawerOf({ stopTokens: [7] }))).toEqual([7]);
  expect(reply(drawerOf({ stopTokens: [4], logitBias: [[4, 2]] }))).toEqual([4]);
});

it('bars stop tokens until the reply has its least tokens', () => {
  const stops = { stopTokens: [7, 5], minTokens: 2 };
  expect(reply(drawerOf(stops))).toEqual([4, 4, 7]);
  expect(reply(drawerOf({ minTokens: 3, logitBias: [[0, 9]] }))).toEqual([5, 5, 5, 0]);
});

it('never ends at the stop tokens of the model where told so, but at those of the request', () => {
  expect(reply(drawerOf({ ignoreEos: true, logitBias: [[0, 100]] }))).toEqual(new Array(8).fill(5));
  expect(reply(drawerOf({ ignoreEos: true, stopTokens: [0], logitBias: [[0, 100]] }))).toEqual([0]);
  expect(reply(drawerOf({ ignoreEos: true, stopTokens: [4], frequencyPenalty: 0.7 }))).toEqual([5, 5, 4]);
});

it('a bias of -100 bars an id and one of 100 forces it, among those a reply may hold', () => {
  expect(
    reply(
      drawerOf({
        logitBias: [
          [5, -100],
          [2, 100],
          [7, 100],
        ],
      }),
    ).slice(0, 2),
  ).toEqual([2, 2]);
});

it('refuses ids the vocabulary lacks', () => {
  for (const id of [V, -1, 1.5, Number.NaN]) {
    expect(() => drawerOf({ logitBias: [[id, 1]] })).toThrow(`Expected token ids from 0 to 7, found ${id}.`);
    expect(() => drawerOf({ stopTokens: [id] })).toThrow(`Expected token ids from 0 to 7, found ${id}.`);
  }
});

/** Allows what is listed for each place. */
class Listed implements Constraint {
  readonly accepted: number[] = [];
  readonly #places: (number[] | null)[];

  constructor(places: (number[] | null)[]) {
    this.#places = places;
  }

  allowed(): Uint8Array | null {
    const ids = this.#places[this.accepted.length]!;
    return ids && Uint8Array.from({ length: V }, (_, id) => Number(ids.includes(id)));
  }

  accept(token: number): void {
    this.accepted.push(token);
  }

  get over(): boolean {
    return this.accepted.length === this.#places.length;
  }

  get complete(): boolean {
    return this.over;
  }
}

describe('under a constraint', () => {
  it('picks what is allowed by it and in a reply, and tells it every token', () => {
    const constraint = new Listed([[1, 2, 7], null, [0, 3]]);
    const drawer = drawerOf({ topLogprobs: 5 }, { constraint });
    expect(drawer.pick(scores).likelihood!.top.map(({ token }) => token)).toEqual([2, 1]);
    const tokens = [0, 1, 2].map(() => {
      expect(drawer.over).toBe(false);
      const { token } = drawer.pick(scores);
      drawer.note(token);
      return token;
    });
    expect(tokens).toEqual([2, 5, 0]);
    expect(constraint.accepted).toEqual(tokens);
    expect(drawer.over).toBe(true);
  });

  it('may end before the least tokens where only the end is left', () => {
    expect(reply(drawerOf({ minTokens: 5 }, { constraint: new Listed([[2], [0]]) }))).toEqual([2, 0]);
    expect(reply(drawerOf({ ignoreEos: true }, { constraint: new Listed([[2], [0]]) }))).toEqual([2, 0]);
  });

  it('fails where nothing is left', () => {
    expect(() => drawerOf({}, { constraint: new Listed([[]]) }).pick(scores)).toThrow(
      'for some token that may be picked, found none.',
    );
  });
});

it('is never over without a constraint', () => {
  expect(drawerOf({}).over).toBe(false);
});

it('ends at a score that is no number, whatever is asked', () => {
  for (const asked of [{}, { topLogprobs: 3 }, { repetitionPenalty: 2 }, { minTokens: 3 }, { temperature: 1, topP: 0.5 }]) {
    const broken = scores.slice();
    broken[2] = Number.NaN;
    const drawer = drawerOf(asked);
    expect(() => drawer.pick(broken)).toThrow(expect.objectContaining({ code: 'invalid_model' }));
    expect(drawer.pick(scores).token).toBeGreaterThanOrEqual(0);
  }
});

it('draws the same for the same seed', () => {
  const tokens = (seed: number): number[] => {
    const drawer = new Drawer({ ...plain, presencePenalty: 0.5 }, words, [1], seed);
    return Array.from({ length: 20 }, () => {
      const { token } = drawer.pick(scores);
      drawer.note(token);
      return token;
    });
  };
  expect(tokens(3)).toEqual(tokens(3));
  expect(tokens(3)).not.toEqual(tokens(4));
});
