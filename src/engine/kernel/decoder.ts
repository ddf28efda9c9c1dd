// Reads tokens with kernels of our own, on the host: weights in 8 or 4 bits, keys and values in blocks wherever there is room, everything else fp32. Rows
// of any sequences stand in one run, each computed the same whatever stands beside it. Dimension letters: R rows (new tokens), D hidden, F
// intermediate, H heads, K key/value heads, d head size, V vocabulary.

import { openSource, type Precision, type WeightSource } from '../../model/loaded-network.ts';
import { type LlamaShape, layerWindow, windowTokens } from '../../model/shape.ts';
import { KernelAdapters } from './adapters.ts';
import { blockBytes, blockTokens, layerOffset, partBytes } from './cache-block.ts';
import { Crew } from './crew.ts';
import { compileKernels, type RowKernel } from './kernels.ts';
import type { Matrix } from './matrix.ts';
import type { PackedCopy } from './packed-copy.ts';
import { groupChannels, productName } from './packing.ts';
import { PackingPlan } from './packing-plan.ts';
import { foursAreFaster } from './relaxed.ts';
import { roundingName, tokenBytes } from './row-kernels.ts';
import { layOut, type Scratch, tableWords } from './scratch.ts';
import { SumPool } from './sum-pool.ts';
import { type KernelWeights, loadKernelWeights, type Stack } from './weights.ts';

export interface KernelDecoderOptions {
  threads: number;
  /** Rows of a run. */
  rows: number;
  precision?: KernelPrecision;
  /** How products of bytes are added up; left out, by what is faster here. The scores are the same. */
  inFours?: boolean;
  /** Where packed weights are kept between starts; absent where they are not. */
  packed?: PackedCopy | undefined;
}

export type KernelPrecision = Exclude<Precision, 'fp32'>;

/** New tokens of one sequence: they follow `computed` others, whose keys and values lie in its blocks, as theirs will. */
export interface KernelInput {
  ids: readonly number[];
  computed: number;
  /** Addresses of the sequence's blocks, with room for the new tokens. */
  blocks: readonly number[];
  /** For each token the address of the sum of vectors it is read under, 0 for none; absent where no token has one. */
  sums?: readonly number[];
  /** The low-rank adapter that its tokens are read under. */
  adapter?: string | undefined;
}

export class KernelDecoder {
  readonly shape: LlamaShape;
  readonly weightBytes: number;
  /** Of steering vectors. */
  readonly sums: SumPool;
  readonly adapters: KernelAdapters;
  readonly #rows: number;
  readonly #crew: Crew;
  readonly #weights: KernelWeights;
  readonly #scratch: Scratch;
  /** (rows + 1, V), the last row for a prompt. */
  readonly #logits: Float32Array;
  #integers: Int32Array;
  /** Whether a row of the run at hand is read under a sum of vectors. */
  #steered = false;

  private constructor(shape: LlamaShape, rows: number, crew: Crew, weights: KernelWeights, weightBytes: number) {
    this.shape = shape;
    this.weightBytes = weightBytes;
    this.sums = new SumPool(crew, shape.layers * shape.hiddenSize);
    this.#rows = rows;
    this.#crew = crew;
    this.#weights = weights;
    this.#scratch = layOut(shape, rows, crew);
    this.adapters = new KernelAdapters(crew, shape, rows);
    this.#logits = crew.floats(this.#scratch.logits, (rows + 1) * this.#stride);
    this.#integers = crew.integers(0, this.#scratch.x >> 2);
  }

  /** Loads the weights, a few rows at a time, and starts the threads. Throws invalid_model in one clear line. */
  static async open(source: WeightSource, options: KernelDecoderOptions): Promise<KernelDecoder> {
    const { threads, rows, precision = 'int8', inFours = foursAreFaster(), packed } = options;
    const opened = await openSource(source);
    try {
      const plan = new PackingPlan(opened, precision, inFours);
      const crew = await Crew.open(await compileKernels(opened.shape, plan), threads);
      try {
        const before = crew.bytes;
        const weights = await loadKernelWeights(opened, plan, crew, packed);
        return new KernelDecoder(opened.shape, rows, crew, weights, crew.bytes - before);
      } catch (cause) {
        await crew.dispose();
        throw cause;
      }
    } finally {
      await opened.weights.close();
    }
  }

  get blockBytes(): number {
    return blockBytes(this.shape);
  }

  /** Address of room for the keys and values of 16 tokens. */
  newBlock(): number {
    return this.#crew.allocate(this.blockBytes);
  }

  /** Leaves no scale in a block, so that what is read of places without a token is 0. */
  clearBlock(block: number): void {
    const { codes, keyScales, valueScales } = partBytes(this.shape);
    const bytes = new Uint8Array(this.#crew.memory.buffer);
    for (let layer = 0; layer < this.shape.layers; layer++) {
      const start = block + layerOffset(this.shape, layer) + 2 * codes;
      bytes.fill(0, start, start + keyScales + valueScales);
    }
  }

  copyBlock(from: number, to: number): void {
    new Uint8Array(this.#crew.memory.buffer).copyWithin(to, from, from + this.blockBytes);
  }

  /** Reads one new token of each sequence. Scores (V) of each, which hold until the next call of this function. */
  step(inputs: readonly KernelInput[]): Float32Array[] {
    const ordered = this.adapters.sideBySide(inputs);
    for (const [row, input] of ordered.entries()) this.#write(row, input, 0, row);
    const all = [...ordered.keys()];
    this.adapters.place(ordered, all);
    this.#run(inputs.length, all, 0);
    return inputs.map((input) => this.#scoresAt(ordered.indexOf(input)));
  }

  /** Reads new tokens of one sequence; where asked for, scores (V) of the token after the last, which hold until the next call of this function. */
  read(input: KernelInput, scores: boolean): Float32Array | undefined {
    const count = input.ids.length;
    for (let row = 0; row < count; row++) this.#write(row, input, row, 0);
    const wanted = scores ? [count - 1] : [];
    this.adapters.place(new Array<KernelInput>(count).fill(input), wanted);
    this.#run(count, wanted, this.#rows);
    return scores ? this.#scoresAt(this.#rows) : undefined;
  }

  dispose(): Promise<void> {
    return this.#crew.dispose();
  }

  /** Numbers between the scores of two rows. */
  get #stride(): number {
    return groupChannels * this.#weights.outputMatrix[0]!.groups;
  }

  #scoresAt(row: number): Float32Array {
    return this.#logits.subarray(row * this.#stride, row * this.#stride + this.shape.vocabSize);
  }

  /** Puts down token number `index` of a sequence as a row, with its addresses of blocks in table number `table`. */
  #write(row: number, { ids, computed, blocks, sums }: KernelInput, index: number, table: number): void {
    const { tokens, tables } = this.#scratch;
    const tableAt = tables + 4 * table * tableWords(this.shape);
    const { contextLength, vocabSize } = this.shape;
    const id = ids[index]!;
    // Kernels check nothing: what lies outside of a table would be read, and written, all the same.
    if (!(id >= 0 && id < vocabSize) || computed + index >= Math.min(contextLength, blocks.length * blockTokens)) {
      throw new Error(`Token ${id} at position ${computed + index} is outside the model or its blocks.`);
    }
    if (index === 0) for (let i = 0; i < blocks.length; i++) this.#integers[(tableAt >> 2) + i] = blocks[i]!;
    const at = (tokens + row * tokenBytes) >> 2;
    this.#integers[at] = id;
    this.#integers[at + 1] = computed + index;
    this.#integers[at + 2] = tableAt;
    this.#integers[at + 3] = sums?.[index] ?? 0;
    if (sums?.[index]) this.#steered = true;
  }

  #run(rows: number, wanted: readonly number[], scoresRow: number): void {
    const { shape } = this;
    const { table, layers, outputNorm, outputMatrix } = this.#weights;
    const at = this.#scratch;
    const crew = this.#crew;
    crew.begin();
    this.#eachRow('embed', rows, at.tokens, table.packed, at.x);
    for (const [index, layer] of layers.entries()) {
      const last = index === layers.length - 1;
      const offset = layerOffset(shape, index);
      this.#norm(rows, layer.attentionNorm, layer.qkv);
      this.#product(rows, layer.qkv, layer.qkvBias, 0, at.qkv);
      this.adapters.apply(index, 'qkv', at.y, at.qkv);
      const { kernel, cosines, sines } = layer.rotation;
      this.#eachRow(kernel, rows, at.tokens, at.qkv, cosines, sines, offset, layer.queryNorm, layer.keyNorm);
      // Of the last layer only the rows whose scores are wanted matter beyond their keys and values.
      const asking = last ? this.#pick(rows, wanted) : rows;
      const tokens = last ? at.wantedTokens : at.tokens;
      if (asking > 0) this.#finishLayer(index, asking, tokens);
    }
    if (wanted.length > 0) {
      this.#norm(wanted.length, outputNorm, outputMatrix);
      this.#product(wanted.length, outputMatrix, this.#weights.zeros, 0, at.logits + 4 * this.#stride * scoresRow);
    }
    this.#steered = false;
    crew.run();
  }

  #finishLayer(index: number, rows: number, tokens: number): void {
    const layer = this.#weights.layers[index]!;
    const at = this.#scratch;
    const { threads } = this.#crew;
    const parts = rows >= 2 * threads ? 1 : Math.min(this.shape.kvHeads, threads);
    const window = windowTokens(this.shape) === null ? [] : [layerWindow(this.shape, index) ?? this.shape.contextLength];
    this.#crew.add(
      'attend',
      rows * parts,
      ...[rows, parts, tokens, at.qkv, layerOffset(this.shape, index), at.attended, at.work, at.workBytes, ...window],
    );
    this.#rounded('round', rows, layer.output, at.attended);
    this.#answer(rows, index, 'output', at.attended, layer.outputNorms?.attention);
    this.#norm(rows, layer.mlpNorm, layer.gateUp);
    this.#product(rows, layer.gateUp, this.#weights.zeros, 0, at.gateUp);
    this.adapters.apply(index, 'gateUp', at.y, at.gateUp);
    this.#rounded('gate', rows, layer.down, at.gateUp);
    this.#answer(rows, index, 'down', at.gateUp, layer.outputNorms?.mlp);
    if (this.#steered) this.#eachRow('addSum', rows, tokens, at.x, 4 * index * this.shape.hiddenSize);
  }

  /** Norms what stands in the residual stream, rounded as a stack takes it. */
  #norm(rows: number, weight: number, stack: Stack): void {
    this.#rounded('norm', rows, stack, this.#scratch.x, weight, this.#scratch.y);
  }

  #rounded(kernel: 'norm' | 'gate' | 'round', rows: number, stack: Stack, ...words: number[]): void {
    for (const bits of new Set(stack.map(({ packing }) => packing.bits))) {
      const { numbers, scales, sums } = this.#scratch.rounded[bits];
      this.#eachRow(roundingName(kernel, bits), rows, ...words, numbers, scales, sums);
    }
  }

  /** Adds what attention or the MLP answers to the residual stream, through a norm where there is one. */
  #answer(rows: number, index: number, name: 'output' | 'down', from: number, norm: number | undefined): void {
    const at = this.#scratch;
    const stack = this.#weights.layers[index]![name];
    if (norm === undefined) {
      this.#product(rows, stack, at.x, 4 * this.shape.hiddenSize, at.x);
      this.adapters.apply(index, name, from, at.x);
    } else {
      this.#product(rows, stack, this.#weights.zeros, 0, at.y);
      this.adapters.apply(index, name, from, at.y);
      this.#eachRow('addNorm', rows, at.y, norm, at.x);
    }
  }

  /** Brings the wanted rows together at the beginning; returns their number. */
  #pick(rows: number, wanted: readonly number[]): number {
    const { hiddenSize: D, heads, kvHeads, headDim } = this.shape;
    const at = this.#scratch;
    const whole = wanted.length === rows;
    for (const [to, from] of wanted.entries()) {
      this.#integers[(at.wanted >> 2) + to] = from;
      const [source, target] = [(at.tokens + from * tokenBytes) >> 2, (at.wantedTokens + to * tokenBytes) >> 2];
      this.#integers.copyWithin(target, source, source + tokenBytes / 4);
    }
    if (!whole && wanted.length > 0) {
      this.#crew.add('pick', 1, wanted.length, wanted.length, at.wanted, at.x, D);
      this.#crew.add('pick', 1, wanted.length, wanted.length, at.wanted, at.qkv, (heads + 2 * kvHeads) * headDim);
    }
    return wanted.length;
  }

  #eachRow(kernel: RowKernel, rows: number, ...words: number[]): void {
    const each = Math.ceil(rows / (2 * this.#crew.threads));
    this.#crew.add(kernel, Math.ceil(rows / each), rows, each, ...words);
  }

  #product(rows: number, stack: Stack, initial: number, initialStride: number, out: number): void {
    const stride = 4 * groupChannels * stack.reduce((sum, { groups }) => sum + groups, 0);
    let before = 0;
    for (const matrix of stack) {
      const { packing, packed, groups } = matrix;
      const { numbers, scales, sums } = this.#scratch.rounded[packing.bits];
      const each = this.#groupsEach(matrix, rows);
      this.#crew.add(
        productName(packing),
        Math.ceil(groups / each),
        ...[rows, numbers, scales, sums, packed, groups, each],
        ...[initial + before, initialStride, out + before, stride],
      );
      before += 4 * groupChannels * groups;
    }
  }

  /** A task is so large that claiming it costs little, and so small that no thread waits long for another. */
  #groupsEach({ packing, groups }: Matrix, rows: number): number {
    const { threads } = this.#crew;
    if (threads === 1) return groups;
    const worth = Math.ceil(leastWork / (rows * packing.columns * groupChannels));
    const even = Math.ceil(groups / (4 * threads));
    return Math.ceil(Math.min(Math.max(worth, even), Math.ceil(groups / threads)) / 4) * 4;
  }
}

/** Products of two numbers in a task, at least. */
const leastWork = 100_000;
