// The bounds and faults of the engine: who has to wait, whose time is up, who leaves, and what fails, holds up or spoils nobody else.
import { describe, expect, it } from 'vitest';
import type { Decoder } from '../../src/engine/onnx/decoder.ts';
import type { GenerationEvent } from '../../src/engine/request.ts';
import { randomStream } from '../../src/random.ts';
import { alone, answer, engineWith, longPrompt, real, requestOf, runs } from './tiny-engine.ts';

describe('bounds and faults', () => {
  const long = (fields: Parameters<typeof requestOf>[0] = {}) =>
    requestOf({ prompt: longPrompt(100), maxTokens: 100, ...fields });

  it('works no step more for a request once it is aborted, while reading and while writing', async () => {
    for (const allowedRuns of [1, 5]) {
      const controller = new AbortController();
      const decoder: Decoder = {
        ...real,
        async run(input) {
          runs.push([1, 1]);
          if (runs.length === allowedRuns) controller.abort();
          return await real.run(input);
        },
      };
      const engine = engineWith({ decoder });
      const working = answer(engine, long({ n: 2 }), () => {}, controller.signal);
      await expect(working).rejects.toMatchObject({ code: 'cancelled' });
      expect(runs).toHaveLength(allowedRuns);
      expect(engine.load).toMatchObject({ running: 0, waiting: 0, cacheBytes: 0 });
    }
  });

  it('ends replies whose time is up with what there is, waiting ones too', async () => {
    const slow: Decoder = {
      ...real,
      async run(input) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        return await real.run(input);
      },
    };
    const engine = engineWith({ sequences: 1, decoder: slow });
    const marks: (boolean | undefined)[] = [];
    const note = (event: GenerationEvent) => {
      if ('finished' in event) marks.push(event.deadline);
    };
    const first = answer(engine, long({ maxMs: 25 }), note);
    const second = answer(engine, long({ maxMs: 5 }), note);
    const [one, two] = await Promise.all([first, second]);
    expect([one.finished, two.finished]).toEqual([['length'], ['length']]);
    expect(marks).toEqual([true, true]);
    expect(two.tokens[0]!.length).toBeLessThan(100);
    expect(engine.load).toMatchObject({ running: 0, waiting: 0, cacheBytes: 0 });
  });

  it('refuses more than may wait, and what can never fit', async () => {
    const engine = engineWith({ sequences: 2, waiting: 1 });
    const mixed = { branches: [0.5, 0.25, 0.25].map((weight, i) => ({ prompt: longPrompt(5 + i), weight })) };
    await expect(answer(engine, requestOf({ phases: [mixed] }))).rejects.toMatchObject({ code: 'invalid_request' });
    const running = answer(engine, long({ n: 2 }));
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = answer(engine, requestOf());
    await expect(answer(engine, requestOf())).rejects.toMatchObject({ code: 'overloaded', details: { retryAfterS: 1 } });
    await Promise.all([running, waiting]);
    const small = engineWith({ cacheBytes: 64 * 2 * 2 * 2 * 8 * 4 });
    await expect(answer(small, requestOf({ maxTokens: 59 }))).rejects.toMatchObject({ code: 'invalid_request' });
    expect((await answer(small, requestOf({ maxTokens: 58 }))).tokens[0]).toHaveLength(58);
  });

  it('a step that throws fails the requests in it and no others', async () => {
    const decoder: Decoder = {
      ...real,
      run(input) {
        if (input.lanes.slots === 128) throw new Error('out of memory');
        return real.run(input);
      },
    };
    const engine = engineWith({ decoder });
    const grows = answer(engine, requestOf({ maxTokens: 80 }));
    const stays = answer(engine, requestOf({ maxTokens: 40 }));
    await expect(grows).rejects.toMatchObject({ code: 'internal_error', message: expect.stringContaining('out of memory') });
    expect(await stays).toEqual(await alone({ maxTokens: 40 }));
    expect(engine.load).toMatchObject({ running: 0, cacheBytes: 0 });
    expect((await answer(engine, requestOf())).finished).toEqual(['length']);
  });

  it('scores that are no numbers end the request with an error, never with a token', async () => {
    let left = 4;
    const decoder: Decoder = {
      ...real,
      async run(input) {
        const output = await real.run(input);
        if (left-- === 0) output.scores.fill(Number.NaN, 0, output.scores.length / input.computed.length);
        return output;
      },
    };
    const engine = engineWith({ decoder });
    const tokens: number[] = [];
    const spoilt = answer(engine, requestOf({ maxTokens: 30 }), (event) => 'token' in event && tokens.push(event.token));
    const sound = answer(engine, requestOf({ maxTokens: 30, seed: 5 }));
    await expect(spoilt).rejects.toMatchObject({ code: 'invalid_model' });
    expect(tokens).toEqual((await alone({ maxTokens: 30 })).tokens[0]!.slice(0, tokens.length));
    expect(await sound).toEqual(await alone({ maxTokens: 30, seed: 5 }));
  });

  it('a caller who fills every place lets another in at once, and nobody says anything else for it', async () => {
    const engine = engineWith({ sequences: 8, stepTokens: 64 });
    const heavy = Array.from({ length: 6 }, (_, i) => ({ caller: 'heavy', n: 8, seed: 20 * i, maxTokens: 90 }));
    const light = { caller: 'light', prompt: longPrompt(150), maxTokens: 4 };
    let tokens = 0;
    let before = 0;
    const count = () => void tokens++;
    const all = heavy.map((fields) => answer(engine, requestOf(fields), count));
    while (tokens < 100) await new Promise((resolve) => setImmediate(resolve));
    before = tokens;
    const asked = await answer(engine, requestOf(light));
    // Three chunks of its prompt and four tokens: each a step, in which each of the eight others writes one token, and one more to come in.
    expect(tokens - before).toBeLessThanOrEqual(8 * (3 + 4 + 1));
    expect(Math.max(...runs.map(([lanes]) => lanes))).toBe(8);
    expect(asked).toEqual(await alone(light));
    for (const [i, said] of (await Promise.all(all)).entries()) {
      const { tokens: own } = said;
      for (const index of [0, 7]) expect(own[index]).toEqual((await alone({ seed: 20 * i + index, maxTokens: 90 })).tokens[0]);
    }
    expect(engine.load).toMatchObject({ running: 0, waiting: 0, cacheBytes: 0 });
  });

  it('replies that were not begun end with their time, and a caller who leaves takes them along', async () => {
    const engine = engineWith({ sequences: 2 });
    const late = answer(engine, requestOf({ n: 5, maxMs: 1, maxTokens: 200 }));
    expect((await late).finished).toEqual(new Array(5).fill('length'));
    const controller = new AbortController();
    const leaving = answer(engine, requestOf({ n: 5, maxTokens: 100 }), () => controller.abort(), controller.signal);
    await expect(leaving).rejects.toMatchObject({ code: 'cancelled' });
    expect(engine.load).toMatchObject({ running: 0, waiting: 0, cacheBytes: 0 });
    expect((await answer(engine, requestOf({ n: 5 }))).tokens).toEqual((await alone({ n: 5 })).tokens);
  });

  it('people are served while a long prompt is read, and batch jobs after them', async () => {
    const engine = engineWith({ sequences: 2 });
    const order: string[] = [];
    const ask = (name: string, fields: Parameters<typeof requestOf>[0]) =>
      answer(engine, requestOf(fields)).then(() => order.push(name));
    await Promise.all([
      ask('long', { prompt: longPrompt(240), maxTokens: 10 }),
      ask('first', { maxTokens: 3 }),
      ask('batch', { priority: 'batch', maxTokens: 2 }),
      ask('second', { maxTokens: 2 }),
      ask('third', { maxTokens: 2 }),
    ]);
    expect(order.indexOf('first')).toBe(0);
    expect(order.indexOf('batch')).toBeGreaterThan(order.indexOf('third'));
  });

  it('a thousand callers that come and vanish leave nothing behind', async () => {
    const engine = engineWith({ waiting: 1000 });
    const random = randomStream(3);
    const gone = Array.from({ length: 1000 }, async (_, i) => {
      const controller = new AbortController();
      const working = answer(engine, long({ prompt: longPrompt(10 + (i % 100)) }), () => {}, controller.signal);
      setTimeout(() => controller.abort(), random() * 60);
      await working.catch(() => {});
    });
    await Promise.all(gone);
    expect(engine.load).toMatchObject({ running: 0, waiting: 0, cacheBytes: 0 });
    expect(await answer(engine, requestOf())).toEqual(await alone());
  });
});
