// Numbers in 8 bits, from -127 to 127: which scale they get. A number that is not finite makes it NaN.

const most = 127;
/** The code of a number where `steps` codes make a unit. */
export const codeOf = (value: number, steps: number) => Math.max(-most, Math.min(most, Math.round(value * steps)));

/** The scale of the numbers from `start` to `end` in 8 bits, and steps a unit: the largest becomes 127 or -127. */
export function wholeScale(numbers: Float32Array, start: number, end: number): [scale: number, steps: number] {
  let extreme = 0;
  for (let k = start; k < end; k++) extreme = Math.max(extreme, Math.abs(numbers[k]!));
  return [Number.isFinite(extreme) ? extreme / most : Number.NaN, extreme > 0 ? most / extreme : 0];
}

/** How far the largest number of a block lies from 127 steps; each is tried. */
const stretches = [0, -0.7, 0.6, -1.4];

/** The same, closer: of several lattices, each with the scale of least squares for its codes, the one with the least squared error. */
export function fittedScale(numbers: Float32Array, start: number, end: number): [scale: number, steps: number] {
  const [whole, wholeSteps] = wholeScale(numbers, start, end);
  let best: [scale: number, steps: number] = [whole, wholeSteps];
  let mostGain = -1;
  for (const stretch of wholeSteps > 0 ? stretches : []) {
    const steps = wholeSteps * (1 + stretch / most);
    let [squares, products] = [0, 0];
    for (let k = start; k < end; k++) {
      const code = codeOf(numbers[k]!, steps);
      squares += code * code;
      products += code * numbers[k]!;
    }
    // By so much the codes lessen the squared error.
    const gain = (products * products) / squares;
    if (gain > mostGain) [best, mostGain] = [[products / squares, steps], gain];
  }
  return best;
}
