// Patterns in ECMAScript's syntax as expressions: what a finite automaton can follow, so no look-around, no back references, and anchors
// only at the ends. Classes are those without the u flag's case folding. Knows no JSON.
import {
  type CharacterRange,
  type Expression,
  either,
  empty,
  normalRanges,
  otherCharacters,
  repeat,
  sequence,
  unsupported,
} from './expression.ts';

export const mostPatternCharacters = 4_096;
export const mostRepeats = 10_000;
const deepestGroups = 50;

const digits: CharacterRange[] = [[0x30, 0x39]];
const letters: CharacterRange[] = [...digits, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
const lineEnds: CharacterRange[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];
const spaces: CharacterRange[] = [
  ...lineEnds,
  ...[0x09, 0x0b, 0x0c, 0x20, 0xa0, 0x1680, 0x202f, 0x205f, 0x3000, 0xfeff].map((code): CharacterRange => [code, code]),
  [0x2000, 0x200a],
];
const classes: Record<string, readonly CharacterRange[]> = {
  d: digits,
  D: otherCharacters(digits),
  w: letters,
  W: otherCharacters(letters),
  s: spaces,
  S: otherCharacters(spaces),
};
const controls: Record<string, number> = { n: 0x0a, r: 0x0d, t: 0x09, f: 0x0c, v: 0x0b, 0: 0 };

const anything = repeat({ kind: 'character', ranges: otherCharacters([]) }, 0, Number.POSITIVE_INFINITY);

/**
 * Texts the whole of which the pattern matches; with `anywhere`, those it matches some part of, as JSON Schema reads it. `where` names the
 * pattern in errors. Throws invalid_request naming what is not supported and at which character.
 */
export function parsePattern(pattern: string, where: string, anywhere = false): Expression {
  if (pattern.length > mostPatternCharacters) {
    throw unsupported(where, `the pattern is too long; expected at most ${mostPatternCharacters} characters.`);
  }
  if (/\p{Surrogate}/u.test(pattern)) throw unsupported(where, 'the pattern holds half a character.');
  return new PatternParser([...pattern], where, anywhere).parse();
}

class PatternParser {
  readonly #text: readonly string[];
  readonly #where: string;
  readonly #anywhere: boolean;
  #at = 0;
  #depth = 0;

  constructor(text: readonly string[], where: string, anywhere: boolean) {
    this.#text = text;
    this.#where = where;
    this.#anywhere = anywhere;
  }

  parse(): Expression {
    const options: Expression[] = [];
    do {
      const open = !this.#take('^');
      const middle = this.#sequence();
      const ended = this.#take('$');
      options.push(this.#anywhere ? sequence(open ? anything : empty, middle, ended ? empty : anything) : middle);
    } while (this.#take('|'));
    if (this.#at < this.#text.length) throw this.#refuse(`"${this.#text[this.#at]}" may not stand here`);
    return either(...options);
  }

  #alternatives(): Expression {
    const options: Expression[] = [];
    do options.push(this.#sequence());
    while (this.#take('|'));
    return either(...options);
  }

  #sequence(): Expression {
    const parts: Expression[] = [];
    for (let next = this.#peek(); next !== undefined && !'|)$'.includes(next); next = this.#peek()) {
      parts.push(this.#quantified(this.#atom()));
    }
    return sequence(...parts);
  }

  #atom(): Expression {
    if (this.#take('(')) return this.#group();
    if (this.#take('[')) return character(this.#set());
    if (this.#take('.')) return character(otherCharacters(lineEnds));
    const next = this.#peek()!;
    if ('*+?{}]^'.includes(next)) throw this.#refuse(`"${next}" may not stand here; write "\\${next}" for the character itself`);
    if (this.#take('\\')) {
      const code = this.#escape();
      return character(typeof code === 'number' ? [[code, code]] : code);
    }
    this.#at++;
    return character([only(next)]);
  }

  #group(): Expression {
    if (this.#take('?') && !this.#take(':')) this.#name();
    if (++this.#depth > deepestGroups) throw this.#refuse(`groups are nested too deep; expected at most ${deepestGroups} levels`);
    const inside = this.#alternatives();
    if (this.#peek() === '$') throw this.#refuse('"$" is only supported at the end of the pattern');
    if (!this.#take(')')) throw this.#refuse('expected ")"');
    this.#depth--;
    return inside;
  }

  #name(): void {
    const named = /^<[A-Za-z_$][\w$]*>/.exec(this.#text.slice(this.#at, this.#at + 100).join(''));
    if (!named) throw this.#refuse('look-ahead, look-behind and flags are not supported');
    this.#at += named[0].length;
  }

  #quantified(atom: Expression): Expression {
    const bounds = this.#bounds();
    if (!bounds) return atom;
    // Fewest first or most first: the texts that match are the same.
    this.#take('?');
    const [min, max] = bounds;
    if (min > max) throw this.#refuse(`expected {n,m} with n ≤ m, found {${min},${max}}`);
    if (Math.max(min, Number.isFinite(max) ? max : 0) > mostRepeats)
      throw this.#refuse(`expected at most ${mostRepeats} repetitions`);
    return repeat(atom, min, max);
  }

  #bounds(): [number, number] | undefined {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    if (this.#peek() !== '{') return;
    const written = /^\{(\d{1,9})(?:(,)(\d{1,9})?)?\}/.exec(this.#text.slice(this.#at, this.#at + 24).join(''));
    if (!written) throw this.#refuse('expected {n}, {n,} or {n,m}; write "\\{" for the character itself');
    this.#at += written[0].length;
    const min = Number(written[1]);
    if (written[2] === undefined) return [min, min];
    return [min, written[3] === undefined ? Number.POSITIVE_INFINITY : Number(written[3])];
  }

  /** After "[". */
  #set(): readonly CharacterRange[] {
    const others = this.#take('^');
    const ranges: CharacterRange[] = [];
    while (!this.#take(']')) {
      const first = this.#member();
      const [dash, after] = [this.#peek(), this.#text[this.#at + 1]];
      if (typeof first !== 'number') ranges.push(...first);
      else if (dash !== '-' || after === ']') ranges.push([first, first]);
      else {
        this.#at++;
        const last = this.#member();
        if (typeof last !== 'number' || last < first)
          throw this.#refuse('expected a range whose end is a character after its start');
        ranges.push([first, last]);
      }
    }
    const members = others ? otherCharacters(ranges) : normalRanges(ranges);
    if (members.length === 0) throw this.#refuse('no character is in this class');
    return members;
  }

  #member(): number | readonly CharacterRange[] {
    const next = this.#peek();
    if (next === undefined) throw this.#refuse('expected "]"');
    this.#at++;
    return next === '\\' ? this.#escape() : next.codePointAt(0)!;
  }

  /** After a backslash. */
  #escape(): number | readonly CharacterRange[] {
    const next = this.#peek();
    if (next === undefined) throw this.#refuse('expected a character after "\\"');
    this.#at++;
    if (Object.hasOwn(classes, next)) return classes[next]!;
    if (next === 'x' || next === 'u') return this.#hex(next);
    if (Object.hasOwn(controls, next) && !(next === '0' && /\d/.test(this.#peek() ?? ''))) return controls[next]!;
    if (/[A-Za-z0-9]/.test(next)) throw this.#refuse(`"\\${next}" is not supported`);
    return next.codePointAt(0)!;
  }

  #hex(kind: 'x' | 'u'): number {
    const form = kind === 'x' ? /^([0-9A-Fa-f]{2})/ : /^(?:([0-9A-Fa-f]{4})|\{([0-9A-Fa-f]{1,6})\})/;
    const written = form.exec(this.#text.slice(this.#at, this.#at + 8).join(''));
    const code = Number.parseInt(written?.[1] ?? written?.[2] ?? '', 16);
    if (!written || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      throw this.#refuse(`expected the hexadecimal digits of a character after "\\${kind}"`);
    }
    this.#at += written[0].length;
    return code;
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #refuse(problem: string) {
    return unsupported(`${this.#where}, character ${this.#at + 1}`, `${problem}.`);
  }
}

function only(text: string): CharacterRange {
  const code = text.codePointAt(0)!;
  return [code, code];
}

function character(ranges: readonly CharacterRange[]): Expression {
  return { kind: 'character', ranges: normalRanges(ranges) };
}
