// The learning rate over a run: linear warm-up, then a cosine down to a floor (Loshchilov & Hutter 2017).

export interface Schedule {
  learningRate: number;
  /** Floor of the cosine as a share of the peak. */
  floor: number;
  warmupSteps: number;
  /** Updates of the whole run. */
  steps: number;
}

/** Learning rate of update `step`, counted from 1. */
export function learningRateAt({ learningRate, floor, warmupSteps, steps }: Schedule, step: number): number {
  if (step <= warmupSteps) return (learningRate * step) / warmupSteps;
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, steps - warmupSteps));
  return learningRate * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}
