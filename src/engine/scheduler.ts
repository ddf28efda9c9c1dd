// Who may work in the next step: bookkeeping alone, with no tensor, no text and no clock of its own.
// There are no phases of reading and writing: a sequence has tokens it needs and tokens computed, and every step lets the first catch up.
//
// waiting ── admit: room for all its sequences at their longest ──► running ── release ──► gone
import { SteerError } from '../errors.ts';
import type { Priority } from './request.ts';

export interface SchedulerOptions {
  /** Cache slots that running requests may come to hold together. */
  slots: number;
  /** Sequences that run at once. */
  sequences: number;
  /** Requests that may wait. */
  waiting: number;
  /** Tokens read in one step beside those being written; at least one chunk is. */
  stepTokens: number;
  /** A batch request that has waited this long counts as interactive, so that none waits for ever. */
  agingMs: number;
}

/** A request as the scheduler knows it. */
export interface Claim {
  priority: Priority;
  arrivedMs: number;
  /** Sequences it will run, and the cache slots these can come to hold. */
  sequences: number;
  slots: number;
}

/** A sequence with more than its next token to catch up with. */
export interface Catching {
  readonly needed: number;
  readonly computed: number;
}

/** Chunks end where their position is a multiple of this, whatever else runs, so that the same prompt is always computed in the same steps. */
export const chunkTokens = 64;

export class Scheduler<Request extends Claim> {
  readonly #options: SchedulerOptions;
  readonly #waiting: Request[] = [];
  readonly #running = new Set<Request>();
  #slots = 0;
  #sequences = 0;
  /** Reads take turns: who was served last goes to the end. */
  #turn = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  get waiting(): readonly Request[] {
    return this.#waiting;
  }

  get running(): ReadonlySet<Request> {
    return this.#running;
  }

  /** Throws invalid_request for one that can never run and overloaded where too many wait. */
  enqueue(request: Request): void {
    const { slots, sequences, waiting } = this.#options;
    if (request.slots > slots || request.sequences > sequences) {
      throw new SteerError(
        'invalid_request',
        `The request takes ${request.sequences} sequences and ${request.slots} cache slots; this model has ${sequences} and ${slots}. ` +
          'Ask for fewer replies, fewer candidates or a shorter reply.',
        { details: { param: 'n' } },
      );
    }
    if (this.#waiting.length >= waiting) {
      throw new SteerError('overloaded', `${this.#waiting.length} requests are waiting for this model. Try again shortly.`, {
        details: { retryAfterS: 1 },
      });
    }
    this.#waiting.push(request);
  }

  /** Moves those to running that have their turn and room. First come, first served; nobody is overtaken for being large. */
  admit(nowMs: number): Request[] {
    const admitted: Request[] = [];
    for (;;) {
      const next = this.#next(nowMs);
      if (!next || this.#slots + next.slots > this.#options.slots) return admitted;
      if (this.#sequences + next.sequences > this.#options.sequences) return admitted;
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#running.add(next);
      this.#slots += next.slots;
      this.#sequences += next.sequences;
      admitted.push(next);
    }
  }

  /** Forgets a request, waiting or running. */
  release(request: Request): void {
    const place = this.#waiting.indexOf(request);
    if (place >= 0) this.#waiting.splice(place, 1);
    if (!this.#running.delete(request)) return;
    this.#slots -= request.slots;
    this.#sequences -= request.sequences;
  }

  /** What this step reads: a chunk of each in turn, while the budget lasts. */
  share<S extends Catching>(catching: readonly S[]): { sequence: S; count: number }[] {
    const shares: { sequence: S; count: number }[] = [];
    let left = this.#options.stepTokens;
    for (let i = 0; i < catching.length; i++) {
      const sequence = catching[(this.#turn + i) % catching.length]!;
      const count = Math.min(sequence.needed, nextBoundary(sequence.computed)) - sequence.computed;
      if (shares.length > 0 && count > left) break;
      shares.push({ sequence, count });
      left -= count;
    }
    this.#turn = catching.length === 0 ? 0 : (this.#turn + shares.length) % catching.length;
    return shares;
  }

  #next(nowMs: number): Request | undefined {
    const { agingMs } = this.#options;
    const urgent = this.#waiting.find(({ priority, arrivedMs }) => priority === 'interactive' || nowMs - arrivedMs >= agingMs);
    return urgent ?? this.#waiting[0];
  }
}

function nextBoundary(computed: number): number {
  return (Math.floor(computed / chunkTokens) + 1) * chunkTokens;
}
