// GGUF files put together byte by byte, by the format's own description, so that a test can say anything in one, true or not.

type Value = { type: number; bytes: Buffer };

const typed = (type: number, length: number, write: (into: Buffer) => void): Value => {
  const bytes = Buffer.alloc(length);
  write(bytes);
  return { type, bytes };
};

export const uint32 = (value: number): Value => typed(4, 4, (into) => into.writeUInt32LE(value));
export const float32 = (value: number): Value => typed(6, 4, (into) => into.writeFloatLE(value));
export const bool = (value: boolean): Value => typed(7, 1, (into) => into.writeUInt8(Number(value)));
export const uint64 = (value: bigint): Value => typed(10, 8, (into) => into.writeBigUInt64LE(value));
export const text = (value: string): Value => ({ type: 8, bytes: spelt(value) });
/** Values of one type, or a list that claims to be of another length. */
export const list = (values: readonly Value[], type = values[0]?.type ?? 4, length = values.length): Value => ({
  type: 9,
  bytes: Buffer.concat([uint32(type).bytes, uint64(BigInt(length)).bytes, ...values.map(({ bytes }) => bytes)]),
});

const spelt = (value: string): Buffer => Buffer.concat([uint64(BigInt(Buffer.byteLength(value))).bytes, Buffer.from(value)]);

export interface Tensor {
  name: string;
  /** Rows first. */
  shape: readonly (number | bigint)[];
  /** 0 is float32. */
  type?: number;
  data?: Uint8Array;
  /** Where it claims to lie, instead of where it does. */
  offset?: number;
}

export interface Claims {
  version?: number;
  tensors?: bigint;
  values?: bigint;
}

const alignment = 32;
const padding = (length: number): Buffer => Buffer.alloc((alignment - (length % alignment)) % alignment);

/** The bytes of a file of these values and tensors, which lie one after another. */
export function ggufFile(values: readonly [string, Value][], tensors: readonly Tensor[] = [], claims: Claims = {}): Buffer {
  const parts = [
    Buffer.from('GGUF'),
    uint32(claims.version ?? 3).bytes,
    uint64(claims.tensors ?? BigInt(tensors.length)).bytes,
    uint64(claims.values ?? BigInt(values.length)).bytes,
  ];
  for (const [key, { type, bytes }] of values) parts.push(spelt(key), uint32(type).bytes, bytes);
  const data: Buffer[] = [];
  let offset = 0;
  for (const { name, shape, type = 0, data: own, offset: claimed = offset } of tensors) {
    parts.push(spelt(name), uint32(shape.length).bytes, ...shape.toReversed().map((length) => uint64(BigInt(length)).bytes));
    parts.push(uint32(type).bytes, uint64(BigInt(claimed)).bytes);
    const bytes = Buffer.from(own ?? new Uint8Array(4 * shape.reduce<number>((product, length) => product * Number(length), 1)));
    data.push(bytes, padding(bytes.length));
    offset += bytes.length + padding(bytes.length).length;
  }
  const header = Buffer.concat(parts);
  return Buffer.concat([header, padding(header.length), ...data]);
}
