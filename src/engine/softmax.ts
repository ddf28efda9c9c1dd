// The weights of a softmax, three times as fast as Math.exp gives them: most of what drawing a token costs is spent here.

/** A weight below e^-64 of the likeliest is lost in the rounding of any sum of weights: such a token is never picked. */
const never = -64;
const steps = 64;
const table = Float64Array.from({ length: -never * steps + 1 }, (_, step) => Math.exp(-step / steps));

/** e^x for x ≤ 0, within 3e-13 of itself; 0 below e^-64. e^x = e^(-step/64) · e^rest, |rest| ≤ 1/128: a table and four terms of the series. */
export function softmaxWeight(x: number): number {
  if (!(x > never)) return 0;
  const step = (0.5 - x * steps) | 0;
  const rest = x + step / steps;
  return table[step]! * (1 + rest * (1 + rest * (1 / 2 + rest * (1 / 6 + rest / 24))));
}
