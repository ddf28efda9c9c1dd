// Rows of a matrix in 4 bits: blocks of 32 columns, each number scale · code + base with codes from 0 to 15. Files hold such blocks (formats/), and numbers
// are rounded to them here.

/** Columns of a block. */
export const fourBitBlock = 32;
const half = fourBitBlock / 2;
const mostCode = 15;

export interface FourBitRows {
  /** (rows, blocks, 16 bytes): byte i holds the code of column i in its low half and that of column 16 + i in its high half. */
  codes: Uint8Array<ArrayBuffer>;
  /** (rows, blocks). */
  scales: Float32Array;
  bases: Float32Array;
}

export function emptyFours(blocks: number): FourBitRows {
  return { codes: new Uint8Array(blocks * half), scales: new Float32Array(blocks), bases: new Float32Array(blocks) };
}

/** The numbers that the blocks stand for. */
export function unpackFours({ codes, scales, bases }: FourBitRows): Float32Array {
  return Float32Array.from({ length: scales.length * fourBitBlock }, (_, at) => {
    const [block, column] = [Math.floor(at / fourBitBlock), at % fourBitBlock];
    const byte = codes[block * half + (column % half)]!;
    return scales[block]! * (column < half ? byte & 15 : byte >> 4) + bases[block]!;
  });
}

/** How far beyond a block's ends the lattice of codes is laid, as steps more than 15 between them; each is tried. */
const stretches = [0, -0.6, 0.6, -1.2, 1.2, 1.8];

/**
 * Rounds numbers, whole blocks of them. Of several lattices, each with the scale and base of least squares for its codes, the one with the least squared
 * error. A block with a number that is not finite has the scale NaN.
 */
export function fitFours(values: Float32Array): FourBitRows {
  const rows = emptyFours(values.length / fourBitBlock);
  const [trial, best] = [new Uint8Array(fourBitBlock), new Uint8Array(fourBitBlock)];
  for (let block = 0; block < rows.scales.length; block++) {
    const numbers = values.subarray(block * fourBitBlock, (block + 1) * fourBitBlock);
    const [low, high] = endsOf(numbers);
    let line = { scale: 0, base: low, gain: -1 };
    best.fill(0);
    if (!Number.isFinite(high - low)) line = { scale: Number.NaN, base: 0, gain: 0 };
    else if (high > low) {
      for (const stretch of stretches) {
        const found = fitLine(numbers, low, (mostCode + stretch) / (high - low), trial);
        if (found.gain <= line.gain) continue;
        line = found;
        best.set(trial);
      }
    }
    rows.scales[block] = line.scale;
    rows.bases[block] = line.base;
    for (let i = 0; i < half; i++) rows.codes[block * half + i] = best[i]! | (best[half + i]! << 4);
  }
  return rows;
}

function endsOf(numbers: Float32Array): [number, number] {
  let [low, high] = [numbers[0]!, numbers[0]!];
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i]!;
    // A NaN is neither less nor more, and has to show.
    if (!(value >= low)) low = value;
    if (!(value <= high)) high = value;
  }
  return [low, high];
}

/** Codes on a lattice of `steps` a unit from `low` on, and the least squares for them; `gain` is by how much these lessen the squared error. */
function fitLine(
  numbers: Float32Array,
  low: number,
  steps: number,
  codes: Uint8Array,
): { scale: number; base: number; gain: number } {
  let [sumCode, sumSquare, sumValue, sumProduct] = [0, 0, 0, 0];
  for (let i = 0; i < fourBitBlock; i++) {
    const value = numbers[i]!;
    const code = Math.min(mostCode, ((value - low) * steps + 0.5) | 0);
    codes[i] = code;
    sumCode += code;
    sumSquare += code * code;
    sumValue += value;
    sumProduct += code * value;
  }
  const spread = sumSquare - (sumCode * sumCode) / fourBitBlock;
  if (spread <= 0) return { scale: 0, base: sumValue / fourBitBlock, gain: 0 };
  const shared = sumProduct - (sumCode * sumValue) / fourBitBlock;
  const scale = shared / spread;
  return { scale, base: (sumValue - scale * sumCode) / fourBitBlock, gain: (shared * shared) / spread };
}
