// Spares an upstream that is unwell, and its callers the wait: after failures in a row calls are refused at once, then one is tried.
// closed ── failures in a row ──► open ── openMs ──► one trial ──► closed, or open again
// Own lines: the libraries for it wrap one promise, while a stream is well at its first token and may still fail at a later one.
import { SteerError } from '../errors.ts';

/** What a call that was let through says of the upstream. */
export interface Pass {
  well(): void;
  unwell(): void;
  /** The call is over, whether it has said something or not. */
  leave(): void;
}

export class Breaker {
  readonly #failures: number;
  readonly #openMs: number;
  #inRow = 0;
  #openUntilMs = 0;
  #trial: Pass | undefined;

  constructor({ failures, openMs }: { failures: number; openMs: number }) {
    this.#failures = failures;
    this.#openMs = openMs;
  }

  /** Lets a call through. Throws not_ready with the seconds to wait while the upstream is spared. */
  enter(): Pass {
    const waitMs = this.#openUntilMs - performance.now();
    const closed = this.#inRow < this.#failures;
    if (!closed && (waitMs > 0 || this.#trial)) {
      const message =
        'The upstream that runs this model failed several times in a row and is left alone for a moment. Try again then.';
      throw new SteerError('not_ready', message, { details: { retryAfterS: Math.max(1, Math.ceil(waitMs / 1000)) } });
    }
    const pass: Pass = {
      well: () => {
        this.#inRow = 0;
        this.#end(pass);
      },
      unwell: () => {
        this.#inRow++;
        this.#openUntilMs = performance.now() + this.#openMs;
        this.#end(pass);
      },
      leave: () => this.#end(pass),
    };
    if (!closed) this.#trial = pass;
    return pass;
  }

  #end(pass: Pass): void {
    if (this.#trial === pass) this.#trial = undefined;
  }
}
