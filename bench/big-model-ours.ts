// One loading of a big model in a process of its own: node dist/bench/big-model-ours.js <folder> <precision> <tokens>. Prints JSON.
import { readFileSync } from 'node:fs';
import { LaneSizes, Lanes } from '../src/generation/cache.ts';
import { openDecoder } from '../src/generation/decoder.ts';
import type { Precision } from '../src/llama/loaded-network.ts';
import { median } from './results.ts';

const [folder, precision, tokens] = process.argv.slice(2) as [string, Precision, string];

function memoryMiB(field: 'VmHWM' | 'VmRSS'): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
}

const before = performance.now();
const decoder = await openDecoder(folder, { threads: 2, precision });
const loadS = (performance.now() - before) / 1000;
const peakMiB = memoryMiB('VmHWM');
const loadedMiB = memoryMiB('VmRSS');

const lanes = new Lanes(decoder.shape, new LaneSizes(decoder.shape, decoder.weightBytes).fitting(1), 1);
const seconds: number[] = [];
let token = 1;
for (let computed = 0; computed < Number(tokens); computed++) {
  const start = performance.now();
  const { scores, rows } = await decoder.run({ ids: [token], computed: [computed], lanes, firstLane: 0 });
  lanes.write(0, computed, rows, 0, 1);
  seconds.push((performance.now() - start) / 1000);
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  token = best;
}
await decoder.dispose();
const weightsMiB = decoder.weightBytes / 2 ** 20;
process.stdout.write(
  `${JSON.stringify({ loadS, peakMiB, loadedMiB, weightsMiB, tokensPerS: 1 / median(seconds), ranMiB: memoryMiB('VmHWM') })}\n`,
);
