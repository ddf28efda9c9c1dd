// A matrix of weights as the product kernel takes it: 8 bits with a scale for each channel, packed. Filled a few rows at a time.
import type { Crew } from './crew.ts';
import { groupChannels } from './product.ts';

const most = 127;

export class Matrix {
  /** Of each channel; a multiple of 8. */
  readonly columns: number;
  readonly groups: number;
  readonly packed: number;
  readonly scales: number;
  #filled = 0;

  constructor(crew: Crew, rows: number, columns: number) {
    this.columns = columns;
    this.groups = Math.ceil(rows / groupChannels);
    this.packed = crew.allocate(Matrix.bytes(rows, columns));
    this.scales = crew.allocate(4 * groupChannels * this.groups);
  }

  static bytes(rows: number, columns: number): number {
    return Math.ceil(rows / groupChannels) * groupChannels * columns;
  }

  /**
   * The next rows, row-major, times `factor`. The largest number of a row becomes 127 or -127; one that is not finite makes the whole row no number.
   */
  fill(crew: Crew, rows: Float32Array, factor = 1): void {
    const { columns } = this;
    const codes = new Int8Array(crew.memory.buffer, this.packed, Matrix.bytes(4 * this.groups, columns));
    const scales = crew.floats(this.scales, groupChannels * this.groups);
    for (let start = 0; start < rows.length; start += columns, this.#filled++) {
      let extreme = 0;
      for (let k = 0; k < columns; k++) extreme = Math.max(extreme, Math.abs(rows[start + k]!));
      scales[this.#filled] = Number.isFinite(extreme) ? (factor * extreme) / most : Number.NaN;
      const steps = extreme > 0 ? most / extreme : 0;
      const to = (this.#filled >> 2) * groupChannels * columns + 2 * (this.#filled & 3);
      for (let k = 0; k < columns; k++) codes[to + 4 * (k & ~1) + (k & 1)] = Math.round(rows[start + k]! * steps);
    }
  }
}
