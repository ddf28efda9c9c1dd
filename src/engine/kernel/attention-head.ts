// Attention of one head of one row, step by step, over the blocks of its sequence. Both products are sums of whole numbers, as in product.ts.
import { hidden } from '../../model/forward.ts';
import type { LlamaShape } from '../../model/shape.ts';
import { blockAt, blockBits, blockTokens, keyParts, partBytes } from './cache-block.ts';
import {
  exponential,
  findExtreme,
  larger,
  largest,
  mostOfRow,
  roundRow,
  scaleDown,
  total,
  wholeNumbers,
  wide,
} from './numbers.ts';
import { groupChannels } from './packing.ts';
import { at } from './record.ts';
import { type Code, type Frame, f32, f32x4, i16x8, i32, i32x4, type Local, v128 } from './wasm.ts';

type Four = [Local, Local, Local, Local];

/** Bytes a thread works in for a context of so many tokens. */
export function workBytes({ contextLength, headDim }: LlamaShape): number {
  return weightsAt({ headDim }) + 4 * (contextLength + blockTokens);
}

/** First the rounded query, then its scale, later that of the weights, then the weights. */
const queryScaleAt = ({ headDim }: Pick<LlamaShape, 'headDim'>): number => 2 * headDim;
const weightsAt = (shape: Pick<LlamaShape, 'headDim'>): number => queryScaleAt(shape) + wide;

export interface HeadPlaces {
  token: Local;
  length: Local;
  /** The first token the row sees; undefined where no layer is windowed. */
  first: Local | undefined;
  kvHead: Local;
  /** What this thread works in. */
  work: Local;
  q: Local;
  out: Local;
  offset: Code;
}

/**
 * The steps for one head, from the first block with a token that the row sees. Places of the last block that no token has yet may hold codes of a former
 * sequence, but finite scales: their score is set to one that has no weight, as is that of tokens before the first.
 */
export class HeadAttention {
  readonly #frame: Frame;
  readonly #shape: LlamaShape;
  readonly #at: HeadPlaces;
  readonly #block: Local;
  readonly #from: Local;
  readonly #to: Local;
  readonly #i: Local;
  readonly #extreme: Local;
  readonly #sum: Local;
  readonly #value: Local;
  readonly #steps: Local;
  readonly #sums: Local[];

  constructor(frame: Frame, shape: LlamaShape, places: HeadPlaces) {
    this.#frame = frame;
    this.#shape = shape;
    this.#at = places;
    [this.#block, this.#from, this.#to, this.#i] = frame.locals('i32', 4) as Four;
    [this.#extreme, this.#sum, this.#value, this.#steps] = frame.locals('v128', 4) as Four;
    this.#sums = frame.locals('v128', 8);
  }

  roundQuery(): Code {
    const { q, work } = this.#at;
    const { headDim: d } = this.#shape;
    const scale = i32.add(work.get, i32.const(queryScaleAt(this.#shape)));
    return [...findExtreme(this.#frame, this.#extreme, q, d), ...roundRow(this.#frame, this.#extreme, q, d, work, scale)];
  }

  /** q Kᵀ of whole blocks. */
  score(): Code {
    const { headDim: d } = this.#shape;
    const { work } = this.#at;
    const [from, to, i, value] = [this.#from, this.#to, this.#i, this.#value];
    const sums = this.#sums.slice(0, blockTokens / groupChannels);
    const queryScale = v128.load32Splat(work.get, queryScaleAt(this.#shape));
    const pairBytes = 2 * groupChannels;
    const parts = keyParts(this.#shape);
    const columns = d / parts;
    const onePart = (part: number) => [
      ...from.set(i32.add(this.#codes('keys'), i32.const(groupChannels * columns * part))),
      ...sums.flatMap((sum) => sum.set(v128.zero)),
      ...this.#frame.each(
        i,
        i32.const(2 * columns * part),
        i32.const(2 * columns * (part + 1)),
        4,
        value.set(v128.load32Splat(i32.add(work.get, i.get))),
        ...sums.map((sum, group) => sum.set(this.#plusProducts(sum, v128.load8x8S(from.get, group * groupChannels * d)))),
        from.set(i32.add(from.get, i32.const(pairBytes))),
      ),
      ...from.set(i32.add(this.#scales('keys'), i32.const(4 * blockTokens * part))),
      ...sums.flatMap((sum, group) => {
        const scale = f32x4.mul(v128.load(from.get, wide * group), queryScale);
        const score = f32x4.mul(f32x4.fromI32x4(sum.get), scale);
        return v128.store(to.get, part === 0 ? score : f32x4.add(v128.load(to.get, wide * group), score), wide * group);
      }),
    ];
    return [
      ...to.set(this.#weights),
      ...this.#eachBlock(
        ...Array.from({ length: parts }, (_, part) => onePart(part)),
        to.set(i32.add(to.get, i32.const(4 * blockTokens))),
      ),
      ...this.#hideEnds(),
    ];
  }

  /** Places behind the row's own token, and before the first it sees, get a score of no weight. */
  #hideEnds(): Code {
    const { first, length } = this.#at;
    const hide = f32.store(at(this.#weights, this.#i.get, i32.const(4)), f32.const(hidden));
    const head = first && this.#frame.each(this.#i, i32.const(0), i32.and(first.get, i32.const(blockTokens - 1)), 1, hide);
    return [...(head ?? []), ...this.#frame.each(this.#i, this.#afterStart(length.get), this.#places, 1, hide)];
  }

  /** e^(score − highest) in place of the scores, and their sum; then each times the scale of its token's values, and the largest of these. */
  weigh(): Code {
    const [to, from, i, extreme, peak, sum, value] = [
      this.#to,
      this.#from,
      this.#i,
      this.#extreme,
      this.#steps,
      this.#sum,
      this.#value,
    ];
    const fours = Array.from({ length: blockTokens / 4 }, (_, four) => wide * four);
    const end = i32.shl(this.#places, i32.const(2));
    return [
      ...peak.set(f32x4.const(hidden)),
      ...to.set(this.#weights),
      ...this.#frame.each(
        i,
        i32.const(0),
        end,
        4 * blockTokens,
        ...fours.map((four) => peak.set(f32x4.orMore(v128.load(to.get, four), peak.get))),
        to.set(i32.add(to.get, i32.const(4 * blockTokens))),
      ),
      ...peak.set(f32x4.splat(largest(peak))),
      ...sum.set(v128.zero),
      ...extreme.set(v128.zero),
      ...to.set(this.#weights),
      ...this.#eachBlock(
        from.set(this.#scales('values')),
        ...fours.map((four) => [
          ...exponential(this.#frame, value, f32x4.sub(v128.load(to.get, four), peak.get)),
          ...sum.set(f32x4.add(sum.get, value.get)),
          ...value.set(f32x4.mul(value.get, v128.load(from.get, four))),
          ...extreme.set(larger(extreme.get, value.get)),
          ...v128.store(to.get, value.get, four),
        ]),
        to.set(i32.add(to.get, i32.const(4 * blockTokens))),
      ),
    ];
  }

  /** To 16 bits, so far as their number allows it, over themselves: half the bytes, so that none is lost before it is read. */
  roundWeights(): Code {
    const { length, work } = this.#at;
    const [from, to, i, value, steps] = [this.#from, this.#to, this.#i, this.#value, this.#steps];
    const end = this.#places;
    const most = f32x4.orLess(f32x4.const(mostOfRow(1)), f32x4.splat(f32.div(f32.const(mostProducts), f32.fromS(length.get))));
    const scale = i32.add(work.get, i32.const(queryScaleAt(this.#shape)));
    return [
      ...scaleDown(this.#frame, this.#extreme, f32x4.lane(most, 0), steps, scale),
      ...from.set(this.#weights),
      ...to.set(this.#weights),
      ...this.#frame.each(
        i,
        i32.const(0),
        end,
        4,
        value.set(wholeNumbers(from.get, steps)),
        v128.store64(to.get, i16x8.narrowI32x4S(value.get, value.get)),
        from.set(i32.add(from.get, i32.const(wide))),
        to.set(i32.add(to.get, i32.const(8))),
      ),
    ];
  }

  /** Σ weight · V, a few columns at a time. */
  mix(): Code {
    const groups = this.#shape.headDim / groupChannels;
    const slices: Code[] = [];
    for (let start = 0; start < groups; start += this.#sums.length) {
      slices.push(this.#mixGroups(start, Math.min(this.#sums.length, groups - start)));
    }
    return slices.flat();
  }

  #mixGroups(start: number, count: number): Code {
    const { headDim: d } = this.#shape;
    const { work, out } = this.#at;
    const [from, to, i, value] = [this.#from, this.#to, this.#i, this.#value];
    const sums = this.#sums.slice(0, count);
    const pairBytes = 2 * groupChannels;
    const scale = f32.div(f32.load(work.get, queryScaleAt(this.#shape)), total(this.#sum));
    return [
      ...sums.flatMap((sum) => sum.set(v128.zero)),
      ...to.set(this.#weights),
      ...this.#eachBlock(
        from.set(i32.add(this.#codes('values'), i32.const(start * pairBytes))),
        this.#frame.each(
          i,
          i32.const(0),
          i32.const(blockTokens),
          2,
          value.set(v128.load32Splat(to.get)),
          ...sums.map((sum, group) => sum.set(this.#plusProducts(sum, v128.load8x8S(from.get, group * pairBytes)))),
          from.set(i32.add(from.get, i32.const(2 * d))),
          to.set(i32.add(to.get, i32.const(4))),
        ),
      ),
      ...value.set(f32x4.splat(scale)),
      ...sums.flatMap((sum, group) =>
        v128.store(out.get, f32x4.mul(f32x4.fromI32x4(sum.get), value.get), wide * (start + group)),
      ),
    ];
  }

  #plusProducts(sum: Local, codes: Code): Code {
    return i32x4.add(sum.get, i32x4.dotI16x8(this.#value.get, codes));
  }

  /** Blocks of the sequence, the last one perhaps not full. */
  get #blocks(): Code {
    return i32.shrU(i32.add(this.#at.length.get, i32.const(blockTokens - 1)), i32.const(blockBits));
  }

  /** Places in the blocks that are read. */
  get #places(): Code {
    return this.#afterStart(i32.shl(this.#blocks, i32.const(blockBits)));
  }

  /** A place of the sequence, counted from the first block that is read. */
  #afterStart(place: Code): Code {
    const { first } = this.#at;
    return first ? i32.sub(place, i32.and(first.get, i32.const(-blockTokens))) : place;
  }

  get #weights(): Code {
    return i32.add(this.#at.work.get, i32.const(weightsAt(this.#shape)));
  }

  #eachBlock(...body: Code[]): Code {
    const { first } = this.#at;
    const start = first ? i32.shrU(first.get, i32.const(blockBits)) : i32.const(0);
    return this.#frame.each(this.#block, start, this.#blocks, 1, ...body);
  }

  /** Of the head in hand, in the block in hand. */
  #codes(what: 'keys' | 'values'): Code {
    const { codes } = partBytes(this.#shape);
    const head = i32.mul(this.#at.kvHead.get, i32.const(blockTokens * this.#shape.headDim));
    return this.#inBlock(head, what === 'keys' ? 0 : codes);
  }

  #scales(what: 'keys' | 'values'): Code {
    const { codes, keyScales } = partBytes(this.#shape);
    const parts = what === 'keys' ? keyParts(this.#shape) : 1;
    const head = i32.mul(this.#at.kvHead.get, i32.const(4 * blockTokens * parts));
    return this.#inBlock(head, 2 * codes + (what === 'keys' ? 0 : keyScales));
  }

  #inBlock(head: Code, bytes: number): Code {
    const layer = i32.add(blockAt(this.#at.token.get, this.#block.get), this.#at.offset);
    return i32.add(i32.add(layer, head), i32.const(bytes));
  }
}

/** Sums of so many times 127 fit 32 bits. */
const mostProducts = Math.floor((2 ** 31 - 1) / 127);
