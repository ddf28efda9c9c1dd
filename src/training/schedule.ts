// How many updates a run makes, and the learning rate of each: cycles of linear warm-up and cosine decay (Loshchilov & Hutter 2017). A run is one
// cycle; each time its length is changed another begins where it stands, warming up again from the rate it had reached.

import { SteerError } from '../errors.ts';
import { counted } from '../number-text.ts';

/** Updates `from + 1` to `to`. One that was cut short keeps the end it was planned with, which its rates follow from. */
export interface Cycle {
  from: number;
  to: number;
}

export interface Rates {
  /** Highest learning rate. */
  learningRate: number;
  /** Lowest learning rate as a share of the highest. */
  floor: number;
  /** Share of a cycle over which the learning rate rises. */
  warmup: number;
}

/** Learning rate of update `step`, counted from 1. */
export function learningRateAt(rates: Rates, cycles: readonly Cycle[], step: number): number {
  if (step < 1) return 0;
  const current = Math.max(
    0,
    cycles.findLastIndex(({ from }) => from < step),
  );
  const { from, to } = cycles[current]!;
  const { learningRate: peak, floor, warmup } = rates;
  const start = current === 0 ? 0 : learningRateAt(rates, cycles.slice(0, current), from);
  const warmupSteps = Math.max(1, Math.round(warmup * (to - from)));
  const made = step - from;
  if (made <= warmupSteps) return start + ((peak - start) * made) / warmupSteps;
  const progress = Math.min(1, (made - warmupSteps) / Math.max(1, to - from - warmupSteps));
  return peak * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}

/** The cycles of a run that stands at `step` and is to end at `steps`. Throws `conflict` where it has passed that. */
export function cyclesTo(steps: number, { step, cycles }: { step: number; cycles: readonly Cycle[] }): Cycle[] {
  const planned = cycles.at(-1)?.to;
  if (planned === steps) return [...cycles];
  if (planned !== undefined && steps <= step) {
    throw new SteerError(
      'conflict',
      `The run has made ${step} of ${counted(planned, 'step')} already and cannot end at ${steps}. Ask for more steps, or publish it as it is.`,
    );
  }
  return [...cycles, { from: step, to: steps }];
}

/** Below so many updates few epochs teach little. */
const updatesWanted = 300;
export const epochBounds = [2, 8] as const;

/** Epochs where nobody said how many: more of little data. */
export function epochsFor(updatesPerEpoch: number): number {
  const [least, most] = epochBounds;
  return Math.min(most, Math.max(least, Math.ceil(updatesWanted / Math.max(1, updatesPerEpoch))));
}

/** Looks at the held-out data, and checkpoints, of a whole run where nobody said how often. */
export const looksOfRun = 10;
export const checkpointsOfRun = 4;

/** Updates between two of `times` in a run, or as many as were asked for. */
export function intervalOf(asked: number | 'auto', steps: number, times: number): number {
  return asked === 'auto' ? Math.max(1, Math.ceil(steps / times)) : asked;
}
