// Writes WebAssembly: expressions and statements are bytes, put together by small functions named as the specification names its instructions. The
// engine's validator checks every type, so none is checked here. Source: WebAssembly Core Specification 2.0, with threads and 128-bit SIMD.

/** Bytes of an expression or of statements. */
export type Code = readonly number[];

export type ValueType = 'i32' | 'i64' | 'f32' | 'v128';

export const typeBytes: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, v128: 0x7b };

export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let left = value >>> 0;
  do {
    const more = left > 0x7f;
    bytes.push((left & 0x7f) | (more ? 0x80 : 0));
    left >>>= 7;
  } while (left > 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let left = value | 0;
  for (;;) {
    const byte = left & 0x7f;
    left >>= 7;
    const last = (left === 0 && (byte & 0x40) === 0) || (left === -1 && (byte & 0x40) !== 0);
    bytes.push(last ? byte : byte | 0x80);
    if (last) return bytes;
  }
}

const floatBytes = (value: number): number[] => [...new Uint8Array(Float32Array.of(value).buffer)];

/** An operator of so many operands. */
type Operator = (...operands: Code[]) => Code;
/** A load or store: address first, the offset in bytes last. */
type Access = (address: Code, offset?: number) => Code;
type Storing = (address: Code, value: Code, offset?: number) => Code;

/** Several times as fast as flat(), which asks each number whether it is a list: a model's kernels are made whenever it is loaded. */
const joined = (parts: readonly Code[]): number[] => ([] as number[]).concat(...parts);

const operator =
  (...opcode: number[]): Operator =>
  (...operands) =>
    joined([...operands, opcode]);
const simd = (opcode: number): Operator => operator(0xfd, ...unsigned(opcode));
const access =
  (opcode: number[], align: number): Access =>
  (address, offset = 0) => [...address, ...opcode, align, ...unsigned(offset)];
const storing =
  (opcode: number[], align: number): Storing =>
  (address, value, offset = 0) => [...address, ...value, ...opcode, align, ...unsigned(offset)];
const simdCode = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: operator(0x6a),
  sub: operator(0x6b),
  mul: operator(0x6c),
  divU: operator(0x6e),
  remU: operator(0x70),
  and: operator(0x71),
  shl: operator(0x74),
  shrU: operator(0x76),
  eq: operator(0x46),
  ne: operator(0x47),
  ltS: operator(0x48),
  gtS: operator(0x4a),
  geS: operator(0x4e),
  wrap: operator(0xa7),
  load: access([0x28], 2),
  load8S: access([0x2c], 0),
  store: storing([0x36], 2),
  store8: storing([0x3a], 0),
  store16: storing([0x3b], 0),
  atomicLoad: access([0xfe, 0x10], 2),
  /** Waits without limit while the word is `expected`; drops how it ended. */
  atomicWait: (address: Code, expected: Code): Code => [...address, ...expected, 0x42, 0x7f, 0xfe, 0x01, 2, 0, 0x1a],
  atomicAdd: storing([0xfe, 0x1e], 2),
};

export const i64 = {
  const: (value: number): Code => [0x42, ...signed(value)],
  add: operator(0x7c),
  or: operator(0x84),
  shl: operator(0x86),
  shrU: operator(0x88),
  eq: operator(0x51),
  ne: operator(0x52),
  extendU: operator(0xad),
  atomicLoad: access([0xfe, 0x11], 3),
  atomicAdd: storing([0xfe, 0x1f], 3),
  /** The value found. */
  atomicExchangeIf: (address: Code, expected: Code, replacement: Code): Code => [
    ...address,
    ...expected,
    ...replacement,
    ...[0xfe, 0x49, 3, 0],
  ],
};

export const f32 = {
  const: (value: number): Code => [0x43, ...floatBytes(value)],
  add: operator(0x92),
  sub: operator(0x93),
  mul: operator(0x94),
  div: operator(0x95),
  max: operator(0x97),
  sqrt: operator(0x91),
  gt: operator(0x5e),
  fromS: operator(0xb2),
  load: access([0x2a], 2),
  store: storing([0x38], 2),
};

export const v128 = {
  load: access(simdCode(0), 0),
  /** Eight bytes, each with its sign as 16 bits. */
  load8x8S: access(simdCode(1), 0),
  /** Four 16-bit numbers, each with its sign as 32 bits. */
  load16x4S: access(simdCode(3), 0),
  load32Splat: access(simdCode(9), 0),
  store: storing(simdCode(11), 0),
  /** The lower eight bytes. */
  store64: (address: Code, value: Code, offset = 0): Code => [
    ...[...address, ...value, ...simdCode(0x5b), 0],
    ...[...unsigned(offset), 0],
  ],
  and: simd(0x4e),
  zero: [0xfd, 12, ...new Array<number>(16).fill(0)] as Code,
};

export const i8x16 = {
  splat: simd(0x0f),
  narrowI16x8S: simd(0x65),
};

export const i16x8 = {
  add: simd(0x8e),
  shrU: simd(0x8d),
  narrowI32x4S: simd(0x85),
  /**
   * Σ over pairs of bytes, of the first operand with their signs, of the second below 128. Beyond that engines differ, which makes it relaxed; within,
   * all give the same. Source: Relaxed SIMD, part of WebAssembly 3.0.
   */
  dotI8x16I7x16: simd(0x112),
};

export const i32x4 = {
  lane: (value: Code, lane: number): Code => [...value, 0xfd, 0x1b, lane],
  splat: simd(0x11),
  add: simd(0xae),
  sub: simd(0xb1),
  shl: simd(0xab),
  shrU: simd(0xad),
  maxS: simd(0xb8),
  /** Σ over pairs of 16-bit products. */
  dotI16x8: simd(0xba),
  /** Added to the last operand, Σ over fours of bytes, the operands as those of i16x8.dotI8x16I7x16. */
  dotI8x16I7x16Add: simd(0x113),
  /** Σ over pairs of 16-bit numbers. */
  addPairsI16x8: simd(0x7e),
};

export const f32x4 = {
  splat: simd(0x13),
  const: (value: number): Code => [...f32.const(value), 0xfd, 0x13],
  lane: (value: Code, lane: number): Code => [...value, 0xfd, 0x1f, lane],
  add: simd(0xe4),
  sub: simd(0xe5),
  mul: simd(0xe6),
  div: simd(0xe7),
  /** The first where it is no number; else the smaller, the larger: one instruction each. */
  orLess: simd(0xea),
  orMore: simd(0xeb),
  abs: simd(0xe0),
  neg: simd(0xe1),
  /** a · b + c, rounded once where the processor can, which makes it relaxed: the same wherever it stands on one machine. Source: as dotI8x16I7x16. */
  timesPlus: simd(0x105),
  fromI32x4: simd(0xfa),
};

export const notify = (address: Code, count: Code): Code => [...address, ...count, 0xfe, 0x00, 2, 0, 0x1a];
/** Calls the function number `index`. */
export const call = (index: number, ...operands: Code[]): Code => [...joined(operands), 0x10, ...unsigned(index)];
/** Calls the table's function `index` of function type `type`. */
export const callIndirect = (type: number, index: Code, ...operands: Code[]): Code => [
  ...joined(operands),
  ...index,
  ...[0x11, ...unsigned(type), 0],
];
export const leave: Code = [0x0f];
const empty = 0x40;
export const loop = (...body: Code[]): Code => [0x03, empty, ...joined(body), 0x0b];
export const when = (condition: Code, ...body: Code[]): Code => [...condition, 0x04, empty, ...joined(body), 0x0b];
export const either = (condition: Code, then: Code, otherwise: Code): Code => [
  ...condition,
  ...[0x04, empty],
  ...then,
  0x05,
  ...otherwise,
  0x0b,
];
/** To the start of the loop so many levels out; 0 is the innermost, conditions count. */
export const jump = (depth: number): Code => [0x0c, depth];
export const jumpIf = (condition: Code, depth: number): Code => [...condition, 0x0d, depth];

/** A variable of a function. */
export class Local {
  readonly type: ValueType;
  readonly #index: number[];

  constructor(type: ValueType, index: number) {
    this.type = type;
    this.#index = unsigned(index);
  }

  get get(): Code {
    return [0x20, ...this.#index];
  }

  set(value: Code): Code {
    return [...value, 0x21, ...this.#index];
  }
}

export interface Definition {
  name: string;
  parameters: number;
  locals: ValueType[];
  body: Code;
}

/** Hands out the variables of a function under construction. */
export class Frame {
  readonly types: ValueType[] = [];
  readonly #parameters: number;

  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  local(type: ValueType): Local {
    this.types.push(type);
    return new Local(type, this.#parameters + this.types.length - 1);
  }

  locals(type: ValueType, count: number): Local[] {
    return Array.from({ length: count }, () => this.local(type));
  }

  /** Runs the body for `counter` from `start` on, by `step`, while below `end`, which is computed each time. */
  each(counter: Local, start: Code, end: Code, step: number, ...body: Code[]): Code {
    const below = i32.ltS(counter.get, end);
    const next = counter.set(i32.add(counter.get, i32.const(step)));
    return [...counter.set(start), ...when(below, loop(...body, next, jumpIf(below, 0)))];
  }

  /** Runs the body and moves `counter` on by `step`, while that does not lead beyond `end`. */
  whileReaching(counter: Local, step: number, end: Code, ...body: Code[]): Code {
    const reached = i32.geS(end, i32.add(counter.get, i32.const(step)));
    return when(reached, loop(...body, counter.set(i32.add(counter.get, i32.const(step))), jumpIf(reached, 0)));
  }
}

/** A function of `parameters` i32 values without a result. */
export function define(
  name: string,
  parameters: number,
  build: (frame: Frame, ...parameters: Local[]) => readonly Code[],
): Definition {
  const frame = new Frame(parameters);
  const given = Array.from({ length: parameters }, (_, index) => new Local('i32', index));
  const body = joined(build(frame, ...given));
  return { name, parameters, locals: frame.types, body };
}
