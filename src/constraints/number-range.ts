// Numbers between two bounds, digit by digit, as an expression.
import { type Expression, either, optional, repeat, sequence, words } from './expression.ts';
import { mostDigits } from './json.ts';

export interface Bound {
  value: number;
  /** Whether the bound itself lies outside. */
  exclusive: boolean;
}

/** Digits before and after the point, without a sign. */
interface Decimal {
  whole: string;
  fraction: string;
  exclusive: boolean;
}

const largest = 10 ** mostDigits - 1;

/** The bound's digits; undefined when it has more of them than are told apart. */
function decimal({ value, exclusive }: Bound): Decimal | undefined {
  const [whole, fraction = ''] = String(Math.abs(value)).split('.') as [string, string?];
  const known = /^\d+$/.test(whole + fraction) && (whole + fraction).length <= mostDigits;
  return known ? { whole, fraction, exclusive } : undefined;
}

/**
 * Numbers from `low` to `high` without exponent, whole ones or with a fraction; absent bounds are those of 15 digits. Undefined when there are
 * none, null when a bound has too many digits.
 */
export function numbersBetween(low: Bound | undefined, high: Bound | undefined, whole: boolean): Expression | undefined | null {
  const from = tighten(low, whole, 1) ?? { value: -largest, exclusive: false };
  const to = tighten(high, whole, -1) ?? { value: largest, exclusive: false };
  const options: Expression[] = [];
  const zero = { value: 0, exclusive: false };
  if (from.value < 0) {
    const magnitudes = magnitudesBetween(to.value < 0 ? to : { value: 0, exclusive: true }, from, whole);
    if (magnitudes === null) return null;
    if (magnitudes) options.push(sequence(words('-'), magnitudes));
  }
  if (to.value >= 0) {
    const magnitudes = magnitudesBetween(from.value < 0 ? zero : from, to, whole);
    if (magnitudes === null) return null;
    if (magnitudes) options.push(magnitudes);
  }
  return options.length === 0 ? undefined : either(...options);
}

/** The same bound within what can be written; for whole numbers the nearest one inside it. */
function tighten(bound: Bound | undefined, whole: boolean, inward: 1 | -1): Bound | undefined {
  if (!bound || Math.abs(bound.value) > largest) {
    return bound && bound.value * inward > 0 ? { value: inward * largest, exclusive: true } : undefined;
  }
  if (!whole) return bound;
  const inside = inward === 1 ? Math.ceil(bound.value) : Math.floor(bound.value);
  return { value: bound.exclusive && inside === bound.value ? inside + inward : inside, exclusive: false };
}

/** Spelled magnitudes of the bounds, whose signs are ignored. */
function magnitudesBetween(lowBound: Bound, highBound: Bound, whole: boolean): Expression | undefined | null {
  const low = decimal(lowBound);
  const high = decimal(highBound);
  if (!low || !high) return null;
  const options: Expression[] = [];
  for (let length = low.whole.length; length <= high.whole.length; length++) {
    const from = length === low.whole.length ? low : { whole: `1${'0'.repeat(length - 1)}`, fraction: '', exclusive: false };
    const to = length === high.whole.length ? high : undefined;
    const found = new Digits(from, to, length, whole).at(0, true, to !== undefined);
    if (found) options.push(found);
  }
  return options.length === 0 ? undefined : either(...options);
}

/** Numbers of `length` digits before the point from `low` to `high`, where there is one. */
class Digits {
  readonly #low: Decimal;
  readonly #high: Decimal | undefined;
  readonly #length: number;
  readonly #most: number;

  constructor(low: Decimal, high: Decimal | undefined, length: number, whole: boolean) {
    this.#low = low;
    this.#high = high;
    this.#length = length;
    this.#most = whole ? length : mostDigits;
  }

  /** What may follow the first `place` digits, which are those of `low` or of `high` where the flags say so; undefined when nothing may. */
  at(place: number, likeLow: boolean, likeHigh: boolean): Expression | undefined {
    if (place < this.#length) return this.#digit(place, likeLow, likeHigh);
    // All of the bound's digits stand: what follows makes the number larger, unless it is zeros, which say nothing.
    if (likeHigh && restOf(this.#high!, place) === 0) return this.#mayEnd(place, likeLow, true) ? sequence() : undefined;
    if (likeLow && restOf(this.#low, place) === 0 && !this.#low.exclusive) return this.at(place, false, likeHigh);
    const fraction = place < this.#most ? this.#digit(place, likeLow, likeHigh) : undefined;
    // The point stands before the first digit of the fraction.
    const more = fraction && place === this.#length ? sequence(words('.'), fraction) : fraction;
    if (!this.#mayEnd(place, likeLow, likeHigh)) return more;
    return more ? optional(more) : sequence();
  }

  #digit(place: number, likeLow: boolean, likeHigh: boolean): Expression | undefined {
    if (!likeLow && !likeHigh) return this.#free(place);
    const least = likeLow ? digitAt(this.#low, place) : 0;
    const most = likeHigh ? digitAt(this.#high!, place) : 9;
    if (least > most) return;
    const options: Expression[] = [];
    const add = (first: number, last: number, rest: Expression | undefined): void => {
      if (first <= last && rest) options.push(sequence(digits(first, last), rest));
    };
    if (least === most) add(least, most, this.at(place + 1, likeLow, likeHigh));
    else {
      if (likeLow) add(least, least, this.at(place + 1, true, false));
      add(least + Number(likeLow), most - Number(likeHigh), this.at(place + 1, false, false));
      if (likeHigh) add(most, most, this.at(place + 1, false, true));
    }
    return options.length === 0 ? undefined : either(...options);
  }

  #mayEnd(place: number, likeLow: boolean, likeHigh: boolean): boolean {
    const above = !likeLow || (restOf(this.#low, place) === 0 && !this.#low.exclusive);
    const below = !likeHigh || restOf(this.#high!, place) > 0 || !this.#high!.exclusive;
    return above && below;
  }

  /** Any digits from here to the end. */
  #free(place: number): Expression {
    const any = digits(0, 9);
    if (place >= this.#length) return repeat(any, 1, this.#most - place);
    const whole = repeat(any, this.#length - place, this.#length - place);
    if (this.#most === this.#length) return whole;
    return sequence(whole, optional(sequence(words('.'), repeat(any, 1, this.#most - this.#length))));
  }
}

/** 0 past the last digit of the fraction. */
function digitAt({ whole, fraction }: Decimal, place: number): number {
  return Number((whole + fraction)[place] ?? 0);
}

/** The digits from `place` on, as a number that is 0 when all of them are. */
function restOf({ whole, fraction }: Decimal, place: number): number {
  return Number((whole + fraction).slice(place) || 0);
}

function digits(first: number, last: number): Expression {
  return { kind: 'character', ranges: [[0x30 + first, 0x30 + last]] };
}
