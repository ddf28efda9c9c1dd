// Scoring calls on one predictor: they are computed run by run, and callers take turns by the tokens of their runs, so that the long call of one
// does not hold the short one of another.
import { setImmediate } from 'node:timers/promises';
import { SteerError } from '../errors.ts';
import { Turns } from '../turns.ts';
import { type Scorer, type ScoringRun, tokensPerRun } from './scorer.ts';

export interface ScoringCall {
  caller: string;
  sequences: readonly (readonly number[])[];
}

/** A call in hand. */
interface Waiting {
  caller: string;
  runs: ScoringRun[];
  answers: Float32Array[];
  signal: AbortSignal;
  /** Undefined once its first run was taken. */
  begin: (() => void) | undefined;
  settle(error?: unknown): void;
}

export class ScoringQueue {
  readonly #scorer: Pick<Scorer, 'runsOf' | 'compute'>;
  readonly #turns = new Turns(tokensPerRun);
  readonly #waiting = new Set<Waiting>();
  #working: Promise<void> | undefined;

  constructor(scorer: Pick<Scorer, 'runsOf' | 'compute'>) {
    this.#scorer = scorer;
  }

  /**
   * Probabilities of all levels of all attributes for each sequence, in the order given. `onBegun` is called when the first of its runs is next.
   * Throws `cancelled`, and what a run threw.
   */
  score({ caller, sequences }: ScoringCall, signal: AbortSignal, onBegun = () => {}): Promise<Float32Array[]> {
    const answers = new Array<Float32Array>(sequences.length);
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown) => (error === undefined ? resolve(answers) : reject(error));
      this.#waiting.add({ caller, runs: this.#scorer.runsOf(sequences), answers, signal, begin: onBegun, settle });
      this.#working ??= this.#work();
    });
  }

  /** New calls come in between two runs. */
  async #work(): Promise<void> {
    while (this.#waiting.size > 0) {
      await this.#step();
      await setImmediate();
    }
    this.#working = undefined;
  }

  async #step(): Promise<void> {
    for (const call of this.#waiting) {
      if (call.signal.aborted) this.#end(call, new SteerError('cancelled', 'The request was cancelled.'));
      else if (call.runs.length === 0) this.#end(call);
    }
    const all = [...this.#waiting];
    const caller = this.#turns.next(new Set(all.map((call) => call.caller)));
    const call = all.find((one) => one.caller === caller);
    const run = call?.runs.shift();
    if (!call || !run) return;
    this.#turns.spend(call.caller, run.tokens);
    call.begin?.();
    call.begin = undefined;
    try {
      for (const [place, found] of await this.#scorer.compute(run)) call.answers[place] = found;
      if (call.runs.length === 0) this.#end(call);
    } catch (error) {
      this.#end(call, error);
    }
  }

  #end(call: Waiting, error?: unknown): void {
    this.#waiting.delete(call);
    call.settle(error);
  }
}
