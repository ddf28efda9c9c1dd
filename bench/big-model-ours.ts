// One loading of a big model in a process of its own: node dist/bench/big-model-ours.js <folder> <precision> <tokens>. Prints JSON.
import { readFileSync } from 'node:fs';
import { engineDefaults } from '../src/engine/engine.ts';
import type { SeatedSequence } from '../src/engine/onnx/bands.ts';
import { openRunner } from '../src/engine/open-runner.ts';
import type { Precision } from '../src/model/loaded-network.ts';
import { median } from './results.ts';

const [folder, precision, tokens] = process.argv.slice(2) as [string, Precision, string];

function memoryMiB(field: 'VmHWM' | 'VmRSS'): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
}

const before = performance.now();
const options = { ...engineDefaults, threads: 2, precision, provider: 'cpu' as const, sequences: 1 };
const { runner, weightBytes, dispose } = await openRunner(folder, options);
const loadS = (performance.now() - before) / 1000;
const peakMiB = memoryMiB('VmHWM');
const loadedMiB = memoryMiB('VmRSS');

const reading = runner.read([1]);
await runner.advance(reading, 1);
const sequence: SeatedSequence = { seat: undefined, computed: 1 };
runner.seat(sequence, reading);
let token = likeliest(reading.scores!);
runner.drop(reading);
const seconds: number[] = [];
while (seconds.length < Number(tokens)) {
  const start = performance.now();
  const [scores] = await runner.run(runner.batches()[0]!, [token]);
  seconds.push((performance.now() - start) / 1000);
  token = likeliest(scores!);
}
const ranMiB = memoryMiB('VmHWM');
await dispose();
const figures = { loadS, peakMiB, loadedMiB, weightsMiB: weightBytes / 2 ** 20, tokensPerS: 1 / median(seconds), ranMiB };
process.stdout.write(`${JSON.stringify(figures)}\n`);

function likeliest(scores: Float32Array): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  return best;
}
