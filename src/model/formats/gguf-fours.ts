// Blocks of 4 bits of a GGUF file as they are, without a second rounding: Q4_0, Q4_1 and Q4_K. Layouts as gguf-blocks.ts unpacks them.
import { emptyFours, type FourBitRows, fourBitBlock } from '../four-bits.ts';
import { scaleAndMinimum } from './gguf-blocks.ts';
import { float16Table } from './half-floats.ts';

const codeBytes = fourBitBlock / 2;
const half = (bytes: Uint8Array, at: number) => float16Table()[bytes[at]! | (bytes[at + 1]! << 8)]!;

type Take = (from: Uint8Array, into: FourBitRows) => void;

/** Blocks of 32 with a scale and, perhaps, a base before the codes. */
function short(storedBase: boolean): Take {
  const head = storedBase ? 4 : 2;
  return (from, { codes, scales, bases }) => {
    for (let block = 0, at = 0; block < scales.length; block++, at += head + codeBytes) {
      const scale = half(from, at);
      scales[block] = scale;
      bases[block] = storedBase ? half(from, at + 2) : -8 * scale;
      const to = block * codeBytes;
      for (let i = 0; i < codeBytes; i++) codes[to + i] = from[at + head + i]!;
    }
  };
}

/** Of 256 numbers eight sub-blocks; two of them share 32 bytes, the first in the low halves. */
const scaled: Take = (from, { codes, scales, bases }) => {
  const [head, bytes] = [16, 144];
  for (let block = 0; block < scales.length; block++) {
    const [at, sub] = [Math.floor(block / 8) * bytes, block % 8];
    const [scaleCode, minimumCode] = scaleAndMinimum(from, at + 4, sub);
    scales[block] = half(from, at) * scaleCode;
    bases[block] = -half(from, at + 2) * minimumCode;
    const start = at + head + fourBitBlock * (sub >> 1);
    const shift = 4 * (sub & 1);
    for (let i = 0; i < codeBytes; i++) {
      const [low, high] = [from[start + i]!, from[start + codeBytes + i]!];
      codes[block * codeBytes + i] = ((low >> shift) & 15) | (((high >> shift) & 15) << 4);
    }
  }
};

const takes: Readonly<Record<string, Take>> = { Q4_0: short(false), Q4_1: short(true), Q4_K: scaled };

/** `numbers` numbers, whole blocks of the type, out of their bytes. */
export function takeFours(type: string, bytes: Uint8Array, numbers: number): FourBitRows {
  const rows = emptyFours(numbers / fourBitBlock);
  takes[type]!(bytes, rows);
  return rows;
}
