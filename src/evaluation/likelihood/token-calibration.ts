// Whether a model's next-token probabilities mean what they say, before tuning and after: where it gives its likeliest token 80 %, that token
// should be the one that stands there four times in five. After the GPT-4 technical report's figure 8. Pure arithmetic.
import { bootstrap, type Interval } from '../../statistics.ts';
import { errorOfSurplus, surplusByBin } from '../predictor/calibration.ts';
import { byGroup, drawsFor, total } from './label-information.ts';

/** Of counted tokens in order: the probability of the likeliest token, and 1 where it is the one that stands there. */
export interface Guesses {
  probability: Float32Array;
  right: Uint8Array;
}

/** logProbabilities (N, S) of a whole vocabulary at each of `targets` (N), from `from` of the guesses on. */
export function noteGuesses(logProbabilities: Float32Array, targets: readonly number[], guesses: Guesses, from: number): void {
  const size = logProbabilities.length / targets.length;
  for (const [i, target] of targets.entries()) {
    let best = 0;
    const row = logProbabilities.subarray(i * size, (i + 1) * size);
    for (let id = 1; id < size; id++) if (row[id]! > row[best]!) best = id;
    guesses.probability[from + i] = Math.exp(row[best]!);
    guesses.right[from + i] = Number(best === target);
  }
}

export interface Calibration {
  /** Expected calibration error over ten bins of probability. */
  error: Interval;
  /** Mean probability of the likeliest token less how often it is right: above 0 is too sure. */
  overconfidence: Interval;
  accuracy: Interval;
}

export interface TokenCalibration {
  tokens: number;
  /** The base, which sees no label. */
  before: Calibration;
  /** The model under the true label. */
  after: Calibration;
  /** Error after less error before. */
  change: Interval;
}

interface Counted {
  group: string;
  tokens: number;
  right: { before: number; after: number };
  surplus: { before: Float64Array; after: Float64Array };
}

/** Of replies both models guessed at. */
export function tokenCalibration(
  replies: readonly { group: string; before: Guesses; after: Guesses }[],
  seed: number,
): TokenCalibration {
  const counted = replies.map(({ group, before, after }): Counted => {
    const right = { before: count(before.right), after: count(after.right) };
    const surplus = {
      before: surplusByBin(before.probability, before.right),
      after: surplusByBin(after.probability, after.right),
    };
    return { group, tokens: before.right.length, right, surplus };
  });
  const figures = bootstrap(byGroup(counted), (drawn) => figuresOf(drawn.flat()), { seed, draws: drawsFor(counted.length) });
  const side = (when: 'before' | 'after'): Calibration => ({
    error: figures[`${when}_error`],
    overconfidence: figures[`${when}_overconfidence`],
    accuracy: figures[`${when}_accuracy`],
  });
  return { tokens: total(counted, ({ tokens }) => tokens), before: side('before'), after: side('after'), change: figures.change };
}

function figuresOf(replies: readonly Counted[]) {
  const tokens = total(replies, (reply) => reply.tokens);
  const side = (when: 'before' | 'after') => {
    const surplus = new Float64Array(replies[0]?.surplus[when].length ?? 0);
    for (const reply of replies) for (const [bin, each] of reply.surplus[when].entries()) surplus[bin]! += each;
    return {
      error: errorOfSurplus(surplus, tokens),
      overconfidence: surplus.reduce((sum, each) => sum + each, 0) / tokens,
      accuracy: total(replies, (reply) => reply.right[when]) / tokens,
    };
  };
  const [before, after] = [side('before'), side('after')];
  return {
    before_error: before.error,
    before_overconfidence: before.overconfidence,
    before_accuracy: before.accuracy,
    after_error: after.error,
    after_overconfidence: after.overconfidence,
    after_accuracy: after.accuracy,
    change: after.error - before.error,
  };
}

function count(right: Uint8Array): number {
  return right.reduce((sum, each) => sum + each, 0);
}
