// Low-rank adapters in the memory of the kernels, and which rows of a run stand under which: rows of one adapter lie together, so that its matrices are
// read once for some of them, and rows without one are left alone.
import { SteerError } from '../../errors.ts';
import { toBfloat16 } from '../../model/formats/half-floats.ts';
import type { LowRank, LowRanks } from '../../model/lora.ts';
import type { LlamaShape } from '../../model/shape.ts';
import type { Crew } from './crew.ts';
import { chunkWords, panelColumnBytes, panelOutputs, placeWords } from './low-rank.ts';

/** Rows that a task takes at most: of a long prompt there are tasks for all threads, and what it reads of the matrices stays in the cache. */
const chunkRows = 16;

/** Projections that take the same rows, one behind the other as in weights.ts. */
const stacks = ['qkv', 'output', 'gateUp', 'down'] as const;
export type StackName = (typeof stacks)[number];

interface StackShape {
  projections: readonly string[];
  /** Channels of each. */
  widths: readonly number[];
  columns: number;
  /** Bytes between the rows that it takes and between those that it gives. */
  inStride: number;
  outStride: number;
  /** What its weights are multiplied by beside the adapter's scale. */
  factor: number;
  /** Address of each projection's first panel and their number. */
  ranges: number;
}

interface Adapter {
  at: number;
  /** Whether it has anything for a stack, by layer and stack. */
  touched: boolean[];
}

/** Where chunks lie, and whose they are. */
interface Chunks {
  at: number;
  owners: Adapter[];
}

interface Row {
  adapter?: string | undefined;
}

export class KernelAdapters {
  readonly #crew: Crew;
  readonly #layers: number;
  readonly #rows: number;
  readonly #stacks: Record<StackName, StackShape>;
  readonly #adapters = new Map<string, Adapter>();
  /** Of all rows of the run at hand, and of those whose scores are wanted. */
  readonly #all: Chunks;
  readonly #wanted: Chunks;
  /** (rows, width): rows between the two matrices. */
  #inner = { at: 0, width: 0 };

  constructor(crew: Crew, shape: LlamaShape, rows: number) {
    this.#crew = crew;
    this.#layers = shape.layers;
    this.#rows = rows;
    this.#stacks = stackShapes(crew, shape);
    const chunks = (): Chunks => ({ at: crew.allocate(4 * chunkWords * rows), owners: [] });
    [this.#all, this.#wanted] = [chunks(), chunks()];
  }

  get names(): string[] {
    return [...this.#adapters.keys()];
  }

  /** Throws conflict for a name that is taken, invalid_model for matrices that do not fit the model, overloaded where there is no more memory. */
  add(name: string, lowRanks: LowRanks): void {
    if (this.#adapters.has(name)) throw new SteerError('conflict', `There is an adapter ${JSON.stringify(name)} already.`);
    this.#check(name, lowRanks);
    const parts = Array.from({ length: this.#layers }, (_, layer) =>
      stacks.map((stack) => partsOf(this.#stacks[stack], layer, lowRanks)),
    ).flat();
    this.#widen(Math.max(...parts.map(({ stack, rank }) => stack.widths.length * rank)));
    const words = 4 * placeWords * parts.length;
    // All at once, so that an adapter for which there is no room takes none.
    const at = this.#crew.allocate(parts.reduce((sum, { downBytes, upBytes }) => sum + downBytes + upBytes, words));
    let to = at + words;
    for (const [place, part] of parts.entries()) {
      this.#crew.integers(at + 4 * placeWords * place, placeWords).set([to, to + part.downBytes, part.rank]);
      this.#put(part, to);
      to += part.downBytes + part.upBytes;
    }
    this.#adapters.set(name, { at, touched: parts.map(({ rank }) => rank > 0) });
  }

  /** The same inputs, those of one adapter one after the other. */
  sideBySide<Input extends Row>(inputs: readonly Input[]): readonly Input[] {
    if (this.#adapters.size === 0) return inputs;
    const order = ['', ...this.#adapters.keys()];
    const place = ({ adapter = '' }: Row) => order.indexOf(adapter);
    return inputs.toSorted((a, b) => place(a) - place(b));
  }

  /** Says whose the rows of the run at hand are, and which of them are wanted. */
  place(rows: readonly Row[], wanted: readonly number[]): void {
    this.#divide(this.#all, rows);
    this.#divide(
      this.#wanted,
      wanted.map((row) => rows[row]!),
    );
  }

  /** Adds what adapters answer to rows `x` of a stack to what it gave. Of the last layer only wanted rows go on after attention. */
  apply(layer: number, stack: StackName, x: number, out: number): void {
    const { at: chunks, owners } = layer === this.#layers - 1 && stack !== 'qkv' ? this.#wanted : this.#all;
    const place = layer * stacks.length + stacks.indexOf(stack);
    if (!owners.some(({ touched }) => touched[place])) return;
    const { projections, columns, inStride, outStride, ranges } = this.#stacks[stack];
    const parts = owners.length >= 2 * this.#crew.threads ? 1 : this.#crew.threads;
    const { at: inner, width } = this.#inner;
    const first = [chunks, parts, 4 * placeWords * place];
    const count = projections.length;
    this.#crew.add('lowRankDown', owners.length * parts, ...first, x, inStride, inner, 4 * width, columns, count);
    this.#crew.add('lowRankUp', owners.length * count * parts, ...first, inner, 4 * width, out, outStride, ranges, count);
  }

  #divide(chunks: Chunks, rows: readonly Row[]): void {
    chunks.owners = [];
    let row = 0;
    while (row < rows.length) {
      const { adapter: name } = rows[row]!;
      const first = row++;
      while (row < rows.length && row < first + chunkRows && rows[row]!.adapter === name) row++;
      if (name === undefined) continue;
      const owner = this.#adapters.get(name);
      if (!owner) throw new Error(`Adapter ${name} was not added.`);
      this.#crew.integers(chunks.at + 4 * chunkWords * chunks.owners.length, chunkWords).set([owner.at, first, row - first]);
      chunks.owners.push(owner);
    }
  }

  #check(name: string, lowRanks: LowRanks): void {
    const known = new Map<string, { width: number; columns: number }>();
    for (const { projections, widths, columns } of Object.values(this.#stacks)) {
      for (let layer = 0; layer < this.#layers; layer++) {
        for (const [i, projection] of projections.entries()) {
          known.set(`model.layers.${layer}.${projection}`, { width: widths[i]!, columns });
        }
      }
    }
    const refuse = (text: string) => new SteerError('invalid_model', `The adapter ${JSON.stringify(name)}: expected ${text}.`);
    for (const [projection, { rank, down, up }] of lowRanks) {
      const expected = known.get(projection);
      if (!expected) throw refuse(`projections of the model, such as ${[...known.keys()][0]}, found ${projection}`);
      const [columns, width] = [down.length / rank, up.length / rank];
      if (columns === expected.columns && width === expected.width) continue;
      throw refuse(`${expected.columns} columns and ${expected.width} channels for ${projection}, found ${columns} and ${width}`);
    }
  }

  /** Makes room for rows between two matrices. */
  #widen(width: number): void {
    if (width > this.#inner.width) this.#inner = { at: this.#crew.allocate(4 * this.#rows * width), width };
  }

  #put({ stack: { widths, columns, factor }, rank, lowRanks }: Parts, to: number): void {
    let downTo = to;
    let upTo = to + lowRanks.length * panelBytes(rank, columns);
    for (const [i, own] of lowRanks.entries()) {
      if (own) {
        this.#pack(downTo, columns, own.down, own.rank, columns, 1);
        this.#pack(upTo, rank, own.up, widths[i]!, own.rank, (factor * own.alpha) / own.rank);
      }
      downTo += panelBytes(rank, columns);
      upTo += panelBytes(widths[i]!, rank);
    }
  }

  /** Puts a matrix (outputs, own columns) into panels of so many columns. What they have beyond it stays 0, as new memory is. */
  #pack(to: number, columns: number, matrix: Float32Array, outputs: number, ownColumns: number, scale: number): void {
    const codes = toBfloat16(scale === 1 ? matrix : matrix.map((value) => value * scale));
    const halves = new Uint16Array(this.#crew.memory.buffer, to);
    for (let output = 0; output < outputs; output++) {
      const [panel, inPanel] = [Math.floor(output / panelOutputs), output % panelOutputs];
      const first = panel * panelOutputs * columns + 2 * (inPanel & 3) + (inPanel >> 2);
      for (let k = 0; k < ownColumns; k++) halves[first + panelOutputs * k] = codes[output * ownColumns + k]!;
    }
  }
}

/** What an adapter has for the stack of a layer. */
interface Parts {
  stack: StackShape;
  /** Of each projection, undefined where it has nothing for one. */
  lowRanks: (LowRank | undefined)[];
  /** The largest of theirs, in whole panels; the others are filled up with zeros. 0 where there are none. */
  rank: number;
  downBytes: number;
  upBytes: number;
}

function partsOf(stack: StackShape, layer: number, adapter: LowRanks): Parts {
  const lowRanks = stack.projections.map((projection) => adapter.get(`model.layers.${layer}.${projection}`));
  const largest = Math.max(...lowRanks.map((own) => own?.rank ?? 0));
  const rank = panelOutputs * Math.ceil(largest / panelOutputs);
  const upBytes = stack.widths.reduce((sum, width) => sum + panelBytes(width, rank), 0);
  return { stack, lowRanks, rank, downBytes: lowRanks.length * panelBytes(rank, stack.columns), upBytes };
}

function panelBytes(outputs: number, columns: number): number {
  return (outputs / panelOutputs) * columns * panelColumnBytes;
}

function stackShapes(crew: Crew, shape: LlamaShape): Record<StackName, StackShape> {
  const { hiddenSize: D, intermediateSize: F, heads: H, kvHeads: K, headDim: d, residualMultiplier } = shape;
  const stack = (
    projections: readonly string[],
    widths: readonly number[],
    columns: number,
    { inStride = 4 * columns, factor = 1 } = {},
  ): StackShape => {
    const ranges = crew.allocate(8 * widths.length);
    let first = 0;
    for (const [i, width] of widths.entries()) {
      crew.integers(ranges + 8 * i, 2).set([first, width / panelOutputs]);
      first += width / panelOutputs;
    }
    return { projections, widths, columns, inStride, outStride: 4 * panelOutputs * first, factor, ranges };
  };
  const factor = residualMultiplier;
  return {
    qkv: stack(['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'], [H * d, K * d, K * d], D),
    output: stack(['self_attn.o_proj'], [D], H * d, { factor }),
    gateUp: stack(['mlp.gate_proj', 'mlp.up_proj'], [F, F], D),
    // The gate's product stands in rows of gate and up.
    down: stack(['mlp.down_proj'], [D], F, { inStride: 8 * F, factor }),
  };
}
