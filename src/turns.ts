// How callers share what there is too little of: whose turn is next, counted in tokens, and how much one may hold while others may still come.
import { SteerError } from './errors.ts';

/** Everybody nobody told apart: jobs, commands. */
export const anyCaller = '';

/**
 * Deficit round-robin (Shreedhar & Varghese 1995) over tokens: every turn is worth the same number of them, whatever they are spent on.
 * Nobody knows beforehand how long a reply will be, so a turn goes on while there is credit left and what was spent beyond it counts against the
 * next ones (surplus round-robin, Adiseshu et al. 1996).
 */
export class Turns {
  readonly #quantum: number;
  /** Tokens each caller may spend until its turn is over. The first has the turn. */
  readonly #credits = new Map<string, number>();

  constructor(quantum: number) {
    this.#quantum = quantum;
  }

  /** Whose turn it is among those that want something. Credit is not saved up: who wants nothing loses it. Debts are kept until they are paid off. */
  next(wanting: ReadonlySet<string>): string | undefined {
    for (const [caller, credit] of this.#credits) if (credit >= 0 && !wanting.has(caller)) this.#credits.delete(caller);
    for (const caller of wanting) if (!this.#credits.has(caller)) this.#credits.set(caller, this.#quantum);
    if (wanting.size === 0) return undefined;
    this.#skipRounds(wanting);
    for (;;) {
      const [[caller, credit]] = this.#credits as unknown as [[string, number]];
      if (credit > 0 && wanting.has(caller)) return caller;
      this.#credits.delete(caller);
      if (wanting.has(caller) || credit + this.#quantum < 0) this.#credits.set(caller, credit + this.#quantum);
    }
  }

  /** Fewer than none where a caller spent less than it was charged before; that never adds up to more than one turn. */
  spend(caller: string, tokens: number): void {
    const credit = this.#credits.get(caller);
    if (credit === undefined) return;
    this.#credits.set(caller, tokens < 0 ? Math.max(credit, Math.min(credit - tokens, this.#quantum)) : credit - tokens);
  }

  /** Rounds in which nobody could pay are gone through at once. */
  #skipRounds(wanting: ReadonlySet<string>): void {
    const richest = Math.max(...[...wanting].map((caller) => this.#credits.get(caller)!));
    const rounds = Math.max(0, Math.floor(-richest / this.#quantum));
    if (rounds === 0) return;
    for (const [caller, credit] of this.#credits) this.#credits.set(caller, credit + rounds * this.#quantum);
  }
}

/** A caller who holds something may come to hold so many times what is then left for others. */
const timesLeft = 4;

/**
 * Places, or slots, that callers share: `most` for one alone, and a quarter more that is kept for others. What each may hold follows from what is left
 * (dynamic thresholds, Choudhury & Hahne 1998), so that whoever comes next finds room at once and no caller need be known beforehand.
 */
export class Shares {
  /** For all callers together. */
  readonly total: number;
  readonly #held = new Map<string, number>();
  #used = 0;

  constructor(most: number) {
    this.total = most + Math.ceil(most / timesLeft);
  }

  get used(): number {
    return this.#used;
  }

  heldBy(caller: string): number {
    return this.#held.get(caller) ?? 0;
  }

  /** Whether there is room at all. */
  fits(amount: number): boolean {
    return this.#used + amount <= this.total;
  }

  /** Whether the caller's share has room for so many more; true for one who holds nothing, who has a right to something. */
  allows(caller: string, amount: number): boolean {
    const held = this.heldBy(caller);
    return held === 0 || held + amount <= timesLeft * (this.total - this.#used - amount);
  }

  /** Takes places in a queue. Throws `overloaded`. */
  enter(caller: string, amount = 1): void {
    if (!this.fits(amount) || !this.allows(caller, amount)) {
      const message = `${this.#used} requests are waiting for this model, ${this.heldBy(caller)} of them from this caller. Try again shortly.`;
      throw new SteerError('overloaded', message, { details: { retryAfterS: 1 } });
    }
    this.take(caller, amount);
  }

  take(caller: string, amount: number): void {
    this.#used += amount;
    this.#held.set(caller, this.heldBy(caller) + amount);
  }

  give(caller: string, amount: number): void {
    this.#used -= amount;
    const held = this.heldBy(caller) - amount;
    if (held > 0) this.#held.set(caller, held);
    else this.#held.delete(caller);
  }
}
