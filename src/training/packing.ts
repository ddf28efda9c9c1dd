// Fills fixed rows with sequences of tokens: several short ones share a row, each a segment that sees only itself; a long one is cut.
// Knows token ids and weights, not where they come from.

/** Token ids with the weight of each token as a target; weight 0 is read but not trained. */
export interface Sequence {
  ids: readonly number[];
  weights: ArrayLike<number>;
}

/** Rows of `length` tokens, row-major. Targets are the next token of the same segment; a token without one weighs 0. */
export interface PackedRows {
  readonly length: number;
  readonly rows: number;
  readonly ids: Int32Array;
  readonly segments: Int32Array;
  readonly targets: Int32Array;
  readonly weights: Float32Array;
}

/** Where each sequence goes: row and first column, in the order of `lengths`. */
export interface Placement {
  rows: number;
  places: { row: number; column: number }[];
}

/** First-fit in arrival order over the last few open rows; sequences longer than a row must have been cut before. */
export function placeSequences(lengths: readonly number[], rowLength: number, openRows = 64): Placement {
  const places: Placement['places'] = [];
  let open: { row: number; used: number }[] = [];
  let rows = 0;
  for (const length of lengths) {
    let home = open.find(({ used }) => used + length <= rowLength);
    if (!home) {
      home = { row: rows++, used: 0 };
      open.push(home);
      if (open.length > openRows) open.shift();
    }
    places.push({ row: home.row, column: home.used });
    home.used += length;
    if (home.used === rowLength) open = open.filter((other) => other !== home);
  }
  return { rows, places };
}

/** Packs sequences for next-token training. A sequence longer than a row continues in further rows, so no token is lost. */
export function packSequences(sequences: Iterable<Sequence>, rowLength: number): PackedRows {
  const pieces: { ids: readonly number[]; weights: number[] }[] = [];
  for (const { ids, weights } of sequences) {
    for (let start = 0; start + 1 < ids.length; start += rowLength) {
      // A piece ends with one token more than it trains on, which is only its last target.
      const end = Math.min(ids.length, start + rowLength + 1);
      pieces.push({
        ids: ids.slice(start, end),
        weights: Array.from({ length: end - start }, (_, i) => weights[start + i] as number),
      });
    }
  }
  const { rows, places } = placeSequences(
    pieces.map(({ ids }) => ids.length - 1),
    rowLength,
  );
  const packed = emptyRows(rows, rowLength);
  const segmentsInRow = new Int32Array(rows);
  pieces.forEach(({ ids, weights }, i) => {
    const { row, column } = places[i] as { row: number; column: number };
    const segment = ++segmentsInRow[row]!;
    for (let j = 0; j + 1 < ids.length; j++) {
      const at = row * rowLength + column + j;
      packed.ids[at] = ids[j] as number;
      packed.segments[at] = segment;
      packed.targets[at] = ids[j + 1] as number;
      packed.weights[at] = weights[j + 1] as number;
    }
  });
  return packed;
}

function emptyRows(rows: number, length: number): PackedRows {
  const size = rows * length;
  return {
    length,
    rows,
    ids: new Int32Array(size),
    segments: new Int32Array(size),
    targets: new Int32Array(size),
    weights: new Float32Array(size),
  };
}
