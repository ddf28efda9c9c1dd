// Reads the header of a GGUF file back, by the format's own description: values by name, tensors with their numbers where they are f32.
export interface GgufHeader {
  values: Record<string, unknown>;
  tensors: Record<string, { shape: number[]; type: number; at: number }>;
}

const arrayType = 9;

export function readHeader(file: Buffer): GgufHeader {
  let at = 0;
  const take = <Value>(bytes: number, read: (at: number) => Value): Value => {
    at += bytes;
    return read(at - bytes);
  };
  const uint32 = () => take(4, (at) => file.readUInt32LE(at));
  const uint64 = () => take(8, (at) => Number(file.readBigUInt64LE(at)));
  const text = () => {
    const length = uint64();
    return take(length, (at) => file.toString('utf8', at, at + length));
  };
  const scalars: Record<number, () => unknown> = {
    4: uint32,
    5: () => take(4, (at) => file.readInt32LE(at)),
    6: () => take(4, (at) => file.readFloatLE(at)),
    7: () => take(1, (at) => file.readUInt8(at) === 1),
    8: text,
  };
  const value = (type: number): unknown => {
    if (type !== arrayType) return scalars[type]!();
    const [of, length] = [uint32(), uint64()];
    return Array.from({ length }, scalars[of]!);
  };
  if (file.toString('latin1', 0, 4) !== 'GGUF') throw new Error('no GGUF file');
  at = 4;
  const version = uint32();
  if (version !== 3) throw new Error(`version ${version}`);
  const [tensorCount, valueCount] = [uint64(), uint64()];
  const values: Record<string, unknown> = {};
  for (let i = 0; i < valueCount; i++) values[text()] = value(uint32());
  const tensors: GgufHeader['tensors'] = {};
  for (let i = 0; i < tensorCount; i++) {
    const name = text();
    const shape = Array.from({ length: uint32() }, uint64);
    tensors[name] = { shape, type: uint32(), at: uint64() };
  }
  const start = Math.ceil(at / 32) * 32;
  for (const tensor of Object.values(tensors)) tensor.at += start;
  return { values, tensors };
}
