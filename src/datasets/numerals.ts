// JSON with numbers that a double cannot hold: ids, timestamps and seeds of other systems are 64 bits wide, and rounding would make two of them one.
// Such a number is a Numeral, which keeps its digits; every other number is a number as ever.
import { isInteger, isSafeNumber, LosslessNumber, parse, stringify } from 'lossless-json';

export { LosslessNumber as Numeral };

/** Whole numbers of so many digits may be more than a double holds; what stands behind a point is a fraction and may be rounded. */
const mayBeLong = /(?<![.\d])\d{16}/;

/** The value of a JSON text. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  if (!mayBeLong.test(text)) return JSON.parse(text);
  return parse(text, undefined, { parseNumber: toNumber, onDuplicateKey: ({ newValue }) => newValue });
}

function toNumber(digits: string): number | LosslessNumber {
  return isInteger(digits) && !isSafeNumber(digits) ? new LosslessNumber(digits) : Number(digits);
}

/** The value as JSON; a Numeral is written with all its digits. */
export function writeJson(value: unknown): string {
  return holdsNumeral(value) ? stringify(value)! : JSON.stringify(value);
}

function holdsNumeral(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof LosslessNumber) return true;
  return Array.isArray(value) ? value.some(holdsNumeral) : Object.values(value).some(holdsNumeral);
}
