// Rows times the two small matrices of a low-rank adapter, in fp32: x · down, and (x · down) · up added to what the projection gave. Weights are
// bfloat16, in panels of 8 outputs: of each column 16 bytes, word i the outputs i (lower half) and i + 4. A result is summed column by column whatever
// rows and panels are computed beside it.
import { wide } from './numbers.ts';
import { at, kernel, type Words } from './record.ts';
import {
  type Code,
  type Definition,
  either,
  type Frame,
  f32x4,
  i32,
  i32x4,
  jumpIf,
  type Local,
  loop,
  v128,
  when,
} from './wasm.ts';

export const panelOutputs = 8;
/** Bytes of a column of a panel. */
export const panelColumnBytes = 2 * panelOutputs;

/** Rows of one adapter that follow one another: the adapter's address, the first row, their number. */
export const chunkWords = 3;
/** What an adapter has for a stack of projections: addresses of the panels down and up, and the rank of each projection, a multiple of 8; 0 for nothing. */
export const placeWords = 3;

/**
 * out[row, r] = Σ x[row, k] · down[r, k], the projections of a stack one behind the other.
 * words: chunks, parts, bytes of the stack's words in an adapter's, x, bytes between its rows, out, bytes between its rows, columns, projections.
 * Tasks: chunks · parts.
 */
export function lowRankDown(): Definition {
  return lowRankKernel('lowRankDown', (words, task, { place, rank }, { inner }) => {
    const panels = i32.mul(words.word(8), i32.shrU(rank.get, i32.const(3)));
    return { ...task, weights: i32.load(place.get), first: i32.const(0), panels, setup: inner.set(words.word(7)) };
  });
}

/**
 * out[row, channel] += Σ inner[row, r] · up[channel, r].
 * words: chunks, parts, bytes of the stack's words in an adapter's, inner, bytes between its rows, out, bytes between its rows, for each projection its
 * first panel and their number, projections. Tasks: chunks · projections · parts.
 */
export function lowRankUp(): Definition {
  return lowRankKernel('lowRankUp', (words, task, { place, rank }, { inner, x }) => {
    const { chunk: both, part } = task;
    const projection = i32.remU(both, words.word(8));
    const range = at(words.word(7), projection, i32.const(8));
    const setup = [...inner.set(rank.get), ...x.set(i32.add(x.get, i32.shl(i32.mul(projection, rank.get), i32.const(2))))];
    const chunk = i32.divU(both, words.word(8));
    return { chunk, part, weights: i32.load(place.get, 4), first: i32.load(range), panels: i32.load(range, 4), setup };
  });
}

interface Task {
  chunk: Code;
  part: Code;
}

interface Work extends Task {
  /** Address of the panels; of these as many from the first on are the task's, but for its part. */
  weights: Code;
  first: Code;
  panels: Code;
  setup: Code;
}

interface Place {
  place: Local;
  rank: Local;
}

interface Operands {
  x: Local;
  /** Columns of x. */
  inner: Local;
}

type Find = (words: Words, task: Task, place: Place, operands: Operands) => Work;

function lowRankKernel(name: 'lowRankDown' | 'lowRankUp', find: Find): Definition {
  return kernel(name, (frame, words, task) => {
    const parts = words.word(1);
    const [x, inner, place, rank] = frame.locals('i32', 4) as Four;
    const [weights, panel, end, chunk] = frame.locals('i32', 4) as Four;
    const [row, firstRow, lastRow] = frame.locals('i32', 3) as [Local, Local, Local];
    const found = find(
      words,
      { chunk: i32.divU(task.get, parts), part: i32.remU(task.get, parts) },
      { place, rank },
      { x, inner },
    );
    const bound = (part: Code) => i32.add(found.first, i32.divU(i32.mul(part, found.panels), parts));
    const tiles = new Tiles(frame, { x, inner, weights, panel, row, words }, name === 'lowRankUp');
    /** All rows of a few panels. */
    const several = (panels: number): Code => [
      ...row.set(firstRow.get),
      ...[2, 1].flatMap((rows) => frame.whileReaching(row, rows, lastRow.get, tiles.compute(rows, panels))),
    ];
    return [
      chunk.set(at(words.word(0), found.chunk, i32.const(4 * chunkWords))),
      place.set(i32.add(i32.load(chunk.get), words.word(2))),
      rank.set(i32.load(place.get, 8)),
      when(
        rank.get,
        firstRow.set(i32.load(chunk.get, 4)),
        lastRow.set(i32.add(firstRow.get, i32.load(chunk.get, 8))),
        x.set(words.word(3)),
        found.setup,
        weights.set(found.weights),
        panel.set(bound(found.part)),
        end.set(bound(i32.add(found.part, i32.const(1)))),
        either(
          i32.eq(i32.load(chunk.get, 8), i32.const(1)),
          [...row.set(firstRow.get), ...frame.whileReaching(panel, 4, end.get, tiles.compute(1, 4))],
          frame.whileReaching(panel, 2, end.get, several(2)),
        ),
        frame.whileReaching(panel, 1, end.get, several(1)),
      ),
    ];
  });
}

type Four = [Local, Local, Local, Local];

interface Tiled extends Operands {
  weights: Local;
  /** The first of the panels and of the rows in hand. */
  panel: Local;
  row: Local;
  /** Words 4 to 6: bytes between rows of x, out, bytes between its rows. */
  words: Words;
}

/** Columns a turn of the loop takes: all widths and ranks are multiples of it. */
const unrolled = 4;

/** Some rows times some panels, at most eight sums of four outputs, which the registers hold. */
class Tiles {
  readonly #tiled: Tiled;
  readonly #adds: boolean;
  readonly #sums: Local[];
  readonly #numbers: Local[];
  readonly #halves: [Local, Local];
  readonly #xs: Local[];
  readonly #columns: Local[];
  readonly #end: Local;

  constructor(frame: Frame, tiled: Tiled, adds: boolean) {
    this.#tiled = tiled;
    this.#adds = adds;
    this.#sums = frame.locals('v128', 8);
    this.#numbers = frame.locals('v128', 2);
    this.#halves = frame.locals('v128', 2) as [Local, Local];
    this.#xs = frame.locals('i32', 2);
    this.#columns = frame.locals('i32', 4);
    this.#end = frame.local('i32');
  }

  compute(rows: number, panels: number): Code {
    const { x, inner, weights, panel, row, words } = this.#tiled;
    const [xs, columns] = [this.#xs.slice(0, rows), this.#columns.slice(0, panels)];
    const sums = this.#sums.slice(0, 2 * rows * panels);
    const panelBytes = i32.mul(inner.get, i32.const(panelColumnBytes));
    const step = (local: Local, bytes: number) => local.set(i32.add(local.get, i32.const(bytes)));
    return [
      ...xs.flatMap((own, i) => own.set(at(x.get, i32.add(row.get, i32.const(i)), words.word(4)))),
      ...columns.flatMap((own, i) => own.set(at(weights.get, i32.add(panel.get, i32.const(i)), panelBytes))),
      ...this.#end.set(i32.add(columns[0]!.get, panelBytes)),
      ...sums.flatMap((sum) => sum.set(v128.zero)),
      ...loop(
        ...Array.from({ length: unrolled }, (_, column) => this.#column(rows, panels, column)),
        ...xs.map((own) => step(own, 4 * unrolled)),
        ...columns.map((own) => step(own, panelColumnBytes * unrolled)),
        jumpIf(i32.ne(columns[0]!.get, this.#end.get), 0),
      ),
      ...xs.flatMap((to, i) => this.#store(to, i, sums.slice(2 * i * panels, 2 * (i + 1) * panels))),
    ];
  }

  #column(rows: number, panels: number, column: number): Code {
    const [low, high] = this.#halves;
    const numbers = this.#numbers.slice(0, rows);
    const plus = (sum: Local, number: Local, weight: Local) => sum.set(f32x4.add(sum.get, f32x4.mul(number.get, weight.get)));
    return [
      ...numbers.flatMap((number, i) => number.set(v128.load32Splat(this.#xs[i]!.get, 4 * column))),
      ...this.#columns.slice(0, panels).flatMap((own, panel) => [
        ...high.set(v128.load(own.get, panelColumnBytes * column)),
        ...low.set(i32x4.shl(high.get, i32.const(16))),
        ...high.set(v128.and(high.get, i32x4.splat(i32.const(-65_536)))),
        ...numbers.flatMap((number, i) => {
          const first = 2 * (i * panels + panel);
          return [...plus(this.#sums[first]!, number, low), ...plus(this.#sums[first + 1]!, number, high)];
        }),
      ]),
    ];
  }

  #store(to: Local, rowOf: number, sums: readonly Local[]): Code {
    const { panel, row, words } = this.#tiled;
    const start = i32.add(
      at(words.word(5), i32.add(row.get, i32.const(rowOf)), words.word(6)),
      i32.mul(panel.get, i32.const(4 * panelOutputs)),
    );
    return [
      ...to.set(start),
      ...sums.flatMap((sum, i) => {
        const value = this.#adds ? f32x4.add(v128.load(to.get, wide * i), sum.get) : sum.get;
        return v128.store(to.get, value, wide * i);
      }),
    ];
  }
}
