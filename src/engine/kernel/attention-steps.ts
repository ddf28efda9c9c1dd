// What attention of a head does step by step over the blocks of its sequence, whichever way its products are summed: attention-pairs.ts and
// attention-fours.ts. Both give the same sums of whole numbers.
import { hidden } from '../../model/forward.ts';
import type { LlamaShape } from '../../model/shape.ts';
import { blockAt, blockBits, blockTokens, keyParts, partBytes } from './cache-block.ts';
import { exponential, findExtreme, larger, largest, scaleDown, total, wide } from './numbers.ts';
import { at } from './record.ts';
import { type Code, type Frame, f32, f32x4, i32, type Local, v128 } from './wasm.ts';

type Four = [Local, Local, Local, Local];

/** The largest rounded weight: 14 bits without a sign. */
const mostOfWeight = 2 ** 14 - 1;

/** Sums of so many times 127 fit 32 bits. */
const mostProducts = Math.floor((2 ** 31 - 1) / 127);

/** Of one head, in what a thread works in: the rounded query, its scale and later that of the weights, what sums are multiplied by, the weights. */
const scaleAt = ({ headDim }: Pick<LlamaShape, 'headDim'>): number => 2 * headDim;
const factorAt = (shape: Pick<LlamaShape, 'headDim'>): number => scaleAt(shape) + 4;
const weightsAt = (shape: Pick<LlamaShape, 'headDim'>): number => scaleAt(shape) + wide;

/** Bytes a thread works in for a head and a context of so many tokens. */
export function headBytes({ contextLength, headDim }: Pick<LlamaShape, 'contextLength' | 'headDim'>): number {
  return weightsAt({ headDim }) + 4 * (contextLength + blockTokens);
}

export interface HeadPlaces {
  token: Local;
  length: Local;
  /** The first token the row sees; undefined where no layer is windowed. */
  first: Local | undefined;
  kvHead: Local;
  /** What this thread works in. */
  work: Local;
  /** Of the first of the heads that are computed together. */
  q: Local;
  out: Local;
  offset: Code;
}

/**
 * The steps for some heads that share keys and values, from the first block with a token that the row sees. Places of the last block that no token has
 * yet may hold codes of a former sequence, but finite scales: their score is set to one that has no weight, as is that of tokens before the first.
 */
export abstract class AttentionSteps {
  /** Heads that are computed together. */
  readonly together: number;
  protected readonly frame: Frame;
  protected readonly shape: LlamaShape;
  protected readonly at: HeadPlaces;
  protected readonly from: Local;
  protected readonly to: Local;
  protected readonly i: Local;
  protected readonly extreme: Local;
  protected readonly value: Local;
  protected readonly steps: Local;
  readonly #block: Local;
  readonly #sum: Local;

  constructor(frame: Frame, shape: LlamaShape, places: HeadPlaces, together: number) {
    this.together = together;
    this.frame = frame;
    this.shape = shape;
    this.at = places;
    [this.#block, this.from, this.to, this.i] = frame.locals('i32', 4) as Four;
    [this.extreme, this.#sum, this.value, this.steps] = frame.locals('v128', 4) as Four;
  }

  attend(): Code {
    const heads = Array.from({ length: this.together }, (_, head) => head);
    return [
      ...heads.flatMap((head) => this.#roundQuery(head)),
      ...this.score(),
      ...heads.flatMap((head) => [...this.#hideEnds(head), ...this.#weigh(head), ...this.#scaleWeights(head)]),
      ...this.mix(),
    ];
  }

  /** Rounds the query from `from` on, whose largest magnitudes are known, to the beginning of the head's part. */
  protected abstract putQuery(head: number): Code;
  /** q Kᵀ of whole blocks. */
  protected abstract score(): Code;
  /** Rounds the head's weights by `steps` over themselves: in fewer bytes, so that none is lost before it is read. */
  protected abstract putWeights(head: number): Code;
  /** Σ weight · V, a few columns at a time. */
  protected abstract mix(): Code;

  #roundQuery(head: number): Code {
    const { headDim: d } = this.shape;
    return [
      ...this.from.set(i32.add(this.at.q.get, i32.const(4 * d * head))),
      ...findExtreme(this.frame, this.extreme, this.from, d),
      ...this.putQuery(head),
    ];
  }

  /** Places behind the row's own token, and before the first it sees, get a score of no weight. */
  #hideEnds(head: number): Code {
    const { first, length } = this.at;
    const hide = f32.store(at(this.weights(head), this.i.get, i32.const(4)), f32.const(hidden));
    const start = first && this.frame.each(this.i, i32.const(0), i32.and(first.get, i32.const(blockTokens - 1)), 1, hide);
    return [...(start ?? []), ...this.frame.each(this.i, this.#afterStart(length.get), this.places, 1, hide)];
  }

  /** e^(score − highest) in place of the scores, and their sum; then each times the scale of its token's values, and the largest of these. */
  #weigh(head: number): Code {
    const [to, from, extreme, peak, sum, value] = [this.to, this.from, this.extreme, this.steps, this.#sum, this.value];
    const fours = Array.from({ length: blockTokens / 4 }, (_, four) => wide * four);
    return [
      ...peak.set(f32x4.const(hidden)),
      ...to.set(this.weights(head)),
      ...this.frame.each(
        this.i,
        i32.const(0),
        i32.shl(this.places, i32.const(2)),
        4 * blockTokens,
        ...fours.map((four) => peak.set(f32x4.orMore(v128.load(to.get, four), peak.get))),
        to.set(i32.add(to.get, i32.const(4 * blockTokens))),
      ),
      ...peak.set(f32x4.splat(largest(peak))),
      ...sum.set(v128.zero),
      ...extreme.set(v128.zero),
      ...to.set(this.weights(head)),
      ...this.eachBlock(
        from.set(this.scales('values')),
        ...fours.map((four) => [
          ...exponential(this.frame, value, f32x4.sub(v128.load(to.get, four), peak.get)),
          ...sum.set(f32x4.add(sum.get, value.get)),
          ...value.set(f32x4.mul(value.get, v128.load(from.get, four))),
          ...extreme.set(larger(extreme.get, value.get)),
          ...v128.store(to.get, value.get, four),
        ]),
        to.set(i32.add(to.get, i32.const(4 * blockTokens))),
      ),
    ];
  }

  /** To 14 bits, so far as their number allows it. */
  #scaleWeights(head: number): Code {
    const { length, work } = this.at;
    const most = f32x4.orLess(f32x4.const(mostOfWeight), f32x4.splat(f32.div(f32.const(mostProducts), f32.fromS(length.get))));
    const scale = this.scaleOf(head);
    return [
      ...scaleDown(this.frame, this.extreme, f32x4.lane(most, 0), this.steps, i32.add(work.get, i32.const(scale))),
      ...f32.store(work.get, f32.div(f32.load(work.get, scale), total(this.#sum)), this.factorOf(head)),
      ...this.putWeights(head),
    ];
  }

  /** Offsets from `work`. */
  protected queryOf(head: number): number {
    return head * headBytes(this.shape);
  }

  protected scaleOf(head: number): number {
    return this.queryOf(head) + scaleAt(this.shape);
  }

  protected factorOf(head: number): number {
    return this.queryOf(head) + factorAt(this.shape);
  }

  protected weights(head: number): Code {
    return i32.add(this.at.work.get, i32.const(this.queryOf(head) + weightsAt(this.shape)));
  }

  /** Places in the blocks that are read. */
  protected get places(): Code {
    return this.#afterStart(i32.shl(this.#blocks, i32.const(blockBits)));
  }

  /** Blocks of the sequence, the last one perhaps not full. */
  get #blocks(): Code {
    return i32.shrU(i32.add(this.at.length.get, i32.const(blockTokens - 1)), i32.const(blockBits));
  }

  /** A place of the sequence, counted from the first block that is read. */
  #afterStart(place: Code): Code {
    const { first } = this.at;
    return first ? i32.sub(place, i32.and(first.get, i32.const(-blockTokens))) : place;
  }

  protected eachBlock(...body: Code[]): Code {
    const { first } = this.at;
    const start = first ? i32.shrU(first.get, i32.const(blockBits)) : i32.const(0);
    return this.frame.each(this.#block, start, this.#blocks, 1, ...body);
  }

  /** Of the head in hand, in the block in hand. */
  protected codes(what: 'keys' | 'values'): Code {
    const { codes } = partBytes(this.shape);
    return this.#inBlock(blockTokens * this.shape.headDim, what === 'keys' ? 0 : codes);
  }

  protected scales(what: 'keys' | 'values'): Code {
    const { codes, keyScales } = partBytes(this.shape);
    const parts = what === 'keys' ? keyParts(this.shape) : 1;
    return this.#inBlock(4 * blockTokens * parts, 2 * codes + (what === 'keys' ? 0 : keyScales));
  }

  /** The sums of the parts of keys. */
  protected get keySums(): Code {
    const { codes, keyScales, valueScales } = partBytes(this.shape);
    return this.#inBlock(2 * blockTokens * keyParts(this.shape), 2 * codes + keyScales + valueScales);
  }

  #inBlock(bytesOfHead: number, bytes: number): Code {
    const layer = i32.add(blockAt(this.at.token.get, this.#block.get), this.at.offset);
    return i32.add(i32.add(layer, i32.mul(this.at.kvHead.get, i32.const(bytesOfHead))), i32.const(bytes));
  }
}
