// Does a model of a billion parameters load without being held twice? Random weights in the shape of Llama 3.2 1B, written as bfloat16 to a temporary
// folder, opened in each precision by a fresh process: most memory while it opens, seconds, and tokens a second of one stream.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { precisions } from '../src/model/loaded-network.ts';
import { writeShape } from '../src/model/model-folder.ts';
import { parameterCount } from '../src/model/shape.ts';
import { saveWeights } from '../src/model/weights.ts';
import { llama1b } from './bench-shape.ts';
import { runOurs } from './peer.ts';
import { randomWeights } from './random-weights.ts';
import { recordSection, table } from './results.ts';

interface Answer {
  loadS: number;
  peakMiB: number;
  loadedMiB: number;
  weightsMiB: number;
  tokensPerS: number;
  ranMiB: number;
}

/** `--quick` for two layers and a small vocabulary. */
export async function run(args: string[]): Promise<void> {
  const made = args.includes('--quick') ? { ...llama1b, layers: 2, vocabSize: 32_000 } : llama1b;
  const folder = await mkdtemp(join(tmpdir(), 'steer-big-model-'));
  try {
    await writeShape(folder, made, 'bfloat16', {});
    await saveWeights(folder, made, randomWeights(made), 'bfloat16');
    const rows: (string | number)[][] = [];
    for (const precision of precisions) {
      const answer = await runOurs<Answer>('big-model-ours', [folder, precision, '24']);
      const { weightsMiB, peakMiB, loadedMiB, ranMiB, loadS, tokensPerS } = answer;
      process.stdout.write(`${precision} ${JSON.stringify(answer)}\n`);
      const memory = [weightsMiB, peakMiB, loadedMiB, ranMiB].map((mib) => mib.toFixed(0));
      rows.push([precision, ...memory, (peakMiB / weightsMiB).toFixed(2), loadS.toFixed(1), tokensPerS.toFixed(1)]);
    }
    const head = [
      'precision',
      'weights, MiB',
      'most while opening',
      'open',
      'most of all',
      'most while opening ÷ weights',
      'seconds to open',
      'tokens/s, 1 stream',
    ];
    const parameters = (parameterCount(made) / 1e6).toFixed(0);
    await recordSection(
      'big-model',
      `${parameters} million parameters, random, from bfloat16 safetensors; a process each, 2 threads; resident memory in MiB; tokens/s: median of 24.\n\n${table(head, rows)}`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
