// Rounds the rows of a matrix to 8 or 4 bits, in blocks with a scale each, as the primitives for quantised matrices take them. Numbers only.
import { type Bits, blockSize } from '../tensor/graph.ts';

export interface QuantisedRows {
  /** (rows, blocks, blockSize · bits / 8). */
  codes: Uint8Array;
  /** (rows, blocks). */
  scales: Float32Array;
  /** (rows, ⌈blocks · bits / 8⌉); absent for 8 bits, whose code of 0 is 128 everywhere. */
  zeroPoints?: Uint8Array;
}

export function blocksOf(columns: number): number {
  return Math.ceil(columns / blockSize);
}

/**
 * values (rows, columns), row-major. In 8 bits a block reaches as far below 0 as above; 4 bits lie between its smallest and its largest number,
 * 0 among them. A block with a number that is not finite has the scale NaN.
 */
export function quantise(values: Float32Array, columns: number, bits: Bits): QuantisedRows {
  return bits === 8 ? quantise8(values, columns) : quantise4(values, columns);
}

function quantise8(values: Float32Array, columns: number): QuantisedRows {
  const blocks = blocksOf(columns);
  const rows = values.length / columns;
  const codes = new Uint8Array(rows * blocks * blockSize).fill(128);
  const scales = new Float32Array(rows * blocks);
  for (let block = 0; block < scales.length; block++) {
    const [start, end] = span(block, blocks, columns);
    let extreme = 0;
    let total = 0;
    for (let i = start; i < end; i++) {
      const value = values[i]!;
      total += value;
      if (Math.abs(value) > Math.abs(extreme)) extreme = value;
    }
    // The extreme becomes the code 0, one step further from 128 than the other end.
    scales[block] = Number.isFinite(total) ? extreme / -128 : Number.NaN;
    const steps = extreme === 0 ? 0 : -128 / extreme;
    const to = block * blockSize - start;
    for (let i = start; i < end; i++) codes[to + i] = Math.min(255, (values[i]! * steps + 128.5) | 0);
  }
  return { codes, scales };
}

function quantise4(values: Float32Array, columns: number): QuantisedRows {
  const blocks = blocksOf(columns);
  const rows = values.length / columns;
  const codes = new Uint8Array((rows * blocks * blockSize) / 2);
  const scales = new Float32Array(rows * blocks);
  const pairs = Math.ceil(blocks / 2);
  const zeroPoints = new Uint8Array(rows * pairs);
  for (let block = 0; block < scales.length; block++) {
    const [start, end] = span(block, blocks, columns);
    let [low, high, total] = [0, 0, 0];
    for (let i = start; i < end; i++) {
      const value = values[i]!;
      total += value;
      if (value < low) low = value;
      else if (value > high) high = value;
    }
    const steps = high === low ? 0 : 15 / (high - low);
    const zero = Math.floor(-low * steps + 0.5);
    scales[block] = Number.isFinite(total) ? (high - low) / 15 : Number.NaN;
    const [row, place] = [Math.floor(block / blocks), block % blocks];
    zeroPoints[row * pairs + (place >> 1)]! |= zero << (4 * (place & 1));
    const code = (at: number) => (at < end ? Math.min(15, (values[at]! * steps + zero + 0.5) | 0) : zero);
    const to = (block * blockSize) / 2;
    for (let i = 0; i < blockSize / 2; i++) codes[to + i] = code(start + 2 * i) | (code(start + 2 * i + 1) << 4);
  }
  return { codes, scales, zeroPoints };
}

/** Where the numbers of a block begin and end; the last block of a row may be shorter. */
function span(block: number, blocks: number, columns: number): [number, number] {
  const place = block % blocks;
  const start = ((block - place) / blocks) * columns + place * blockSize;
  return [start, start + Math.min(blockSize, columns - place * blockSize)];
}
