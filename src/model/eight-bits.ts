// Numbers in 8 bits, from -127 to 127: which scale they get. A number that is not finite makes it NaN.

const most = 127;

/** The code of a number where `steps` codes make a unit. */
export function codeOf(value: number, steps: number): number {
  // From 0 on, where cutting off rounds down.
  const above = (value * steps + most + 0.5) | 0;
  return above > 2 * most ? most : above < 0 ? -most : above - most;
}

/** The scale of the numbers from `start` to `end` in 8 bits, and steps a unit: the largest becomes 127 or -127. */
export function wholeScale(numbers: Float32Array, start: number, end: number): [scale: number, steps: number] {
  let extreme = 0;
  for (let k = start; k < end; k++) extreme = Math.max(extreme, Math.abs(numbers[k]!));
  return [Number.isFinite(extreme) ? extreme / most : Number.NaN, extreme > 0 ? most / extreme : 0];
}

/** How far the largest number of a block lies from 127 steps; each is tried. */
const stretches = [0, -0.7, 0.6, -1.4, -2.1, -2.8, -3.5, -4.2];

/**
 * The same of a block of 32, closer: of several lattices, each with the scale of least squares for its codes, the one with the least squared error. Most of
 * what packing a model takes.
 */
export function fittedScale(numbers: Float32Array, start: number, end: number): [scale: number, steps: number] {
  const [whole, wholeSteps] = wholeScale(numbers, start, end);
  if (!(wholeSteps > 0) || Number.isNaN(whole)) return [whole, wholeSteps];
  for (let i = 0; i < block.length; i++) block[i] = numbers[start + i]!;
  let [scale, found, mostGain] = [whole, wholeSteps, -1];
  for (let i = 0; i < stretches.length; i++) {
    const steps = wholeSteps * (1 + stretches[i]! / most);
    let squares = 0;
    // Two sums, so that one does not wait for the other.
    let even = 0;
    let odd = 0;
    for (let k = 0; k < block.length; k += 2) {
      const a = block[k]!;
      const b = block[k + 1]!;
      const codeA = below(((a * steps + most + 0.5) | 0) - most);
      const codeB = below(((b * steps + most + 0.5) | 0) - most);
      squares = (squares + Math.imul(codeA, codeA) + Math.imul(codeB, codeB)) | 0;
      even += codeA * a;
      odd += codeB * b;
    }
    const products = even + odd;
    // By so much the codes lessen the squared error.
    const gain = (products * products) / squares;
    if (gain <= mostGain) continue;
    scale = products / squares;
    found = steps;
    mostGain = gain;
  }
  return [scale, found];
}

const block = new Float64Array(32);
/** No stretch reaches below -127. */
const below = (code: number) => Math.min(most, code) | 0;
