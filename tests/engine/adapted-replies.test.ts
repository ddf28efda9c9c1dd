// Replies under low-rank adapters that stay apart from their base: adapters of PEFT give what the merged model gives, no reply depends on whose adapter
// others are written under, and what is kept of prompts is kept for each adapter.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine, engineDefaults } from '../../src/engine/engine.ts';
import { type OpenRunner, openRunner, type RunnerOptions } from '../../src/engine/open-runner.ts';
import type { GenerationRequest } from '../../src/engine/request.ts';
import { mergePeft } from '../../src/model/formats/peft.ts';
import { blankCard } from '../../src/model/model-folder.ts';
import { randomStream } from '../../src/random.ts';
import { smallTokenizer } from '../model/tokenizer/small-tokenizer.ts';
import { readGolden } from './models.ts';
import { vectorSum } from './steered-paths.ts';
import { answer, longPrompt, requestOf, vocabulary } from './tiny-engine.ts';

const golden = (path: string) => fileURLToPath(new URL(`../golden/${path}`, import.meta.url));
const names = ['first', 'second'];
const adapters = new Map(names.map((name, i) => [name, golden(`peft/${i}`)]));
const base = golden('llama/gqa');
const open = (change: Partial<RunnerOptions> = {}, model: Parameters<typeof openRunner>[0] = base) =>
  openRunner(model, { ...engineDefaults, threads: 2, precision: 'int8', provider: 'cpu', adapters, ...change });

let opened: OpenRunner;
beforeAll(async () => {
  opened = await open();
});
afterAll(() => opened.dispose());

/** Engines share what the runner keeps of prompts; another runner keeps nothing yet. */
const engineOf = ({ runner }: OpenRunner) => new Engine(runner, vocabulary, engineDefaults);
const write = async (engine: Engine, fields: Parameters<typeof requestOf>[0]) => (await answer(engine, requestOf(fields))).tokens;

/** Scores (V) after a prompt. */
async function scoresAfter({ runner }: OpenRunner, prompt: number[], adapter?: string): Promise<Float32Array> {
  const reading = runner.read(prompt, [], adapter);
  while (reading.computed < reading.needed) await runner.advance(reading, Math.min(64, reading.needed - reading.computed));
  const scores = reading.scores!.slice();
  runner.drop(reading);
  return scores;
}

it.each([0, 1])('is under adapter %i of PEFT as near to the merged model in fp32 as without one to the base', async (i) => {
  const prompt = longPrompt(50);
  const model = { ...(await readGolden('gqa')), tokenizer: smallTokenizer, card: blankCard('gqa') };
  const apart = async (values: typeof model.values, scores: Float32Array) => {
    const whole = await open({ precision: 'fp32', adapters: undefined }, { ...model, values });
    const expected = await scoresAfter(whole, prompt);
    await whole.dispose();
    return scores.reduce((most, score, id) => Math.max(most, Math.abs(score - expected[id]!)), 0);
  };
  const merged = (await mergePeft(model, golden(`peft/${i}`))).values;
  const plain = await scoresAfter(opened, prompt);
  const rounding = await apart(model.values, plain);
  expect(await apart(merged, await scoresAfter(opened, prompt, names[i]))).toBeLessThan(1.5 * rounding);
  expect(await apart(merged, plain)).toBeGreaterThan(5 * rounding);
});

it('gives forty requests under adapters, vectors or neither, come at random times, each what it gets alone', async () => {
  const seed = 8;
  const random = randomStream(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const shape = (await readGolden('gqa')).shape;
  const requests = Array.from({ length: 40 }, (_, i): Partial<GenerationRequest> => {
    const branches = [{ prompt: longPrompt(1 + below(150), below(3)), weight: 1 }];
    const phases = [{ branches, vectorSum: random() < 0.3 ? vectorSum(shape, below(2)) : undefined }];
    const drawing = { n: 1 + below(3), maxTokens: 1 + below(20), seed: i, temperature: random() < 0.5 ? 0 : 1 };
    return { ...drawing, phases, adapter: [...names, undefined][below(3)] };
  });
  const engine = engineOf(opened);
  const together = await Promise.all(
    requests.map(async (fields, i) => {
      for (let turn = 0; turn < i * 2; turn++) await new Promise((resolve) => setImmediate(resolve));
      return await write(engine, fields);
    }),
  );
  expect(engine.load).toMatchObject({ running: 0, waiting: 0, cacheBytes: 0 });
  const other = await open({ prefixBytes: 0 });
  for (const [i, fields] of requests.entries()) {
    expect(await write(engineOf(other), fields), `seed ${seed}, request ${i}`).toEqual(together[i]);
  }
  await other.dispose();
});

it('keeps what is read under an adapter for that adapter alone', async () => {
  // The same list each time, as a caller in this thread may pass it.
  const prompt = longPrompt(140);
  const fields = { prompt, temperature: 0, maxTokens: 8 };
  const [kept, fresh] = [await open(), await open({ prefixBytes: 0 })];
  const engine = engineOf(kept);
  const said = new Set<string>();
  const bytes: number[] = [];
  for (const adapter of [...names, undefined]) {
    const tokens = await write(engineOf(fresh), { ...fields, adapter });
    expect(await write(engine, { ...fields, adapter })).toEqual(tokens);
    said.add(tokens.join());
    bytes.push(engine.load.prefixBytes);
  }
  expect(said.size).toBe(3);
  expect(bytes).toEqual([1, 2, 3].map((count) => count * bytes[0]!));
  for (const adapter of [undefined, ...names]) {
    // Too short to fill a block of its own.
    const again = { ...fields, maxTokens: 2, prompt: [...prompt, 3], adapter };
    expect(await write(engine, again)).toEqual(await write(engineOf(fresh), again));
    expect(engine.load.prefixBytes).toBe(bytes[2]);
  }
  await Promise.all([kept.dispose(), fresh.dispose()]);
});

describe('refused', () => {
  it('an adapter that was not added, naming those that were', async () => {
    await expect(write(engineOf(opened), { adapter: 'third' })).rejects.toMatchObject({
      code: 'invalid_request',
      message: 'Expected one of the adapters first, second; got "third".',
      details: { param: 'adapter' },
    });
    const plain = await open({ precision: 'fp32', adapters: undefined });
    await expect(write(engineOf(plain), { adapter: 'constructor' })).rejects.toThrow(
      'Expected no adapter: none was added to this model; got "constructor".',
    );
    await plain.dispose();
  });

  it('adapters where the runtime computes, and adapters that only a merged model can have', async () => {
    await expect(open({ precision: 'fp32' })).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(/^The adapter "first": adapters stay apart from their base in int8 and int4/),
    });
    await expect(open({ adapters: new Map([['head', golden('peft/2')]]) })).rejects.toMatchObject({
      code: 'invalid_model',
      message: expect.stringMatching(/lm_head.* which cannot stay apart from a model/),
    });
  });
});
