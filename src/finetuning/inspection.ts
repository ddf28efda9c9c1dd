// What can be said of training data before any compute: samples, turns, labels per attribute, tokens, and what a row of a given length cuts.
// Runs in the training process, since encoding a large dataset would hold up a server. Knows files only.

import type { ChosenLabels } from '../datasets/label-makers.ts';
import type { SampleContent } from '../datasets/sample.ts';
import { readSnapshot } from '../datasets/snapshot.ts';
import type { BadLine } from '../datasets/training-data.ts';
import { SteerError } from '../errors.ts';
import { readShape } from '../model/model-folder.ts';
import { encodePieces } from '../model/tokenizer/encode-prompt.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { own } from '../own.ts';
import { type AttributeSchema, nearestLevel } from '../steerlm/attributes.ts';
import { controlTokens, isTarget, layOutScoring, layOutTraining, type Piece } from '../steerlm/prompt-layout.ts';
import { placeSequences } from '../training/packing.ts';
import { unlabelled } from './sequences.ts';

export interface InspectionSpec {
  method: 'inspect';
  runFolder: string;
  base: string;
  /** Snapshots. */
  train: string;
  validation: string;
  schema: AttributeSchema | null;
  /** Each labelled reply is read by itself, as a predictor reads it. */
  rated: boolean;
  /** Tokens of a row, or what the longest sample asks for. */
  rowTokens: number | 'auto';
}

export interface LabelCoverage {
  /** Replies of the training side with a label for the attribute. */
  labelled: number;
  /** Their share of all replies of the training side. */
  share: number;
  /** Labelled replies by nearest level. */
  levels: number[];
}

export interface Inspection {
  samples: { train: number; validation: number };
  /** Of the training side. */
  turns: number;
  replies: number;
  /** Samples of the training side that teach nothing: plain texts, or conversations without a reply that is to be learnt. */
  unused: number;
  labels: Record<string, LabelCoverage>;
  tokens: {
    /** Of the training side. */
    total: number;
    longest: number;
    /** Samples by length: those of at most so many tokens and more than the one before. */
    histogram: { up_to: number; samples: number }[];
  };
  context_length: number;
  row_tokens: number;
  /** Share of the training samples that do not fit a row: they are read in parts, or from their end by a predictor. */
  truncated_share: number;
  /** Rows of an epoch. */
  rows: number;
}

/** Told with the job; the lines that could not be read beside what was found in the others. */
export interface ValidationReport extends Inspection {
  bad_lines: { count: number; first: BadLine[] };
  /** Whose labels were taken of each dataset; absent from what earlier versions kept. */
  label_makers?: ChosenLabels[];
}

const leastRow = 32;
const mostRowUnlessAsked = 512;

/** Goes through both snapshots once. Throws invalid_model when the base model's folder does not hold, or `cancelled`. */
export async function inspect(spec: InspectionSpec, signal: AbortSignal): Promise<Inspection> {
  const { contextLength } = await readShape(spec.base);
  const tokenizer = (await Tokenizer.open(spec.base)).withAddedTokens(Object.values(controlTokens));
  const counted = new Count(spec);
  for await (const content of readSnapshot(spec.train)) {
    if (signal.aborted) throw new SteerError('cancelled', 'Stopped while looking through the data; nothing was trained.');
    const lengths = piecesOf(spec, content).map((pieces) => encodePieces(tokenizer, pieces).ids.length);
    counted.add(content, lengths);
  }
  let validation = 0;
  for await (const _ of readSnapshot(spec.validation)) validation++;
  return counted.finish(validation, contextLength);
}

/** The sequences a sample becomes. */
function piecesOf({ schema, rated }: InspectionSpec, content: SampleContent): Piece[][] {
  if (content.kind === 'text') return [];
  const { conversation } = content;
  const replies = conversation.turns.flatMap(({ role, label }, i) => (role === 'assistant' ? [{ i, label }] : []));
  if (!rated) return !conversation.turns.some(isTarget) ? [] : [layOutTraining(schema ?? unlabelled, conversation)];
  const read = replies.filter(({ label }) => schema?.attributes.some(({ name }) => own(label, name) !== undefined));
  return read.map(({ i }) => layOutScoring(unlabelled, { ...conversation, turns: conversation.turns.slice(0, i + 1) }));
}

class Count {
  readonly #spec: InspectionSpec;
  readonly #levels: Map<string, number[]>;
  readonly #lengths: number[] = [];
  #samples = 0;
  #turns = 0;
  #replies = 0;
  #unused = 0;

  constructor(spec: InspectionSpec) {
    this.#spec = spec;
    this.#levels = new Map(spec.schema?.attributes.map(({ name, levels }) => [name, levels.map(() => 0)]));
  }

  add(content: SampleContent, lengths: number[]): void {
    this.#samples++;
    if (lengths.length === 0) this.#unused++;
    for (const length of lengths) this.#lengths.push(length);
    if (content.kind === 'text') return;
    const { turns } = content.conversation;
    this.#turns += turns.length;
    for (const { role, label } of turns) {
      if (role !== 'assistant') continue;
      this.#replies++;
      for (const attribute of this.#spec.schema?.attributes ?? []) {
        const value = own(label, attribute.name);
        if (value !== undefined) this.#levels.get(attribute.name)![nearestLevel(attribute, value)]!++;
      }
    }
  }

  finish(validation: number, contextLength: number): Inspection {
    const longest = this.#lengths.reduce((most, length) => Math.max(most, length), 0);
    const { rowTokens, rated } = this.#spec;
    const T = rowTokens === 'auto' ? rowFor(longest, contextLength) : rowTokens;
    const cut = this.#lengths.filter((length) => length > T).length;
    const parts = rated
      ? this.#lengths.map((length) => Math.min(length, T))
      : this.#lengths.flatMap((length) => split(length, T));
    return {
      samples: { train: this.#samples, validation },
      turns: this.#turns,
      replies: this.#replies,
      unused: this.#unused,
      labels: this.#coverage(),
      tokens: {
        total: this.#lengths.reduce((total, length) => total + length, 0),
        longest,
        histogram: histogramOf(this.#lengths),
      },
      context_length: contextLength,
      row_tokens: T,
      truncated_share: this.#lengths.length === 0 ? 0 : cut / this.#lengths.length,
      rows: placeSequences(parts, T).rows,
    };
  }

  #coverage(): Record<string, LabelCoverage> {
    const entries = [...this.#levels].map(([name, levels]): [string, LabelCoverage] => {
      const labelled = levels.reduce((total, count) => total + count, 0);
      return [name, { labelled, share: this.#replies === 0 ? 0 : labelled / this.#replies, levels }];
    });
    return Object.fromEntries(entries);
  }
}

/** The power of two that takes the longest sample, within reason and within the context. */
function rowFor(longest: number, contextLength: number): number {
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, longest)));
  return Math.min(contextLength, mostRowUnlessAsked, Math.max(leastRow, wanted));
}

/** Lengths of the parts a sequence is packed in. */
function split(length: number, T: number): number[] {
  const parts: number[] = [];
  for (let left = length; left > 0; left -= T) parts.push(Math.min(left, T));
  return parts;
}

function histogramOf(lengths: readonly number[]): Inspection['tokens']['histogram'] {
  const bins = new Map<number, number>();
  for (const length of lengths) {
    const upTo = 2 ** Math.ceil(Math.log2(Math.max(1, length)));
    bins.set(upTo, (bins.get(upTo) ?? 0) + 1);
  }
  return [...bins].sort(([a], [b]) => a - b).map(([up_to, samples]) => ({ up_to, samples }));
}
