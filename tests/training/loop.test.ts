// The training loop on a toy language: it learns, stops cleanly, and a resumed run follows the very curve of one that never stopped.

import { appendFile, mkdtemp, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initialWeights } from '../../src/model/initial-weights.ts';
import { parameterShapes } from '../../src/model/shape.ts';
import { randomStream } from '../../src/random.ts';
import { defaultAdamW } from '../../src/tensor/adamw.ts';
import { packedBatches } from '../../src/training/batches.ts';
import { listCheckpoints } from '../../src/training/checkpoint.ts';
import { readCurve } from '../../src/training/curve.ts';
import { takeNewest, train } from '../../src/training/loop.ts';
import { nextTokenObjective } from '../../src/training/objective.ts';
import type { Sequence } from '../../src/training/packing.ts';
import type { TrainingSettings } from '../../src/training/training-settings.ts';
import type { Metrics, SavedCheckpoint, TrainingTask } from '../../src/training/training-task.ts';
import { tinyShape } from '../model/tiny-shape.ts';

const shape = { ...tinyShape, vocabSize: 24, intermediateSize: 32, heads: 2, kvHeads: 1, headDim: 8, contextLength: 32 };
const settings: TrainingSettings = {
  epochs: 3,
  steps: null,
  accumulation: 2,
  learningRate: 1e-2,
  floor: 0.1,
  warmup: 0.1,
  adamw: defaultAdamW,
  seed: 7,
  lora: null,
  evaluateEvery: 5,
  checkpointEvery: 4,
  keepCheckpoints: 2,
  threads: 1,
};
const [B, T] = [4, 16];

/** Each sequence counts upwards from a random start; epochs differ, as with label dropout. */
function* sequences(count: number, epoch: number): Generator<Sequence> {
  const random = randomStream(3, epoch);
  for (let i = 0; i < count; i++) {
    const length = 5 + Math.floor(random() * 20);
    const start = Math.floor(random() * 24);
    yield { ids: Array.from({ length }, (_, j) => (start + j) % 24), weights: new Float32Array(length).fill(1) };
  }
}

function task(identity = 'counting'): TrainingTask {
  return {
    shape,
    parameters: { shapes: parameterShapes(shape), values: new Map(initialWeights(shape, 1)) },
    objective: (network) => nextTokenObjective(shape, network, B, T),
    training: packedBatches((epoch) => sequences(60, epoch), { B, T, seed: 5 }),
    validation: packedBatches(() => sequences(10, -1), { B, T, seed: 0, shuffle: false }),
    identity,
  };
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steer-training-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(
  name: string,
  stopAfter = Number.POSITIVE_INFINITY,
  changed: Partial<TrainingSettings> = {},
  onNote = (_: string) => {},
) {
  const curve: Metrics[] = [];
  const stop = new AbortController();
  const onMetrics = (metrics: Metrics) => {
    curve.push(metrics);
    if (curve.length === stopAfter) stop.abort();
  };
  const saved: Omit<SavedCheckpoint, 'values'>[] = [];
  const onCheckpoint = async ({ values: _, ...checkpoint }: SavedCheckpoint) => void saved.push(checkpoint);
  const result = await train(
    { ...task(), onCheckpoint, onNote },
    { ...settings, ...changed },
    join(folder, name),
    onMetrics,
    stop.signal,
  );
  return { curve, result, saved };
}

const shown = ({ step, loss, grad_norm, learning_rate, eval_loss }: Metrics) => ({
  step,
  loss,
  grad_norm,
  learning_rate,
  eval_loss,
});

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

it.each(['position.json', 'state.safetensors'])(
  'goes on from the newest whole checkpoint where a newer %s is torn',
  async (file) => {
    const { curve } = await run(`torn-${file}`, 7);
    const at = (step: number) => join(folder, `torn-${file}`, `step-0000000${step}`, file);
    await truncate(at(7), (await stat(at(7))).size / 2);
    const told: string[] = [];
    const { curve: again } = await run(`torn-${file}`, 1, {}, (text) => told.push(text));
    expect(again.map(shown)).toEqual(curve.slice(4, 5).map(shown));
    expect(told).toContainEqual(expect.stringMatching(/^passing over the checkpoint step-00000007, which is not whole: /));
    expect(await listCheckpoints(join(folder, `torn-${file}`))).toEqual(['step-00000004', 'step-00000005']);
  },
);

it('says so where no checkpoint is whole', async () => {
  await run('none-whole', 6);
  for (const step of [4, 6]) await truncate(join(folder, 'none-whole', `step-0000000${step}`, 'position.json'), 0);
  await expect(run('none-whole')).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/Expected a whole checkpoint in .*none-whole, found none\. .*step-00000006/),
  });
  expect(await listCheckpoints(join(folder, 'none-whole'))).toHaveLength(2);
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
