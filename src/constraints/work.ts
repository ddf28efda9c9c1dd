// How much work a constraint may be to compile. It is counted, not timed, so that the same one is always answered alike.
import { unsupported } from './expression.ts';

/**
 * Steps of a tenth to some tenths of a microsecond: the whole takes a fraction of a second, whatever is asked for. A password's pattern of four
 * look-aheads takes more than half of it.
 */
export const mostWork = 1_500_000;

/** What is left of it for one constraint: all that compiles it draws from here. */
export class Work {
  #done = 0;

  get done(): number {
    return this.#done;
  }

  /** Throws invalid_request that names the part which is too much. */
  spend(steps: number, where: string): void {
    this.#done += steps;
    if (this.#done <= mostWork) return;
    throw unsupported(
      where,
      'the constraint is too complex: it was not compiled within the work one may take. Fewer or shorter patterns and look-aheads, smaller ' +
        'counts, fewer alternatives under oneOf and fewer schemas under allOf help, as does what is asked for twice as one $ref.',
    );
  }
}
