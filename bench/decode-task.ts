// What an engine is given to write in bench/decode, bench/scale and bench/real-speed, the same for ours and for its peers: a file of cells, each some prompts that
// are answered at once. A prompt is never given twice, since engines remember the beginnings of prompts.
import type { Tokenizer } from '../src/model/tokenizer/tokenizer.ts';

export interface Cell {
  /** Tokens written after each prompt. */
  tokens: number;
  /** Of our engine; peers take the likeliest token, and cells at another temperature are not given to them. */
  temperature: number;
  /** Untimed; what is written under them shows whether engines agree. */
  warm: number[][];
  /** Each time the first token alone is written after one set, and all of them after another: the difference is what decoding takes. */
  times: { first: number[][]; whole: number[][] }[];
}

/** What one process answers for a cell. */
export interface CellAnswer {
  replies: number[][];
  /** Median seconds of the first token alone, and of all. */
  first: number;
  whole: number;
  /** ms between tokens of a reply, where the engine tells them one by one. */
  gaps?: { p50: number; p99: number };
}

/** What one process of an engine tells. */
export interface EngineRun {
  /** Seconds from a running interpreter to an open model. */
  load: number;
  /** Most resident memory of the process, MiB. */
  memory: number;
  /** What is worth knowing of the engine as it was built; may be empty. */
  about: string;
  /** Of each cell. */
  answers: CellAnswer[];
}

export interface CellSize {
  streams: number;
  prompt: number;
  tokens: number;
  times: number;
  temperature?: number;
}

/** Prompts of random ids of text. */
export function makeCell(ids: readonly number[], random: () => number, size: CellSize): Cell {
  const { streams, prompt, tokens, times, temperature = 0 } = size;
  const prompts = (): number[][] =>
    Array.from({ length: streams }, () => Array.from({ length: prompt }, () => ids[Math.floor(random() * ids.length)]!));
  return {
    tokens,
    temperature,
    warm: prompts(),
    times: Array.from({ length: times }, () => ({ first: prompts(), whole: prompts() })),
  };
}

/** One prompt, the same each time: shows what an engine writes. */
export function saidCell(prompt: number[], tokens: number): Cell {
  return { tokens, temperature: 0, warm: [prompt], times: [{ first: [prompt], whole: [prompt] }] };
}

/** Ids that stand for text. */
export function textIds(tokenizer: Tokenizer): number[] {
  return Array.from({ length: tokenizer.size }, (_, id) => id).filter((id) => tokenizer.isText(id));
}

/** Tokens a second once the first is there. */
export function decodeSpeed({ warm, tokens }: Cell, { first, whole }: CellAnswer): number {
  return (warm.length * (tokens - 1)) / (whole - first);
}

/** Prompt tokens a second until the first token is there. */
export function prefillSpeed({ warm }: Cell, { first }: CellAnswer): number {
  return warm.reduce((sum, { length }) => sum + length, 0) / first;
}

/** Share of the tokens before each reply first differs. */
export function agreement(ours: readonly number[][], theirs: readonly number[][]): number {
  let same = 0;
  let all = 0;
  for (const [i, reply] of ours.entries()) {
    const differs = reply.findIndex((token, at) => theirs[i]?.[at] !== token);
    same += differs < 0 ? reply.length : differs;
    all += reply.length;
  }
  return same / all;
}
