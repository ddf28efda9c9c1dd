// Attention of one head with products of 16 bits, which every processor has: keys and values in 8 bits are widened as they are read.
import type { LlamaShape } from '../../model/shape.ts';
import { AttentionSteps, type HeadPlaces } from './attention-steps.ts';
import { blockTokens, keyParts } from './cache-block.ts';
import { roundRow, wholeNumbers, wide } from './numbers.ts';
import { groupChannels } from './packing.ts';
import { type Code, type Frame, f32x4, i16x8, i32, i32x4, type Local, v128 } from './wasm.ts';

const pairBytes = 2 * groupChannels;

export class PairsAttention extends AttentionSteps {
  readonly #sums: Local[];

  constructor(frame: Frame, shape: LlamaShape, places: HeadPlaces) {
    super(frame, shape, places, 1);
    this.#sums = frame.locals('v128', 8);
  }

  protected putQuery(head: number): Code {
    const { work } = this.at;
    const { headDim: d } = this.shape;
    const scale = i32.add(work.get, i32.const(this.scaleOf(head)));
    return roundRow(this.frame, this.extreme, this.from, d, work, scale);
  }

  protected score(): Code {
    const { headDim: d } = this.shape;
    const { work } = this.at;
    const { from, to, i, value } = this;
    const sums = this.#sums.slice(0, blockTokens / groupChannels);
    const queryScale = v128.load32Splat(work.get, this.scaleOf(0));
    const parts = keyParts(this.shape);
    const columns = d / parts;
    const onePart = (part: number) => [
      ...from.set(i32.add(this.codes('keys'), i32.const(groupChannels * columns * part))),
      ...sums.flatMap((sum) => sum.set(v128.zero)),
      ...this.frame.each(
        i,
        i32.const(2 * columns * part),
        i32.const(2 * columns * (part + 1)),
        4,
        value.set(v128.load32Splat(i32.add(work.get, i.get))),
        ...sums.map((sum, group) => sum.set(this.#plusProducts(sum, v128.load8x8S(from.get, group * groupChannels * d)))),
        from.set(i32.add(from.get, i32.const(pairBytes))),
      ),
      ...from.set(i32.add(this.scales('keys'), i32.const(4 * blockTokens * part))),
      ...sums.flatMap((sum, group) => {
        const scale = f32x4.mul(v128.load(from.get, wide * group), queryScale);
        const score = f32x4.mul(f32x4.fromI32x4(sum.get), scale);
        return v128.store(to.get, part === 0 ? score : f32x4.add(v128.load(to.get, wide * group), score), wide * group);
      }),
    ];
    return [
      ...to.set(this.weights(0)),
      ...this.eachBlock(
        ...Array.from({ length: parts }, (_, part) => onePart(part)),
        to.set(i32.add(to.get, i32.const(4 * blockTokens))),
      ),
    ];
  }

  protected putWeights(head: number): Code {
    const { from, to, value } = this;
    return [
      ...from.set(this.weights(head)),
      ...to.set(this.weights(head)),
      ...this.frame.each(
        this.i,
        i32.const(0),
        this.places,
        4,
        value.set(wholeNumbers(from.get, this.steps)),
        v128.store64(to.get, i16x8.narrowI32x4S(value.get, value.get)),
        from.set(i32.add(from.get, i32.const(wide))),
        to.set(i32.add(to.get, i32.const(8))),
      ),
    ];
  }

  protected mix(): Code {
    const groups = this.shape.headDim / groupChannels;
    const slices: Code[] = [];
    for (let start = 0; start < groups; start += this.#sums.length) {
      slices.push(this.#mixGroups(start, Math.min(this.#sums.length, groups - start)));
    }
    return slices.flat();
  }

  #mixGroups(start: number, count: number): Code {
    const { headDim: d } = this.shape;
    const { work, out } = this.at;
    const { from, to, value } = this;
    const sums = this.#sums.slice(0, count);
    return [
      ...sums.flatMap((sum) => sum.set(v128.zero)),
      ...to.set(this.weights(0)),
      ...this.eachBlock(
        from.set(i32.add(this.codes('values'), i32.const(start * pairBytes))),
        this.frame.each(
          this.i,
          i32.const(0),
          i32.const(blockTokens),
          2,
          value.set(v128.load32Splat(to.get)),
          ...sums.map((sum, group) => sum.set(this.#plusProducts(sum, v128.load8x8S(from.get, group * pairBytes)))),
          from.set(i32.add(from.get, i32.const(2 * d))),
          to.set(i32.add(to.get, i32.const(4))),
        ),
      ),
      ...value.set(v128.load32Splat(work.get, this.factorOf(0))),
      ...sums.flatMap((sum, group) =>
        v128.store(out.get, f32x4.mul(f32x4.fromI32x4(sum.get), value.get), wide * (start + group)),
      ),
    ];
  }

  #plusProducts(sum: Local, codes: Code): Code {
    return i32x4.add(sum.get, i32x4.dotI16x8(this.value.get, codes));
  }
}
