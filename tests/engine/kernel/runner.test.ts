// The engine over blocks: replies under one prompt share its blocks, what is kept is read once, everything is given back, and nobody's reply
// depends on who else is served.
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Engine, type EngineOptions, engineDefaults } from '../../../src/engine/engine.ts';
import { BlockPool } from '../../../src/engine/kernel/block-pool.ts';
import { Crew } from '../../../src/engine/kernel/crew.ts';
import { KernelDecoder } from '../../../src/engine/kernel/decoder.ts';
import { KernelRunner } from '../../../src/engine/kernel/runner.ts';
import { type GenerationRequest, onePrompt } from '../../../src/engine/request.ts';
import { randomStream } from '../../../src/random.ts';
import { exactModel } from './models.ts';

let decoder: KernelDecoder;
beforeAll(async () => {
  decoder = await KernelDecoder.open(await exactModel('tied-llama3-rope'), { threads: 2, rows: 64 });
});
afterAll(() => decoder.dispose());

const vocabulary = () => {
  const V = decoder.shape.vocabSize;
  return { allowed: new Uint8Array(V).fill(1), stopTokens: [], endsSentence: new Uint8Array(V) };
};

function engineWith(options: Partial<EngineOptions> = {}): { engine: Engine; runner: KernelRunner } {
  const settings = { ...engineDefaults, ...options };
  const runner = new KernelRunner(decoder, settings.prefixBytes);
  return { engine: new Engine(runner, vocabulary(), settings), runner };
}

type Fields = Partial<GenerationRequest> & { prompt: number[] };

async function answer(engine: Engine, { prompt, ...fields }: Fields): Promise<number[][]> {
  const n = fields.n ?? 1;
  const tokens: number[][] = Array.from({ length: n }, () => []);
  const request: GenerationRequest = {
    ...{ phases: onePrompt(prompt), maxTokens: 12, n, seed: 11, priority: 'interactive' },
    ...{ temperature: 1, topP: 1, topK: 0, ended: new Uint8Array(new SharedArrayBuffer(n)) },
    ...fields,
  };
  await engine.generate(
    request,
    (event) => 'token' in event && tokens[event.index]!.push(event.token),
    new AbortController().signal,
  );
  return tokens;
}

const promptOf = (length: number, from = 0) => Array.from({ length }, (_, i) => (from + i * 7) % 60);

it('gives fifty requests, come at random times, each what it gets alone, and every block back', async () => {
  const seed = 5;
  const random = randomStream(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const requests = Array.from({ length: 50 }, (_, i): Fields => {
    const prompt = promptOf(1 + below(150), below(4));
    return {
      prompt,
      n: 1 + below(4),
      maxTokens: 1 + below(70),
      seed: i,
      temperature: random() < 0.3 ? 0 : 1,
      topK: below(3) * 9,
    };
  });
  const { engine, runner } = engineWith({ sequences: 24 });
  const together = await Promise.all(
    requests.map(async (fields, i) => {
      for (let turn = 0; turn < i * 2; turn++) await new Promise((resolve) => setImmediate(resolve));
      return await answer(engine, fields);
    }),
  );
  expect(engine.load).toMatchObject({ running: 0, waiting: 0, cacheBytes: 0 });
  expect(engine.load.prefixBytes).toBeGreaterThan(0);
  runner.dispose();
  expect(engine.load.prefixBytes).toBe(0);
  for (const [i, fields] of requests.entries()) {
    expect(await answer(engineWith({ prefixBytes: 0 }).engine, fields), `seed ${seed}, request ${i}`).toEqual(together[i]);
  }
});

it('reads a beginning once, and says the same after it', async () => {
  const reads = vi.spyOn(decoder, 'read');
  const lengths = () => reads.mock.calls.splice(0).map(([{ ids }]) => ids.length);
  const { engine } = engineWith();
  const persona = promptOf(150);
  await answer(engine, { prompt: [...persona, 1] });
  expect(lengths()).toEqual([64, 64, 23]);
  const again = await answer(engine, { prompt: [...persona, 2] });
  // Whole blocks of 16 tokens.
  expect(lengths()).toEqual([7]);
  const parted = [...persona.slice(0, 100), ...promptOf(10, 3)];
  await answer(engine, { prompt: parted });
  expect(lengths()).toEqual([14]);
  expect(again).toEqual(await answer(engineWith().engine, { prompt: [...persona, 2] }));
  reads.mockRestore();
});

it('goes on from what it has written, and says the same', async () => {
  const reads = vi.spyOn(decoder, 'read');
  const lengths = () => reads.mock.calls.splice(0).map(([{ ids }]) => ids.length);
  const { engine } = engineWith();
  const asked = promptOf(37);
  const [reply] = await answer(engine, { prompt: asked, maxTokens: 30 });
  await answer(engine, { prompt: asked, maxTokens: 30, seed: 12 });
  expect(lengths()).toEqual([37, 5]);
  const next = [...asked, ...reply!, ...promptOf(8, 3)];
  const answered = await answer(engine, { prompt: next });
  // The last token was written, and never read: 66 lie in four whole blocks.
  expect(lengths()).toEqual([next.length - 64]);
  expect(answered).toEqual(await answer(engineWith({ prefixBytes: 0 }).engine, { prompt: next }));
  reads.mockRestore();
});

it('keeps nothing of a reply from the first token on that was written under a sum', async () => {
  const reads = vi.spyOn(decoder, 'read');
  const { engine } = engineWith();
  const asked = promptOf(37);
  const vectorSum = new Float32Array(decoder.sums.sumLength).fill(0.1);
  const [reply] = await answer(engine, { prompt: asked, phases: [{ ...onePrompt(asked)[0]!, vectorSum }], maxTokens: 30 });
  reads.mockClear();
  const next = [...asked, ...reply!, 5];
  const answered = await answer(engine, { prompt: next });
  // The prompt's two whole blocks are known.
  expect(reads.mock.calls.reduce((sum, [{ ids }]) => sum + ids.length, 0)).toBe(next.length - 32);
  expect(answered).toEqual(await answer(engineWith({ prefixBytes: 0 }).engine, { prompt: next }));
  reads.mockRestore();
});

it('keeps no more beginnings than it may', async () => {
  const prefixBytes = 3 * 4 * decoder.blockBytes;
  const { engine } = engineWith({ prefixBytes });
  for (let from = 0; from < 6; from++) {
    await answer(engine, { prompt: promptOf(140, from), maxTokens: 1 });
    expect(engine.load.prefixBytes).toBeLessThanOrEqual(prefixBytes);
  }
  expect(engine.load.prefixBytes).toBe(prefixBytes);
});

it('counts the blocks of replies under one prompt once', async () => {
  const { engine } = engineWith();
  let most = 0;
  const request = { phases: onePrompt(promptOf(100)), maxTokens: 8, n: 5, seed: 1, priority: 'interactive' as const };
  await engine.generate(
    { ...request, temperature: 1, topP: 1, topK: 0, ended: new Uint8Array(new SharedArrayBuffer(5)) },
    () => {
      most = Math.max(most, engine.load.cacheBytes);
    },
    new AbortController().signal,
  );
  // Six full blocks together, then each its own seventh.
  expect(most).toBe((6 + 5) * decoder.blockBytes);
});

it('counts the sum of steering vectors of a request once, and uses its room again', async () => {
  const sumBytes = 4 * decoder.sums.sumLength;
  const { engine } = engineWith();
  const phases = () => [{ ...onePrompt(promptOf(20))[0]!, vectorSum: new Float32Array(decoder.sums.sumLength).fill(0.1) }];
  const most = async () => {
    let bytes = 0;
    const request = { phases: phases(), maxTokens: 4, n: 3, seed: 1, priority: 'interactive' as const };
    await engine.generate(
      { ...request, temperature: 1, topP: 1, topK: 0, ended: new Uint8Array(new SharedArrayBuffer(3)) },
      () => {
        bytes = Math.max(bytes, engine.load.cacheBytes);
      },
      new AbortController().signal,
    );
    return bytes;
  };
  // One full block together, and each its own second.
  expect(await most()).toBe((1 + 3) * decoder.blockBytes + sumBytes);
  expect(engine.load.cacheBytes).toBe(0);
  const allocate = vi.spyOn(Crew.prototype, 'allocate');
  expect(await most()).toBe((1 + 3) * decoder.blockBytes + sumBytes);
  expect(allocate).not.toHaveBeenCalled();
  allocate.mockRestore();
});

it('copies a block only where somebody else uses it too', () => {
  const copies: [number, number][] = [];
  const cleared: number[] = [];
  let next = 0;
  const pool = new BlockPool({
    blockBytes: 10,
    newBlock: () => next++,
    copyBlock: (...pair) => copies.push(pair),
    clearBlock: (block) => cleared.push(block),
  });
  const block = pool.take();
  expect(pool.own(block)).toBe(block);
  pool.retain(block);
  const copy = pool.own(block);
  expect(copies).toEqual([[block, copy]]);
  expect(pool.bytes).toBe(20);
  pool.release(copy);
  pool.release(block);
  expect(pool.bytes).toBe(0);
  expect(cleared).toEqual([]);
  expect([pool.take(), pool.take()]).toEqual([block, copy]);
  expect(cleared).toEqual([block, copy]);
});
