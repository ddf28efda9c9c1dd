// A request that the engine has in hand: what of it is being read, what is being written, and whom it answers.
import type { SteerError } from '../errors.ts';
import type { HeldSequence } from './onnx/bands.ts';
import type { Reply } from './reply.ts';
import type { GenerationEvent, GenerationRequest } from './request.ts';
import type { Reading } from './runner.ts';
import type { Claim } from './scheduler.ts';

/** One prompt of one reply, being written under. */
export interface Sequence extends HeldSequence {
  reply: Reply;
  owner: Live;
  /** Scores (V) of the next token, until it is drawn. */
  scores: Float32Array | undefined;
}

/** Prompts that are read before the replies that wait for them go on. */
export interface Opening {
  reads: Reading[];
  replies: Reply[];
}

/** A request in hand. */
export interface Live extends Claim {
  request: GenerationRequest;
  emit(event: GenerationEvent): void;
  settle(error?: SteerError): void;
  signal: AbortSignal;
  deadlineMs: number;
  answers: Reply[];
  /** Those that were not begun. */
  pending: Reply[];
  openings: Opening[];
  /** Those being written, with a sequence for each branch of their phase. */
  writing: Map<Reply, Sequence[]>;
}
