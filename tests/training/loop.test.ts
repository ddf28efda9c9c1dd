// The training loop on a toy language: it learns, stops cleanly, and a resumed run follows the very curve of one that never stopped.

import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { initialWeights } from '../../src/model/initial-weights.ts';
import { defaultAdamW } from '../../src/tensor/adamw.ts';
import { listCheckpoints } from '../../src/training/checkpoint.ts';
import { readCurve } from '../../src/training/curve.ts';
import { takeNewest, train } from '../../src/training/loop.ts';
import { folder, run, settings, shape, shown, task } from './counting.ts';

it('learns, and reports what it does', async () => {
  const { curve, result } = await run('whole');
  expect(result.stopped).toBe(false);
  expect(curve).toHaveLength(result.steps);
  expect(result.evalLoss).toBeLessThan(0.6 * curve[0]!.loss);
  expect(curve.at(-1)!.num_tokens).toBeGreaterThan(1000);
  expect(await listCheckpoints(join(folder, 'whole'))).toHaveLength(2);
});

it('continues the same curve after a stop', async () => {
  const { curve: expected } = await run('reference');
  const first = await run('stopped', 6);
  expect(first.result.stopped).toBe(true);
  const second = await run('stopped');
  const curve = [...first.curve, ...second.curve];
  expect(curve.map(shown)).toEqual(expected.map(shown));
  expect((await readCurve(join(folder, 'stopped'))).map(shown)).toEqual(expected.map(shown));
  expect(first.saved.map(({ step, reason }) => [step, reason])).toEqual([
    [4, 'schedule'],
    [6, 'stop'],
  ]);
  expect(second.saved[0]).toMatchObject({ step: 6, reason: 'found', loss: null });
  expect(second.saved.at(-1)).toMatchObject({ step: expected.length, reason: 'end', loss: expected.at(-1)!.loss });
});

it('keeps the whole curve in its folder, also where a crash made it repeat steps', async () => {
  const { curve } = await run('crashed', 7);
  // As if the process had died after step 7 with its last checkpoint at step 4, in the middle of a line.
  await rm(join(folder, 'crashed', 'step-00000007'), { recursive: true });
  await appendFile(join(folder, 'crashed', 'metrics.jsonl'), '\n{"step":8,"lo');
  const { curve: again, result } = await run('crashed');
  expect(again[0]!.step).toBe(5);
  expect(again.slice(0, 3).map(shown)).toEqual(curve.slice(4).map(shown));
  const whole = await readCurve(join(folder, 'crashed'));
  expect(whole.map(({ step }) => step)).toEqual(Array.from({ length: result.steps }, (_, i) => i + 1));
});

it('ends early once the held-out loss stops falling, with the parameters of the best look, and stays ended', async () => {
  const harsh = { learningRate: 0.3, floor: 1, evaluateEvery: 2, patience: 3, epochs: 10 };
  const { curve, result } = await run('early', 99, harsh);
  const looks = curve.flatMap(({ eval_loss }) => eval_loss ?? []);
  expect(result.stopped).toBe(false);
  expect(result.step).toBeLessThan(result.steps);
  expect(result.evalLoss).toBe(Math.min(...looks));
  expect(looks.lastIndexOf(result.evalLoss!)).toBe(looks.length - 1 - harsh.patience);
  const again = await run('early', 99, harsh);
  expect(again.curve).toEqual([]);
  expect(again.result).toMatchObject({ step: result.step, stopped: false, evalLoss: result.evalLoss });
  expect(again.result.values.get('model.embed_tokens.weight')).toEqual(result.values.get('model.embed_tokens.weight'));
});

it('saves by the clock where updates are slow', async () => {
  const { saved } = await run('clock', 3, { checkpointEvery: 1000, checkpointSeconds: 0 });
  expect(saved.map(({ step, reason }) => [step, reason])).toEqual([
    [1, 'clock'],
    [2, 'clock'],
    [3, 'clock'],
  ]);
});

it('refuses the checkpoint of a run with other settings, but not for how often it is looked at and saved', async () => {
  await run('settings', 2);
  await expect(run('settings', 2, { learningRate: 1e-3 })).rejects.toMatchObject({ code: 'conflict' });
  const { curve } = await run('settings', 1, {
    evaluateEvery: 3,
    checkpointEvery: 'auto',
    keepCheckpoints: 1,
    heldOutReplies: 5,
  });
  expect(curve[0]!.step).toBe(3);
});

describe('a run is made longer', () => {
  const weights = 'model.embed_tokens.weight';

  it('when it has ended: the rate warms up again from where it was, and the same lengthening gives the same numbers', async () => {
    const [first, second] = [await lengthened('longer', 20, 20), await lengthened('longer-again', 20, 20)];
    expect(first.curve.map(shown)).toEqual(second.curve.map(shown));
    expect(first.result.values.get(weights)).toEqual(second.result.values.get(weights));
    expect(first.result).toMatchObject({ step: 50, steps: 50, stopped: false });
    expect(first.result.cycles).toEqual([
      { from: 0, to: 20 },
      { from: 20, to: 50 },
    ]);
    const rates = first.curve.map(({ learning_rate: rate }) => rate);
    expect(rates[19]).toBeCloseTo(0.1 * settings.learningRate, 8);
    // Three updates of warm-up, from the floor to the top, then down again.
    expect(rates.slice(20, 23).map((rate) => rate / settings.learningRate)).toEqual(
      [0.4, 0.7, 1].map((x) => expect.closeTo(x, 8)),
    );
    expect(rates.slice(22)).toEqual(rates.slice(22).toSorted((a, b) => b - a));
  });

  it('when it was stopped, from the step and the rate it had come to', async () => {
    const [first, second] = [await lengthened('stopped-longer', 20, 8), await lengthened('stopped-longer-again', 20, 8)];
    expect(first.curve.map(shown)).toEqual(second.curve.map(shown));
    expect(first.result.cycles).toEqual([
      { from: 0, to: 20 },
      { from: 8, to: 50 },
    ]);
    const rates = first.curve.map(({ learning_rate: rate }) => rate);
    expect(rates[8]).toBeGreaterThan(rates[7]!);
    expect(rates[11]).toBeCloseTo(settings.learningRate, 8);
  });

  it('and goes on as one run if it is interrupted once more', async () => {
    const { curve: expected } = await lengthened('twice', 20, 20);
    await run('twice-stopped', 99, { steps: 20 });
    const first = await run('twice-stopped', 7, { steps: 50 });
    expect(first.result).toMatchObject({ step: 27, stopped: true });
    const second = await run('twice-stopped', 99, { steps: 50 });
    expect([...first.curve, ...second.curve].map(shown)).toEqual(expected.slice(20).map(shown));
    expect((await readCurve(join(folder, 'twice-stopped'))).map(shown)).toEqual(expected.map(shown));
  });

  it('but never shorter than it is', async () => {
    await run('no-shorter', 8, { steps: 20 });
    await expect(run('no-shorter', 99, { steps: 8 })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('has made 8 of 20 steps already and cannot end at 8'),
    });
    expect((await run('no-shorter', 99, { steps: 12 })).result).toMatchObject({ step: 12, stopped: false });
  });

  async function lengthened(name: string, steps: number, stopAfter: number) {
    const first = await run(name, stopAfter, { steps });
    const second = await run(name, 999, { steps: 50 });
    return { curve: [...first.curve, ...second.curve], result: second.result };
  }
});

it('trains for minutes: steps are timed, their number is kept, and the run is that of so many steps', async () => {
  const minutes = { minutes: 0.02 };
  const notes: string[] = [];
  const timed = await run('minutes', 1, minutes, (text) => notes.push(text));
  const { steps } = timed.result;
  expect(notes).toContain('timing up to 10 steps, to tell how many take 0.02 minutes');
  expect(notes.at(-1)).toMatch(new RegExp(`^0\\.02 minutes at \\d+ ms a step: ${steps} steps?$`));
  expect(timed.result).toMatchObject({ step: 1, cycles: [{ from: 0, to: steps }] });
  const again = await run('minutes', 999_999, minutes, () => {});
  expect(again.result).toMatchObject({ step: steps, steps });
  const reference = await run('minutes-as-steps', 999_999, { steps });
  expect([...timed.curve, ...again.curve].map(shown)).toEqual(reference.curve.map(shown));
});

it('gives the model of its newest checkpoint without training', async () => {
  const { result: whole } = await run('published-whole', 999, { steps: 12 });
  await run('published', 12, { steps: 40 });
  const rest = { ...settings, steps: 40 };
  const taken = await takeNewest(task(), rest, join(folder, 'published'));
  expect(taken).toMatchObject({ step: 12, steps: 40, stopped: true, evalLoss: expect.any(Number) });
  expect(taken.values.size).toBe(whole.values.size);
  const other = { ...rest, learningRate: 1 };
  await expect(takeNewest(task(), other, join(folder, 'published'))).rejects.toMatchObject({ code: 'conflict' });
  await expect(takeNewest(task(), rest, join(folder, 'nothing'))).rejects.toMatchObject({ code: 'not_found' });
  expect((await run('published', 999, { steps: 40 })).result).toMatchObject({ step: 40, stopped: false });
});

it('takes up a checkpoint whatever the order its settings are told in', async () => {
  await run('reordered', 2);
  const { checkpointEvery, ...rest } = settings;
  const reordered = { ...rest, adamw: Object.fromEntries(Object.entries(defaultAdamW).toReversed()) as never, checkpointEvery };
  const result = await train(task(), reordered, join(folder, 'reordered'), () => {}, new AbortController().signal);
  expect(result.stopped).toBe(false);
});

it('ends a run whose loss is no number', async () => {
  await expect(run('diverged', 99, { learningRate: 1e30 })).rejects.toMatchObject({ code: 'training_failed' });
});

it('trains adapters only, and merges them into the model they came from', async () => {
  const { curve, result } = await run('lora', 99, { lora: { rank: 4, alpha: 8 }, learningRate: 3e-2 });
  expect(result.evalLoss).toBeLessThan(curve[0]!.loss);
  const before = new Map(initialWeights(shape, 1));
  expect(result.values.get('model.embed_tokens.weight')).toEqual(before.get('model.embed_tokens.weight'));
  expect(result.values.get('model.layers.0.mlp.up_proj.weight')).not.toEqual(before.get('model.layers.0.mlp.up_proj.weight'));
  const merged = task();
  const again = await train(
    { ...merged, parameters: { shapes: merged.parameters.shapes, values: result.values } },
    { ...settings, steps: 1, learningRate: 0 },
    join(folder, 'merged'),
    () => {},
    new AbortController().signal,
  );
  expect(again.evalLoss).toBeCloseTo(result.evalLoss!, 4);
});
