// A whole model through its real thread: a small one made here, whose weights are random and whose replies are noise of every byte.
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CompletionEvent, CompletionRequest, LanguageModel } from '../../src/generation/language-model.ts';
import { openLanguageModel } from '../../src/generation/steered-model.ts';
import { readModelCard, writeModelCard } from '../../src/model/model-folder.ts';
import { layOutPrompt } from '../../src/steerlm/prompt-layout.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import { writeSmallModel } from '../engine/models.ts';

const contextLength = 160;
let folder: string;
let model: LanguageModel;
let prompt: number[];

beforeAll(async () => {
  folder = await writeSmallModel(contextLength);
  model = await openLanguageModel(folder, { threads: 1, sequences: 8, waiting: 1 });
  const conversation = { system: 'The guard', turns: [{ role: 'user' as const, content: 'Is the gate shut?' }] };
  prompt = model.encode(layOutPrompt(model.schema, conversation, { humor: 4 }));
});
afterAll(async () => {
  await model.dispose();
  await rm(folder, { recursive: true });
});

type End = CompletionEvent & { kind: 'end' };
const sampling = { temperature: 1, topP: 1, topK: 0 };
const never = new AbortController().signal;

function requestOf(fields: Partial<CompletionRequest> = {}): CompletionRequest {
  return { prompt, maxTokens: 60, stop: [], seed: 3, n: 1, ...sampling, ...fields };
}

/** Ends in order of index; the deltas of each must make its text. */
async function gather(events: AsyncIterable<CompletionEvent>): Promise<End[]> {
  const deltas = new Map<number, string>();
  const ends: End[] = [];
  for await (const event of events) {
    expect(ends[event.index], 'an event after the end').toBeUndefined();
    if (event.kind === 'end') ends[event.index] = event;
    else {
      expect(event.text).not.toBe('');
      expect(event.text).not.toMatch(/\p{Surrogate}/u);
      deltas.set(event.index, (deltas.get(event.index) ?? '') + event.text);
    }
  }
  for (const end of ends) expect(deltas.get(end.index) ?? '').toBe(end.text);
  return ends;
}

it.each(['int8', 'fp32'] as const)('a context that no cache could hold is what the cache has room for: %s', async (precision) => {
  const wide = await writeSmallModel(2 ** 24);
  const roomy = await openLanguageModel(wide, { threads: 1, precision, cacheBytes: 2 ** 17 });
  const [end] = await gather(roomy.complete(requestOf({ maxTokens: 2 ** 24 }), never));
  await roomy.dispose();
  await rm(wide, { recursive: true });
  expect(roomy.contextLength).toBeLessThan(2 ** 12);
  expect(end!.completionTokens).toBeGreaterThan(0);
  expect(prompt.length + end!.completionTokens).toBeLessThanOrEqual(roomy.contextLength);
});

const ask = (fields: Partial<CompletionRequest> = {}) => gather(model.complete(requestOf(fields), never));

/** Waits until replies are being written; the function returned gathers them. */
async function begin(fields: Partial<CompletionRequest>): Promise<() => Promise<End[]>> {
  const rest = model.complete(requestOf(fields), never)[Symbol.asyncIterator]();
  const first = await rest.next();
  const gathered = gather(
    (async function* () {
      yield first.value;
      yield* { [Symbol.asyncIterator]: () => rest };
    })(),
  );
  return () => gathered;
}

it('tells who it is', () => {
  expect(model).toMatchObject({ id: 'small', contextLength, schema: { name: gameCharacters.name } });
  expect(model.revision).toMatch(/^[0-9a-f]{12}$/);
});

it('says the same for the same seed and something else for another', async () => {
  const [first] = await ask();
  expect(first!.text.length).toBeGreaterThan(20);
  expect(await ask()).toEqual([first]);
  expect((await ask({ seed: 4 }))[0]!.text).not.toBe(first!.text);
});

it('gives n replies, each the one its seed gives alone, some ended by the model and some by their length', async () => {
  const together = await ask({ n: 6 });
  expect(together).toHaveLength(6);
  expect(new Set(together.map((end) => end.finishReason))).toEqual(new Set(['stop', 'length']));
  for (const index of [0, 3, 5]) {
    const [alone] = await ask({ seed: 3 + index });
    expect({ ...alone, index }).toEqual(together[index]);
  }
  for (const end of together) {
    if (end.finishReason === 'length') expect(end.completionTokens).toBe(60);
    else expect(end.completionTokens).toBeLessThan(60);
  }
});

it('never picks a control token or a row that stands for no token, though the model shouts them', async () => {
  for (const temperature of [0, 1]) {
    const ends = await ask({ n: 4, maxTokens: 100, temperature });
    expect(ends.reduce((sum, end) => sum + end.completionTokens, 0)).toBeGreaterThan(100);
    // A text token stands for at least one byte, the others for none; one newline may have closed the turn.
    for (const end of ends) expect(Buffer.byteLength(end.text) + 1).toBeGreaterThanOrEqual(end.completionTokens);
  }
});

it('ends a reply at a stop string and leaves the others alone', async () => {
  const free = await ask({ n: 3 });
  const text = free[1]!.text;
  const stop = text.slice(10, 13);
  const ends = await ask({ n: 3, stop: [stop] });
  for (const [index, end] of ends.entries()) {
    const whole = free[index]!;
    const at = whole.text.indexOf(stop);
    expect(end.text).toBe(at < 0 ? whole.text : whole.text.slice(0, at));
    if (at >= 0) expect(end.finishReason).toBe('stop');
    if (at >= 0) expect(end.completionTokens).toBeLessThan(whole.completionTokens);
  }
  expect(ends[1]!.text).toBe(text.slice(0, text.indexOf(stop)));
});

it('clips a reply to the context and refuses a prompt that fills it', async () => {
  const long = Array.from({ length: contextLength - 3 }, (_, i) => prompt[i % prompt.length]!);
  const ends = await ask({ prompt: long, maxTokens: 1000, n: 3 });
  expect(ends.map((end) => end.completionTokens)).toEqual([3, 3, 3]);
  const full = [...long, 1, 1, 1];
  await expect(ask({ prompt: full })).rejects.toMatchObject({
    code: 'context_length_exceeded',
    message: expect.stringMatching(/at most 159 tokens.* context of 160.* found 160/),
  });
  await expect(ask({ prompt: [] })).rejects.toMatchObject({ code: 'invalid_request' });
});

it('answers requests at once, each as if alone, and refuses more than may wait', async () => {
  const one = await begin({ n: 4, seed: 50 });
  const two = await begin({ n: 4, maxTokens: 5, seed: 60 });
  const crowd = await Promise.allSettled(Array.from({ length: 30 }, (_, i) => ask({ n: 8, seed: i })));
  const refused = crowd.filter((settled) => settled.status === 'rejected').map(({ reason }) => reason);
  expect(refused.length).toBeGreaterThan(0);
  for (const reason of refused) expect(reason).toMatchObject({ code: 'overloaded', details: { retryAfterS: 1 } });
  expect(await Promise.all([one(), two()])).toEqual([await ask({ n: 4, seed: 50 }), await ask({ n: 4, maxTokens: 5, seed: 60 })]);
});

it('cancels on abort and is free for others at once', async () => {
  for (let round = 0; round < 5; round++) {
    const controller = new AbortController();
    const seen: CompletionEvent[] = [];
    const reading = (async () => {
      for await (const event of model.complete(requestOf({ n: 8, maxTokens: 100 }), controller.signal)) {
        seen.push(event);
        controller.abort();
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
    expect(seen.some((event) => event.kind === 'end')).toBe(false);
  }
  expect((await ask({ maxTokens: 3 }))[0]!.completionTokens).toBe(3);
  for await (const event of model.complete(requestOf(), never)) {
    expect(event.kind).toBe('delta');
    break;
  }
  expect((await ask({ maxTokens: 3 }))[0]!.completionTokens).toBe(3);
});

it('ends the process cleanly when disposed amid a reply', async () => {
  const script = `
    const { openLanguageModel } = await import(process.argv[2]);
    const model = await openLanguageModel(process.argv[3], { threads: 1 });
    const request = { prompt: [5, 6, 7], maxTokens: 150, temperature: 1, topP: 1, topK: 0, stop: [], seed: 1, n: 8 };
    try {
      for await (const event of model.complete(request, new AbortController().signal)) await model.dispose();
    } catch (error) {
      console.log(error.code);
    }
    const late = model.complete(request, new AbortController().signal);
    await late.next().catch((error) => console.log(error.code));`;
  const built = new URL('../../dist/src/generation/steered-model.js', import.meta.url).href;
  await writeFile(`${folder}/dispose.mjs`, script);
  const run = await promisify(execFile)(process.execPath, [`${folder}/dispose.mjs`, built, folder]);
  expect(run).toEqual({ stdout: 'not_ready\nnot_ready\n', stderr: '' });
});

it('refuses folders that hold no language model of this layout', async () => {
  const options = { threads: 1 };
  await expect(openLanguageModel('/nowhere', options)).rejects.toMatchObject({ code: 'invalid_model' });
  const other = await writeSmallModel(64);
  const card = await readModelCard(other);
  await writeModelCard(other, { ...card, kind: 'predictor' });
  await expect(openLanguageModel(other, options)).rejects.toThrow('found the predictor small');
  await writeModelCard(other, { ...card, promptLayoutVersion: 9 });
  await expect(openLanguageModel(other, options)).rejects.toThrow('expected a model of prompt layout 1, found layout 9');
  await writeModelCard(other, card);
  await rm(`${other}/model.safetensors`);
  await expect(openLanguageModel(other, options)).rejects.toMatchObject({ code: 'invalid_model' });
  await rm(`${other}/steerlm.json`);
  await rm(other, { recursive: true });
});
