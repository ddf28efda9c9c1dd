// Numbers of a JSON schema: between bounds, whole or not.
import { type Expression, shared, unsupported } from './expression.ts';
import * as json from './json.ts';
import { type Bound, numbersBetween } from './number-range.ts';
import { refuseInfinite, type Schema } from './schema-fields.ts';
import type { Work } from './work.ts';

const anyNumber = shared(json.number);
const anyInteger = shared(json.integer);

/** Steps of work: a bound is spelled digit by digit. */
const spelling = 400;

/** Throws invalid_request naming what is not supported and where. */
export function numberExpression(fields: Schema, integer: boolean, where: string, work: Work): Expression {
  const { multipleOf = 1 } = fields;
  if (multipleOf !== 1) throw unsupported(`${where}/multipleOf`, 'only 1 is supported.');
  const whole = integer || fields.multipleOf === 1;
  const low = bound(fields, 'minimum', 'exclusiveMinimum', where, (a, b) => a > b);
  const high = bound(fields, 'maximum', 'exclusiveMaximum', where, (a, b) => a < b);
  if (!low && !high) return whole ? anyInteger : anyNumber;
  work.spend(spelling, where);
  const between = numbersBetween(low, high, whole);
  if (between === null) throw unsupported(where, `expected bounds of at most ${json.mostDigits} digits, without exponent.`);
  if (!between) throw unsupported(where, 'no number lies between its bounds.');
  return between;
}

/** The tighter of two bounds. */
function bound(
  fields: Schema,
  inclusive: string,
  exclusive: string,
  where: string,
  tighter: (a: number, b: number) => boolean,
): Bound | undefined {
  const [within, beyond] = [inclusive, exclusive].map((key) => {
    const value = fields[key];
    if (value !== undefined && typeof value !== 'number') throw unsupported(`${where}/${key}`, 'expected a number.');
    if (value !== undefined) refuseInfinite(value, `${where}/${key}`);
    return value;
  });
  if (beyond !== undefined && (within === undefined || !tighter(within, beyond))) return { value: beyond, exclusive: true };
  return within === undefined ? undefined : { value: within, exclusive: false };
}
