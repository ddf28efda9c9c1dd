// A matrix of weights as the product kernel takes it (packing.ts), filled a few rows at a time: rounded from numbers, or with the blocks of a file as
// they are.

import { codeOf, fittedScale, wholeScale } from '../../model/eight-bits.ts';
import { type FourBitRows, fitFours } from '../../model/four-bits.ts';
import type { Crew } from './crew.ts';
import { blockColumns, columnsTogether, groupBlockBytes, groupBytes, groupChannels, type Packing, sumBytes } from './packing.ts';

export class Matrix {
  readonly packing: Packing;
  readonly groups: number;
  readonly packed: number;
  readonly #crew: Crew;
  #filled = 0;

  constructor(crew: Crew, rows: number, packing: Packing) {
    this.packing = packing;
    this.groups = Math.ceil(rows / groupChannels);
    this.packed = crew.allocate(this.groups * groupBytes(packing));
    this.#crew = crew;
  }

  /**
   * The next rows, row-major, times `factor`. `held`: each block is multiples of a 127th of its largest number, as a file in 8 bits has it. A number that
   * is not finite makes its block no number.
   */
  fill(rows: Float32Array, factor = 1, held = false): void {
    const { columns } = this.packing;
    const put = this.packing.bits === 4 ? this.#fours(factor) : this.#eights(factor, held);
    for (let start = 0; start < rows.length; start += columns, this.#filled++) put(rows.subarray(start, start + columns));
  }

  #eights(factor: number, held: boolean): (row: Float32Array) => void {
    const { columns, block } = this.packing;
    const bytes = groupBlockBytes(this.packing);
    const codes = new Int8Array(this.#crew.memory.buffer, this.packed, this.groups * groupBytes(this.packing));
    const scales = this.#crew.floats(this.packed, Math.floor(codes.length / 4));
    const sums = new DataView(codes.buffer, this.packed, codes.length);
    const ofBlock = sumBytes(this.packing);
    const together = columnsTogether(this.packing);
    const scaleOf = held || block === columns ? wholeScale : fittedScale;
    return (row) => {
      const channel = this.#filled & 3;
      let to = this.#bytesAt;
      for (let start = 0; start < columns; start += block, to += bytes) {
        const [scale, steps] = scaleOf(row, start, start + block);
        scales[(to + groupChannels * block) / 4 + channel] = factor * scale;
        const place = to + together * channel - groupChannels * start;
        let sum = 0;
        for (let k = start; k < start + block; k += 2) {
          const first = codeOf(row[k]!, steps);
          const second = codeOf(row[k + 1]!, steps);
          const at = place + groupChannels * (k & -together) + (k & (together - 1));
          codes[at] = first;
          codes[at + 1] = second;
          sum -= first + second;
        }
        if (!this.packing.inFours) continue;
        const sumAt = to + groupChannels * block + 16 + ofBlock * channel;
        if (ofBlock === 2) sums.setInt16(sumAt, sum, true);
        else sums.setInt32(sumAt, sum, true);
      }
    };
  }

  #fours(factor: number): (row: Float32Array) => void {
    const put = this.#blocks(factor);
    return (row) => put(fitFours(row), 0);
  }

  /** The next rows as blocks of 4 bits, times `factor`. */
  fillFours(rows: FourBitRows, factor = 1): void {
    const blocks = this.packing.columns / blockColumns;
    const put = this.#blocks(factor);
    for (let first = 0; first < rows.scales.length; first += blocks, this.#filled++) put(rows, first);
  }

  /** Puts the blocks of one row where they belong, from block `first` on. */
  #blocks(factor: number): (rows: FourBitRows, first: number) => void {
    const blocks = this.packing.columns / blockColumns;
    const words = groupBlockBytes(this.packing) / 4;
    const whole = (this.groups * groupBytes(this.packing)) / 4;
    const codes = this.#crew.integers(this.packed, whole);
    const floats = this.#crew.floats(this.packed, whole);
    return (rows, first) => {
      const from = new Int32Array(rows.codes.buffer, rows.codes.byteOffset, rows.codes.length / 4);
      let to = this.#bytesAt / 4 + (this.#filled & 3);
      for (let block = first; block < first + blocks; block++, to += words) {
        // Four columns of a channel, and the four 16 columns later, are four bytes here and there.
        for (let step = 0; step < 4; step++) codes[to + 4 * step] = from[4 * block + step]!;
        floats[to + 16] = factor * rows.scales[block]!;
        floats[to + 20] = factor * rows.bases[block]!;
      }
    };
  }

  /** Where the group of the next row begins, in bytes from `packed` on. */
  get #bytesAt(): number {
    return (this.#filled >> 2) * groupBytes(this.packing);
  }
}
