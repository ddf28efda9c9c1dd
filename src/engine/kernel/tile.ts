// What a product's inner loops are given and leave: some rows times some groups.
import type { Code, Local } from './wasm.ts';

export interface Operands {
  /** Rounded rows, and their scales. */
  x: Local;
  scales: Local;
  /** Of rows with a scale for each block: the sums of the blocks. */
  sums: Local;
  packed: Local;
  /** The first of the groups and of the rows in hand. */
  group: Local;
  row: Local;
}

/** Some rows times some groups: rows and groups decide how many sums there are. */
export interface Tile {
  /** Rows at once, the most first, 1 last. */
  readonly rows: readonly number[];
  /** Most groups at once for a single row, and for several. */
  readonly alone: number;
  readonly together: number;
  /** The code that leaves the result of each row and group, row by row, in the locals it answers. */
  compute(rows: number, groups: number): { code: Code; results: Local[] };
}
