// Attention of several heads that share keys and values, with products of bytes that are added in fours (relaxed.ts). A query of 14 bits is two planes of
// 7: x + 8192 = 128 · high + low, so that Σ k x = 128 · (Σ k high − 64 Σ k) + Σ k low; the sums of keys lie beside their scales. Weights have no sign.
import type { LlamaShape } from '../../model/shape.ts';
import { AttentionSteps, type HeadPlaces } from './attention-steps.ts';
import { blockTokens, keyParts } from './cache-block.ts';
import { lowerPlane, planeBits, roundPlanes, upperPlane, wholeNumbers, wide } from './numbers.ts';
import { groupChannels } from './packing.ts';
import { plusFours } from './relaxed.ts';
import { type Code, type Frame, f32x4, i8x16, i16x8, i32, i32x4, jumpIf, type Local, loop, v128 } from './wasm.ts';

/** Groups of four channels at a time: with three heads and two planes, twelve sums. */
const span = 2;
/** Heads at a time, where so many share keys and values. */
export const mostTogether = 3;

export class FoursAttention extends AttentionSteps {
  readonly #sums: Local[];
  readonly #groups: Local[];
  readonly #fours: Local[];
  readonly #scales: Local;
  readonly #keySums: Local;
  readonly #end: Local;

  constructor(frame: Frame, shape: LlamaShape, places: HeadPlaces) {
    const sharing = shape.heads / shape.kvHeads;
    super(frame, shape, places, largestDivisor(sharing, mostTogether));
    this.#sums = frame.locals('v128', 2 * span * this.together);
    this.#groups = frame.locals('v128', span);
    this.#fours = frame.locals('v128', 4);
    [this.#scales, this.#keySums, this.#end] = frame.locals('i32', 3) as [Local, Local, Local];
  }

  protected putQuery(head: number): Code {
    const { headDim: d } = this.shape;
    const { work } = this.at;
    const scale = i32.add(work.get, i32.const(this.scaleOf(head)));
    return [
      ...this.to.set(i32.add(work.get, i32.const(this.queryOf(head)))),
      ...roundPlanes(this.frame, this.extreme, this.from, d, this.to, scale),
    ];
  }

  protected score(): Code {
    const { to } = this;
    const parts = keyParts(this.shape);
    const spans = blockTokens / groupChannels / span;
    return [
      ...to.set(i32.const(0)),
      ...this.eachBlock(
        this.#scales.set(this.scales('keys')),
        this.#keySums.set(this.keySums),
        ...Array.from({ length: parts * spans }, (_, index) => this.#scorePart(index % parts, span * Math.floor(index / parts))),
        to.set(i32.add(to.get, i32.const(4 * blockTokens))),
      ),
    ];
  }

  /** Adds one part of the keys of some groups of tokens, from the first on, to the scores at `to`. */
  #scorePart(part: number, first: number): Code {
    const { headDim: d } = this.shape;
    const { from, to, i } = this;
    const columns = d / keyParts(this.shape);
    const places = Array.from({ length: span }, (_, group) => blockTokens * part + groupChannels * (first + group));
    return [
      ...from.set(i32.add(this.codes('keys'), i32.const(groupChannels * (columns * part + d * first)))),
      ...this.#each((head, group) => [
        ...this.#upper(head, group).set(
          i32x4.shl(v128.load16x4S(this.#keySums.get, 2 * places[group]!), i32.const(planeBits - 1)),
        ),
        ...this.#lower(head, group).set(v128.zero),
      ]),
      ...i.set(i32.add(this.at.work.get, i32.const(columns * part))),
      ...this.#products(columns / 4, groupChannels * d, wide, (head) => this.queryOf(head), d),
      ...this.#each((head, group) => {
        const place = i32.add(this.weights(head), to.get);
        const scale = f32x4.mul(
          v128.load(this.#scales.get, 4 * places[group]!),
          v128.load32Splat(this.at.work.get, this.scaleOf(head)),
        );
        const score = f32x4.mul(this.#whole(head, group), scale);
        const bytes = wide * (first + group);
        return v128.store(place, part === 0 ? score : f32x4.add(v128.load(place, bytes), score), bytes);
      }),
    ];
  }

  /** Of 16 tokens first what is above 7 bits, then the rest. */
  protected putWeights(head: number): Code {
    const { from, to } = this;
    const narrow = (of: (four: Code) => Code) => {
      const [a, b, c, d] = this.#fours.map((four) => of(four.get)) as [Code, Code, Code, Code];
      return i8x16.narrowI16x8S(i16x8.narrowI32x4S(a, b), i16x8.narrowI32x4S(c, d));
    };
    return [
      ...from.set(this.weights(head)),
      ...to.set(this.weights(head)),
      ...this.frame.each(
        this.i,
        i32.const(0),
        this.places,
        blockTokens,
        ...this.#fours.map((four, index) => four.set(wholeNumbers(i32.add(from.get, i32.const(wide * index)), this.steps))),
        v128.store(to.get, narrow(upperPlane)),
        v128.store(to.get, narrow(lowerPlane), blockTokens),
        from.set(i32.add(from.get, i32.const(4 * blockTokens))),
        to.set(i32.add(to.get, i32.const(2 * blockTokens))),
      ),
    ];
  }

  protected mix(): Code {
    const groups = this.shape.headDim / groupChannels;
    return Array.from({ length: groups / span }, (_, index) => this.#mixGroups(span * index)).flat();
  }

  #mixGroups(start: number): Code {
    const { headDim: d } = this.shape;
    const { work, out } = this.at;
    const { from, i } = this;
    const before = this.queryOf(0);
    return [
      ...this.#sums.flatMap((sum) => sum.set(v128.zero)),
      ...i.set(this.weights(0)),
      ...this.eachBlock(
        from.set(i32.add(this.codes('values'), i32.const(wide * start))),
        this.#products(blockTokens / 4, wide, 4 * d, (head) => this.queryOf(head) - before, blockTokens),
        i.set(i32.add(i.get, i32.const(blockTokens))),
      ),
      ...this.#each((head, group) => {
        const value = f32x4.mul(this.#whole(head, group), v128.load32Splat(work.get, this.factorOf(head)));
        return v128.store(out.get, value, 4 * d * head + wide * (start + group));
      }),
    ];
  }

  /**
   * Adds the products of so many fours: codes from `from` on, whose groups lie `groupStride` bytes apart and fours `fourStride`; numbers from `i` on, those of
   * a head `numbersOf` bytes further, the lower plane `plane` bytes behind the upper. Moves both on.
   */
  #products(fours: number, groupStride: number, fourStride: number, numbersOf: (head: number) => number, plane: number): Code {
    const { from, i, value } = this;
    const plane7 = (head: number, offset: number, sumOf: (head: number, group: number) => Local) => [
      ...value.set(v128.load32Splat(i.get, numbersOf(head) + offset)),
      ...this.#groups.flatMap((codes, group) => {
        const sum = sumOf(head, group);
        return sum.set(plusFours(sum.get, codes.get, value.get));
      }),
    ];
    return [
      ...this.#end.set(i32.add(i.get, i32.const(4 * fours))),
      ...loop(
        ...this.#groups.map((codes, group) => codes.set(v128.load(from.get, group * groupStride))),
        ...Array.from({ length: this.together }, (_, head) => [
          ...plane7(head, 0, (...of) => this.#upper(...of)),
          ...plane7(head, plane, (...of) => this.#lower(...of)),
        ]),
        from.set(i32.add(from.get, i32.const(fourStride))),
        i.set(i32.add(i.get, i32.const(4))),
        jumpIf(i32.ne(i.get, this.#end.get), 0),
      ),
    ];
  }

  #upper(head: number, group: number): Local {
    return this.#sums[2 * (head * span + group)]!;
  }

  #lower(head: number, group: number): Local {
    return this.#sums[2 * (head * span + group) + 1]!;
  }

  /** Both planes of a sum, as one number for each lane. */
  #whole(head: number, group: number): Code {
    const upper = i32x4.shl(this.#upper(head, group).get, i32.const(planeBits));
    return f32x4.fromI32x4(i32x4.add(upper, this.#lower(head, group).get));
  }

  #each(code: (head: number, group: number) => Code): Code {
    return Array.from({ length: this.together * span }, (_, index) => code(Math.floor(index / span), index % span)).flat();
  }
}

function largestDivisor(value: number, most: number): number {
  for (let divisor = most; ; divisor--) if (value % divisor === 0) return divisor;
}
