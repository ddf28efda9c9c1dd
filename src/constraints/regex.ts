// Patterns in ECMAScript's syntax as expressions: what a finite automaton can follow, so no look-behind, no back references, and anchors only at the
// ends. Classes are those without the u flag's case folding.
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
import { graphOf, type Language } from './intersection.ts';
import { Work } from './work.ts';

export const mostPatternCharacters = 4_096;
export const mostRepeats = 10_000;
const deepestGroups = 50;
/** Steps of work to read one character of a pattern. */
const reading = 4;

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
export function parsePattern(pattern: string, where: string, anywhere = false, work = new Work()): Expression {
  const found = parseLanguage(pattern, where, anywhere, work);
  return isPlain(found) ? found : graphOf(found, where, work);
}

/** The same, to be followed together with others. */
export function parseLanguage(pattern: string, where: string, anywhere: boolean, work: Work): Language {
  if (pattern.length > mostPatternCharacters) {
    throw unsupported(where, `the pattern is too long; expected at most ${mostPatternCharacters} characters.`);
  }
  work.spend(pattern.length * reading, where);
  if (/\p{Surrogate}/u.test(pattern)) throw unsupported(where, 'the pattern holds half a character.');
  return new PatternParser([...pattern], where, anywhere).parse();
}

/** What a pattern says: a look-ahead speaks of all that follows it, so it is resolved when that is known. */
type Parsed =
  | Expression
  | { kind: 'look'; ahead: Language; negative: boolean }
  | { kind: 'parts'; parts: readonly Parsed[] }
  | { kind: 'options'; options: readonly Parsed[] };

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

  parse(): Language {
    const found = this.#wholes(this.#anywhere);
    if (this.#at < this.#text.length) throw this.#refuse(`"${this.#text[this.#at]}" may not stand here`);
    return found;
  }

  /** Alternatives each of which is anchored at its ends; what is not is open there where the pattern may be met anywhere. */
  #wholes(anywhere: boolean): Language {
    const options: Language[] = [];
    do {
      const open = !this.#take('^');
      const middle = this.#sequence();
      const ended = this.#take('$');
      const read = this.#follow(middle, anywhere && !ended ? anything : empty);
      options.push(anywhere && open ? then(anything, read) : read);
    } while (this.#take('|'));
    return any(options);
  }

  /** What is parsed, and then the rest up to the end of the text. */
  #follow(parsed: Parsed, rest: Language): Language {
    switch (parsed.kind) {
      case 'look':
        return { kind: 'all', parts: [parsed.negative ? { kind: 'not', body: parsed.ahead } : parsed.ahead, rest] };
      case 'parts':
        return parsed.parts.reduceRight<Language>((after, part) => this.#follow(part, after), rest);
      case 'options':
        return any(parsed.options.map((option) => this.#follow(option, rest)));
      default:
        return then(parsed, rest);
    }
  }

  #alternatives(): Parsed {
    const options: Parsed[] = [];
    do options.push(this.#sequence());
    while (this.#take('|'));
    return options.every(isPlain) ? either(...options) : { kind: 'options', options };
  }

  #sequence(): Parsed {
    const parts: Parsed[] = [];
    for (let next = this.#peek(); next !== undefined && !'|)$'.includes(next); next = this.#peek()) {
      parts.push(this.#quantified(this.#atom()));
    }
    return parts.every(isPlain) ? sequence(...parts) : { kind: 'parts', parts };
  }

  #atom(): Parsed {
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

  #group(): Parsed {
    const look = this.#take('?') && !this.#take(':') ? this.#name() : undefined;
    if (++this.#depth > deepestGroups) throw this.#refuse(`groups are nested too deep; expected at most ${deepestGroups} levels`);
    // A look-ahead that opens the pattern may say so itself; what it does not say of the end is open.
    const inside = look ? this.#lookedFor() : this.#alternatives();
    if (this.#peek() === '$') throw this.#refuse('"$" is only supported at the end of the pattern');
    if (!this.#take(')')) throw this.#refuse('expected ")"');
    this.#depth--;
    return look ? { kind: 'look', ahead: inside as Language, negative: look === '!' } : (inside as Parsed);
  }

  #lookedFor(): Language {
    const opens = /^\^?\(\?[=!]$/.test(this.#text.slice(0, Math.min(this.#at, 5)).join(''));
    const options: Language[] = [];
    do {
      if (opens) this.#take('^');
      const middle = this.#sequence();
      options.push(this.#follow(middle, this.#take('$') ? empty : anything));
    } while (this.#take('|'));
    return any(options);
  }

  /** After "(?": the sign of a look-ahead; nothing for a group that has a name. */
  #name(): '=' | '!' | undefined {
    for (const sign of ['=', '!'] as const) if (this.#take(sign)) return sign;
    const named = /^<[A-Za-z_$][\w$]*>/.exec(this.#text.slice(this.#at, this.#at + 100).join(''));
    if (!named) throw this.#refuse('look-behind and flags are not supported');
    this.#at += named[0].length;
    return undefined;
  }

  #quantified(atom: Parsed): Parsed {
    const bounds = this.#bounds();
    if (!bounds) return atom;
    // Fewest first or most first: the texts that match are the same.
    this.#take('?');
    const [min, max] = bounds;
    if (min > max) throw this.#refuse(`expected {n,m} with n ≤ m, found {${min},${max}}`);
    if (Math.max(min, Number.isFinite(max) ? max : 0) > mostRepeats)
      throw this.#refuse(`expected at most ${mostRepeats} repetitions`);
    if (isPlain(atom)) return repeat(atom, min, max);
    if (max > 1) throw this.#refuse('a look-ahead that is repeated is not supported');
    return { kind: 'options', options: min === 0 ? [atom, empty] : [atom] };
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

const compound = new Set(['look', 'parts', 'options', 'all', 'not', 'then', 'any']);

/** Whether no look-ahead is in it. */
export function isPlain(one: Parsed | Language): one is Expression {
  return !compound.has(one.kind);
}

function then(first: Language, rest: Language): Language {
  return isPlain(first) && isPlain(rest) ? sequence(first, rest) : { kind: 'then', parts: [first, rest] };
}

function any(options: readonly Language[]): Language {
  return options.every(isPlain) ? either(...options) : { kind: 'any', options };
}

function only(text: string): CharacterRange {
  const code = text.codePointAt(0)!;
  return [code, code];
}

function character(ranges: readonly CharacterRange[]): Expression {
  return { kind: 'character', ranges: normalRanges(ranges) };
}
