// Vectors added to the layers: what PyTorch says with hooks on them (golden/make_steered_golden.py), and the kernels beside the runtime.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { exactModel, kernelModels } from './kernel/models.ts';
import { readGolden } from './models.ts';
import { openHostPath, openKernelPath, type SteeredPath, vectorSum } from './steered-paths.ts';

interface Golden {
  input_ids: number[];
  starts: [number, number];
  told: number[];
  logits: Record<string, number[][]>;
}

const golden = JSON.parse(readFileSync(new URL('../golden/steered.json', import.meta.url), 'utf8')) as Golden;
const { input_ids: ids, starts, told } = golden;

async function scoresOf(path: SteeredPath): Promise<Float32Array[]> {
  const [first, second] = [0, 1].map((phase) => vectorSum(path.shape, phase));
  const sums = ids.map((_, place) => (place < starts[0] ? undefined : place < starts[1] ? first : second));
  const scores: Float32Array[] = [];
  for (const place of told) scores.push(await path.read(ids.slice(0, place + 1), sums.slice(0, place + 1)));
  await path.dispose();
  return scores;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

it.each(Object.keys(golden.logits))('%s: the runtime gives the scores of transformers', async (name) => {
  const found = await scoresOf(await openHostPath(await readGolden(name)));
  for (const [i, scores] of found.entries()) {
    expect(largestDifference(scores, golden.logits[name]![i]!), `after token ${told[i]}`).toBeLessThan(1e-4);
  }
});

it.each(kernelModels)('%s: the kernels give the scores of the runtime, but for their rounding', async (name) => {
  const model = await exactModel(name);
  const [found, expected] = [await scoresOf(await openKernelPath(model)), await scoresOf(await openHostPath(model))];
  for (const [i, scores] of found.entries()) {
    const spread = Math.max(...expected[i]!) - Math.min(...expected[i]!);
    expect(largestDifference(scores, expected[i]!) / spread, `after token ${told[i]}`).toBeLessThan(0.02);
  }
});
