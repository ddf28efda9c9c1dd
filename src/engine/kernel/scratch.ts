// Where the parts of a run lie in the crew's memory, laid out once for the most rows.
import type { LlamaShape } from '../../model/shape.ts';
import { mostTogether } from './attention-fours.ts';
import { headBytes } from './attention-steps.ts';
import { blockTokens } from './cache-block.ts';
import type { Crew } from './crew.ts';
import { blockColumns, groupChannels } from './packing.ts';
import { type Bits, tokenBytes } from './row-kernels.ts';

export interface Rounded {
  numbers: number;
  scales: number;
  sums: number;
}

/** Where the parts of a run lie. */
export interface Scratch {
  tokens: number;
  wantedTokens: number;
  wanted: number;
  tables: number;
  x: number;
  y: number;
  /** Rows rounded for weights of 8 and of 4 bits. */
  rounded: Record<Bits, Rounded>;
  qkv: number;
  attended: number;
  gateUp: number;
  work: number;
  workBytes: number;
  logits: number;
}

/** Words of the addresses of a sequence's blocks. */
export function tableWords({ contextLength }: LlamaShape): number {
  return Math.ceil(contextLength / blockTokens);
}

export function layOut(shape: LlamaShape, rows: number, crew: Crew): Scratch {
  const { hiddenSize: D, intermediateSize: F, heads: H, kvHeads: K, headDim: d, vocabSize: V } = shape;
  const floats = (count: number) => crew.allocate(4 * count);
  const ownBytes = Math.ceil((mostTogether * headBytes(shape)) / 64) * 64;
  const widest = Math.max(D, F, H * d);
  const rounded = (bytes: number, scales: number): Rounded => ({
    numbers: crew.allocate(bytes * rows * widest),
    scales: floats(rows * scales),
    sums: floats(rows * scales),
  });
  return {
    tokens: crew.allocate(rows * tokenBytes),
    wantedTokens: crew.allocate(rows * tokenBytes),
    wanted: floats(rows),
    tables: floats(rows * tableWords(shape)),
    x: floats(rows * D),
    y: floats(rows * D),
    rounded: { 8: rounded(2, 1), 4: rounded(1, Math.ceil(widest / blockColumns)) },
    qkv: floats(rows * (H + 2 * K) * d),
    attended: floats(rows * H * d),
    gateUp: floats(rows * 2 * F),
    work: crew.allocate(crew.threads * ownBytes),
    workBytes: ownBytes,
    logits: floats((rows + 1) * groupChannels * Math.ceil(V / groupChannels)),
  };
}
