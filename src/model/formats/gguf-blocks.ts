// The types of numbers in GGUF tensors: how many numbers a block holds, in how many bytes, and how it becomes float32. Each product and sum below is
// rounded once, as by the reference in the Python package gguf.
import { tensorTypes } from './gguf-format.ts';
import { float16Table, fromBfloat16, fromFloat16 } from './half-floats.ts';

export interface BlockType {
  name: string;
  /** Numbers in a block. */
  numbers: number;
  /** Bytes of a block. */
  bytes: number;
  /** Whole blocks, which begin their buffer, to as many numbers as `into` holds. */
  unpack(blocks: Uint8Array, into: Float32Array): void;
}

/** Numbers of a block whose sub-blocks have scales of their own. */
const superBlock = 256;
const half = (bytes: Uint8Array, at: number) => float16Table()[bytes[at]! | (bytes[at + 1]! << 8)]!;

/** A type whose blocks are unpacked one by one: the block at a byte, to its place among the numbers. */
function blocks(
  name: string,
  numbers: number,
  bytes: number,
  unpackOne: (from: Uint8Array, at: number, into: Float32Array, to: number) => void,
): BlockType {
  return {
    name,
    numbers,
    bytes,
    unpack(from, into) {
      for (let at = 0, to = 0; to < into.length; at += bytes, to += numbers) unpackOne(from, at, into, to);
    },
  };
}

/** A type that is no block but a number after the other. */
function plain(name: string, bytes: number, convert: (buffer: ArrayBufferLike, count: number) => Float32Array): BlockType {
  return { name, numbers: 1, bytes, unpack: (from, into) => into.set(convert(from.buffer, into.length)) };
}

/**
 * 32 numbers of 4 or 5 bits: the low halves of 16 bytes, then the high ones, the fifth bits of all before them. Scale · code + a stored base, or
 * scale · code with the codes around 0.
 */
function shortCodes(name: string, fifthBit: boolean, storedBase: boolean): BlockType {
  const head = storedBase ? 4 : 2;
  const codes = head + (fifthBit ? 4 : 0);
  const centre = storedBase ? 0 : fifthBit ? 16 : 8;
  return blocks(name, 32, codes + 16, (from, at, into, to) => {
    const scale = half(from, at);
    // Minus zero changes nothing, not even the sign of a zero.
    const base = storedBase ? half(from, at + 2) : -0;
    const above = at + head;
    const fifth = fifthBit ? from[above]! | (from[above + 1]! << 8) | (from[above + 2]! << 16) | (from[above + 3]! << 24) : 0;
    for (let i = 0; i < 16; i++) {
      const code = from[at + codes + i]!;
      into[to + i] = scale * (((code & 15) | (((fifth >>> i) & 1) << 4)) - centre) + base;
      into[to + 16 + i] = scale * (((code >> 4) | (((fifth >>> (16 + i)) & 1) << 4)) - centre) + base;
    }
  });
}

/** Scale and minimum of sub-block `i` of 8, 6 bits each in 12 bytes: the last four take their upper 2 bits from what the first four leave. */
export function scaleAndMinimum(from: Uint8Array, at: number, i: number): [number, number] {
  if (i < 4) return [from[at + i]! & 63, from[at + 4 + i]! & 63];
  const low = from[at + 4 + i]!;
  return [(low & 15) | ((from[at + i - 4]! >> 6) << 4), (low >> 4) | ((from[at + i]! >> 6) << 4)];
}

/** 256 numbers of 4 or 5 bits in 8 sub-blocks, scale · code − minimum; two sub-blocks share 32 bytes, and the fifth bits of all share 32 more. */
function scaledCodes(name: string, fifthBit: boolean): BlockType {
  const codes = 16 + (fifthBit ? 32 : 0);
  return blocks(name, superBlock, codes + 128, (from, at, into, to) => {
    const [scales, minimums] = [half(from, at), half(from, at + 2)];
    for (let sub = 0; sub < 8; sub++) {
      const [scaleCode, minimumCode] = scaleAndMinimum(from, at + 4, sub);
      const [scale, minimum] = [scales * scaleCode, minimums * minimumCode];
      const start = at + codes + 32 * (sub >> 1);
      for (let i = 0; i < 32; i++) {
        const low = (from[start + i]! >> (4 * (sub & 1))) & 15;
        const fifth = fifthBit ? ((from[at + 16 + i]! >> sub) & 1) << 4 : 0;
        into[to + 32 * sub + i] = scale * (low | fifth) - minimum;
      }
    }
  });
}

/** 256 numbers of 6 bits in 16 sub-blocks, scale · (code − 32); of each half the low 4 bits of all numbers come first, then their high 2. */
const sixBits = blocks('Q6_K', superBlock, 210, (from, at, into, to) => {
  const scales = at + 192;
  const whole = half(from, at + 208);
  for (let i = 0; i < superBlock; i++) {
    const [part, within] = [i >> 7, i & 127];
    const [quarter, column] = [within >> 5, within & 31];
    const low = (from[at + 64 * part + 32 * (quarter & 1) + column]! >> (4 * (quarter >> 1))) & 15;
    const high = (from[at + 128 + 32 * part + column]! >> (2 * quarter)) & 3;
    const scale = (from[scales + (i >> 4)]! << 24) >> 24;
    into[to + i] = whole * scale * ((low | (high << 4)) - 32);
  }
});

const eightBits = blocks('Q8_0', 32, 34, (from, at, into, to) => {
  const scale = half(from, at);
  for (let i = 0; i < 32; i++) into[to + i] = scale * ((from[at + 2 + i]! << 24) >> 24);
});

/** By the number the format gives them. */
export const blockTypes: ReadonlyMap<number, BlockType> = new Map([
  [tensorTypes.f32, plain('F32', 4, (buffer, count) => new Float32Array(buffer, 0, count))],
  [tensorTypes.f16, plain('F16', 2, (buffer, count) => fromFloat16(new Uint16Array(buffer, 0, count)))],
  [tensorTypes.bf16, plain('BF16', 2, (buffer, count) => fromBfloat16(new Uint16Array(buffer, 0, count)))],
  [2, shortCodes('Q4_0', false, false)],
  [3, shortCodes('Q4_1', false, true)],
  [6, shortCodes('Q5_0', true, false)],
  [7, shortCodes('Q5_1', true, true)],
  [8, eightBits],
  [12, scaledCodes('Q4_K', false)],
  [13, scaledCodes('Q5_K', true)],
  [14, sixBits],
]);

/** Names of further types, for who meets them. */
const otherTypes: Record<number, string> = {
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
  40: 'NVFP4',
};

/** What a type that is not read is called. */
export function foreignType(type: number): string {
  return otherTypes[type] ?? `number ${type}`;
}
