// What the engine has its tokens read by: a runner owns keys, values and the decoder, and says where they lie to nobody. The host's keeps them in
// typed arrays, the device's leaves them on the graphics device.
import { SteerError } from '../errors.ts';
import type { LowRanks } from '../model/lora.ts';
import type { HeldSequence } from './onnx/bands.ts';
import type { Catching } from './scheduler.ts';
import type { SumsOfReading } from './vector-sums.ts';

/** A prompt on its way into the cache. */
export interface Reading extends Catching {
  /** Scores (V) of the token after the last; there once everything is read. */
  readonly scores: Float32Array | undefined;
}

/** Sequences whose next tokens are read in one run. Those that leave meanwhile are no longer in it. */
export interface Batch {
  readonly members: readonly HeldSequence[];
}

/** What a sequence takes of the cache. */
export interface SlotSizes {
  /** Bytes of one token. */
  readonly slotBytes: number;
  /** Slots held for so many tokens. */
  fitting(tokens: number): number;
}

export interface Runner {
  readonly sizes: SlotSizes;
  /** Bytes of the lanes of sequences with their sums of vectors, and of the beginnings of prompts that are kept. */
  readonly bytes: { lanes: number; prefixes: number };
  /** Numbers of a sum of steering vectors: layers · D. */
  readonly sumLength: number;
  /** Names of the low-rank adapters that were added. */
  readonly adapters: readonly string[];
  /**
   * Adds a low-rank adapter that sequences may be read under beside others, unmerged, for as long as the runner lives. The kernels alone can: runners
   * on ONNX Runtime throw invalid_config naming the adapter. Throws conflict for a name that is taken, invalid_model for what does not fit the model.
   */
  addAdapter(name: string, adapter: LowRanks): void;
  /**
   * Begins a prompt, after what is known of it. What is read under a sum of vectors is neither taken from others nor kept for them; what is read under
   * an adapter is kept for that adapter.
   */
  read(tokens: readonly number[], sums?: SumsOfReading, adapter?: string): Reading;
  /** Reads the next `count` tokens. Throws what the decoder throws. */
  advance(reading: Reading, count: number): Promise<void>;
  /** Lets a prompt go, read or not; sequences held from it stay. */
  drop(reading: Reading): void;
  /** Takes in a sequence that goes on after a prompt. */
  hold(sequence: HeldSequence, reading: Reading): void;
  /** All sequences, in an order in which none is met twice in a step. */
  batches(): Batch[];
  /** Reads the next token of every member under the member's sum: `ids` (B) in, scores (V) of the token after it out. Throws what the decoder throws. */
  run(batch: Batch, ids: readonly number[]): Promise<Float32Array[]>;
  /** Lets a sequence go; one that has no slot is left alone. */
  leave(sequence: HeldSequence): void;
  /** Frees what is kept of prompts; the decoder is its opener's. */
  dispose(): void;
}

/** What runners without kernels say of an adapter. */
export function refuseUnmerged(name: string): never {
  const message = `The adapter ${JSON.stringify(name)}: adapters stay apart from their base in int8 and int4 on the processor alone. Ask for one of these, or merge it into a model of its own.`;
  throw new SteerError('invalid_config', message);
}
