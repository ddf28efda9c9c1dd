// How fast is a pulled model of 135 million parameters, beside llama.cpp, onnxruntime-genai, ctranslate2 and PyTorch on the same weights? Every part
// can be run alone: `--parts decode,start`. `--model FOLDER` or REAL_MODEL names the pulled folder; `--quick` for a short look, `--rounds N`,
// `--threads 1` for one setting, `--before DIR` for an older checkout that the last part compares with.
import { parseArgs } from 'node:util';
import { threadCountsOf } from './decode-engines.ts';
import { beforePart } from './real-speed/before.ts';
import { charactersPart } from './real-speed/characters.ts';
import { decodePart } from './real-speed/decode.ts';
import { growthPart } from './real-speed/growth.ts';
import { findModel, type RealModel } from './real-speed/model.ts';
import { type Extent, processorKind } from './real-speed/parts.ts';
import { qualityPart } from './real-speed/quality.ts';
import { scoringPart } from './real-speed/scoring.ts';
import { callersPart, memoryPart } from './real-speed/served.ts';
import { startPart } from './real-speed/start.ts';
import { recordSection } from './results.ts';

/** Each writes the section of its name. */
const parts: Record<string, (model: RealModel, extent: Extent) => Promise<string>> = {
  decode: decodePart,
  quality: qualityPart,
  scoring: scoringPart,
  start: startPart,
  memory: memoryPart,
  callers: callersPart,
  characters: charactersPart,
  growth: growthPart,
  before: beforePart,
};

const options = {
  model: { type: 'string', default: process.env.REAL_MODEL ?? 'data/models/smollm2-135m' },
  parts: { type: 'string' },
  rounds: { type: 'string' },
  threads: { type: 'string' },
  before: { type: 'string' },
  quick: { type: 'boolean', default: false },
} as const;

export async function run(args: string[]): Promise<void> {
  const { model: named, parts: wanted, rounds, quick, before } = parseArgs({ args, options }).values;
  const all = Object.keys(parts).filter((name) => name !== 'before' || before !== undefined);
  const names = wanted?.split(',') ?? all;
  const unknown = names.find((name) => !Object.hasOwn(parts, name));
  if (unknown !== undefined) throw new Error(`--parts: expected some of ${Object.keys(parts).join(', ')}, found ${unknown}.`);
  const model = await findModel(named);
  if (!model) return;
  const extent = { quick, rounds: Number(rounds ?? (quick ? 1 : 5)), threadCounts: threadCountsOf(args), before };
  const kind = processorKind();
  const [node] = process.versions.node.split('.');
  for (const name of names) {
    const body = await parts[name]!(model, extent);
    const told = `Processor: ${kind}.\n\n${body}`;
    // A short look is no figure to keep.
    if (quick) process.stdout.write(`\n${told}\n`);
    else await recordSection(`real-speed, ${name}, ${kind}, Node ${node}`, told);
  }
}
