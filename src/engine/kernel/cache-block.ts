// Where keys and values lie: in blocks of 16 tokens, wherever there was room (Kwon et al. 2023), each number in 8 bits with a scale for each token
// and head. A block holds all layers. A head's keys stand as a matrix packed for the product, tokens as its channels; its values too, with the
// head's columns as channels and tokens as columns. Columns lie in pairs or in fours, as attention takes them.
import { attentionScale, type LlamaShape } from '../../model/shape.ts';
import { findExtreme, rootMeanSquare, scaleDown, wholeNumbers, wide } from './numbers.ts';
import { groupChannels } from './packing.ts';
import { at, rowKernel } from './record.ts';
import { tokenBytes } from './row-kernels.ts';
import { type Code, type Definition, type Frame, f32, f32x4, i32, i32x4, type Local, v128 } from './wasm.ts';

export const blockTokens = 16;
export const blockBits = 4;
const most = 127;

type Heads = Pick<LlamaShape, 'layers' | 'kvHeads' | 'headDim'>;

/** Numbers of a key that share a scale: what rounding loses of keys tells more than what it loses of values. */
const keyPart = 32;

/** Parts of a key with a scale each. */
export function keyParts({ headDim }: Pick<LlamaShape, 'headDim'>): number {
  return headDim % keyPart === 0 ? headDim / keyPart : 1;
}

/**
 * Bytes of all heads of a layer: in this order keys, as many of values, scales of keys (by head, part and token), scales of values, and of the codes of keys
 * the sums, negative, in 16 bits and ordered as their scales.
 */
export function partBytes(shape: Heads): { codes: number; keyScales: number; valueScales: number; keySums: number } {
  const { kvHeads, headDim } = shape;
  const valueScales = 4 * blockTokens * kvHeads;
  const keyScales = keyParts(shape) * valueScales;
  return { codes: blockTokens * kvHeads * headDim, keyScales, valueScales, keySums: keyScales / 2 };
}

export function blockBytes(shape: Heads): number {
  return layerOffset(shape, shape.layers);
}

/** Bytes of a block before a layer's part. */
export function layerOffset(shape: Heads, layer: number): number {
  const { codes, keyScales, valueScales, keySums } = partBytes(shape);
  return layer * (2 * codes + keyScales + valueScales + keySums);
}

/** Where the block number `block` of a token's sequence lies. */
export function blockAt(token: Code, block: Code): Code {
  return i32.load(at(i32.load(token, 8), block, i32.const(4)));
}

/** How columns lie together: by pairs for products of 16 bits, by fours for those of bytes. */
export type Lie = 'pairs' | 'fours';

/** Of so many tokens that lie together: bytes from one to the next, and where four numbers of one go, and the next four. */
const lies = {
  pairs: {
    keys: { tokens: groupChannels, apart: 2, offsets: [0, 1, 8, 9], next: 16 },
    values: { tokens: 2, apart: 1, offsets: [0, 2, 4, 6], next: 8 },
  },
  fours: {
    keys: { tokens: groupChannels, apart: 4, offsets: [0, 1, 2, 3], next: 16 },
    values: { tokens: 4, apart: 1, offsets: [0, 4, 8, 12], next: 16 },
  },
} as const;

/** Where a token's numbers begin among those of its head in the block. */
function placeIn({ tokens, apart }: { tokens: number; apart: number }, slot: Code, { headDim }: LlamaShape): Code {
  const whole = i32.mul(i32.and(slot, i32.const(-tokens)), i32.const(headDim));
  return i32.add(whole, i32.mul(i32.and(slot, i32.const(tokens - 1)), i32.const(apart)));
}

type Four = [Local, Local, Local, Local];

/**
 * Norms and rotates queries and keys, and puts keys and values into their block. Queries come out multiplied by the scale of attention. `place` is
 * for layers that rotate, `placePlain` for those that do not.
 * words: rows, rows a task, tokens, q k v side by side (rows, (H + 2 K) d), cosines and sines (positions, d / 2), the layer's offset in a block,
 * norm weights (d) of queries and of keys.
 */
export function placeRows(name: 'place' | 'placePlain', shape: LlamaShape, lie: Lie): Definition {
  const { heads: H, kvHeads: K, headDim: d, queryKeyNorm } = shape;
  const { codes, keyScales, valueScales } = partBytes(shape);
  const parts = keyParts(shape);
  return rowKernel(name, (frame, words, row) => {
    const [token, head, angles, count] = frame.locals('i32', 4) as Four;
    const [target, scaleTarget, sumTarget] = frame.locals('i32', 3) as [Local, Local, Local];
    const position = i32.load(token.get, 4);
    const slot = i32.and(position, i32.const(blockTokens - 1));
    const part = i32.add(blockAt(token.get, i32.shrU(position, i32.const(blockBits))), words.word(6));
    const each = (first: number, heads: number, ...body: Code[]) => [
      ...head.set(i32.add(at(words.word(3), row.get, i32.const(4 * (H + 2 * K) * d)), i32.const(4 * first * d))),
      ...frame.each(count, i32.const(0), i32.const(heads), 1, ...body, head.set(i32.add(head.get, i32.const(4 * d)))),
    ];
    const toPlaces = (half: number, place: Code) => [
      ...target.set(i32.add(i32.add(part, place), i32.const(half * codes))),
      ...scaleTarget.set(i32.add(i32.add(part, i32.shl(slot, i32.const(2))), i32.const(2 * codes + half * keyScales))),
    ];
    const onwards = (scales: number) => [
      ...target.set(i32.add(target.get, i32.const(blockTokens * d))),
      ...scaleTarget.set(i32.add(scaleTarget.get, i32.const(4 * blockTokens * scales))),
      ...sumTarget.set(i32.add(sumTarget.get, i32.const(2 * blockTokens * scales))),
    ];
    const normed = (weight: number) => (queryKeyNorm ? normHead(frame, shape, head, words.word(weight)) : []);
    const rotated = (scale: number) =>
      name === 'place'
        ? rotate(frame, shape, head, angles, words.word(4), words.word(5), scale)
        : scaled(frame, shape, head, scale);
    const sumsOfKeys = 2 * codes + keyScales + valueScales;
    const store = (what: 'keys' | 'values') => putHead(frame, shape, lie, what, { head, target, scaleTarget, sumTarget });
    return [
      token.set(at(words.word(2), row.get, i32.const(tokenBytes))),
      angles.set(i32.mul(position, i32.const(2 * d))),
      each(0, H, normed(7), rotated(attentionScale(shape))),
      toPlaces(0, placeIn(lies[lie].keys, slot, shape)),
      sumTarget.set(i32.add(i32.add(part, i32.shl(slot, i32.const(1))), i32.const(sumsOfKeys))),
      each(H, K, normed(8), rotated(1), store('keys'), onwards(parts)),
      toPlaces(1, placeIn(lies[lie].values, slot, shape)),
      each(H + K, K, store('values'), onwards(1)),
    ];
  });
}

function normHead(frame: Frame, { headDim: d, normEpsilon }: LlamaShape, head: Local, weight: Code): Code {
  const [factor, i] = [frame.local('v128'), frame.local('i32')];
  const place = i32.add(head.get, i.get);
  const value = f32x4.mul(f32x4.mul(v128.load(place), factor.get), v128.load(i32.add(weight, i.get)));
  return [
    ...rootMeanSquare(frame, factor, head, d, normEpsilon),
    ...frame.each(i, i32.const(0), i32.const(4 * d), wide, v128.store(place, value)),
  ];
}

/** Rotates the halves of a head against each other, in place. Source: Su et al. 2021, the halves as Llama has them. */
function rotate(
  frame: Frame,
  { headDim: d }: LlamaShape,
  head: Local,
  angles: Local,
  cosines: Code,
  sines: Code,
  scale: number,
): Code {
  const i = frame.local('i32');
  const [a, b, cosine, sine] = frame.locals('v128', 4) as Four;
  const angle = i32.add(angles.get, i.get);
  const place = i32.add(head.get, i.get);
  const scaled = (value: Code) => (scale === 1 ? value : f32x4.mul(value, f32x4.const(scale)));
  const { mul, add, sub } = f32x4;
  return frame.each(
    i,
    i32.const(0),
    i32.const(2 * d),
    wide,
    cosine.set(v128.load(i32.add(cosines, angle))),
    sine.set(v128.load(i32.add(sines, angle))),
    a.set(v128.load(place)),
    b.set(v128.load(place, 2 * d)),
    v128.store(place, scaled(sub(mul(a.get, cosine.get), mul(b.get, sine.get)))),
    v128.store(place, scaled(add(mul(b.get, cosine.get), mul(a.get, sine.get))), 2 * d),
  );
}

/** Multiplies a head by a number, in place. */
function scaled(frame: Frame, { headDim: d }: LlamaShape, head: Local, scale: number): Code {
  if (scale === 1) return [];
  const i = frame.local('i32');
  const place = i32.add(head.get, i.get);
  const value = f32x4.mul(v128.load(place), f32x4.const(scale));
  return frame.each(i, i32.const(0), i32.const(4 * d), wide, v128.store(place, value));
}

interface Targets {
  head: Local;
  target: Local;
  scaleTarget: Local;
  sumTarget: Local;
}

/** Rounds a head to 8 bits and puts it into its block. */
function putHead(frame: Frame, shape: LlamaShape, lie: Lie, what: 'keys' | 'values', targets: Targets): Code {
  const { head, target, scaleTarget, sumTarget } = targets;
  const [i, from, to] = frame.locals('i32', 3) as [Local, Local, Local];
  const [extreme, steps, whole, sum] = frame.locals('v128', 4) as Four;
  const { offsets, next } = lies[lie][what];
  const parts = what === 'keys' ? keyParts(shape) : 1;
  const columns = shape.headDim / parts;
  const isSummed = lie === 'fours' && what === 'keys';
  const negative = [0, 1, 2, 3]
    .map((lane) => i32x4.lane(sum.get, lane))
    .reduce((left, lane) => i32.sub(left, lane), i32.const(0));
  const onePart = (part: number) => [
    ...findExtreme(frame, extreme, from, columns),
    ...scaleDown(frame, extreme, f32.const(most), steps, i32.add(scaleTarget.get, i32.const(4 * blockTokens * part))),
    ...sum.set(v128.zero),
    ...frame.each(
      i,
      i32.const(0),
      i32.const(4 * columns),
      wide,
      whole.set(wholeNumbers(i32.add(from.get, i.get), steps)),
      isSummed ? sum.set(i32x4.add(sum.get, whole.get)) : [],
      ...offsets.map((offset, lane) => i32.store8(to.get, i32x4.lane(whole.get, lane), offset)),
      to.set(i32.add(to.get, i32.const(next))),
    ),
    ...(isSummed ? i32.store16(sumTarget.get, negative, 2 * blockTokens * part) : []),
    ...from.set(i32.add(from.get, i32.const(4 * columns))),
  ];
  const all = Array.from({ length: parts }, (_, part) => onePart(part));
  return [...from.set(head.get), ...to.set(target.get), ...all.flat()];
}
