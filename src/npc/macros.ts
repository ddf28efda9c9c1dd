// Macros of character cards, by card V3 and as SillyTavern spells them: names, chance, and notes that nobody is to read. Nothing they stand for is
// read again for macros, so a player's name cannot write any. Chance follows from the session's seed and the text it stands in.
import { own } from '../own.ts';
import { randomStream } from '../random.ts';

export interface Speakers {
  char: string;
  user: string;
  /** Of the session: the same text is filled alike as long as it lasts. */
  seed: number;
  /** What further macros stand for, by their name as written; they come before the others. */
  data?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** Text between macros, or what a macro inside stands for. */
interface Piece {
  text: string;
  filled: boolean;
}

interface Call {
  /** What follows the name. */
  rest: Piece[];
  speakers: Speakers;
  random: () => number;
}

type Macro = (call: Call) => string | undefined;

const nothing: Macro = () => '';
const oneOf: Macro = ({ rest, random }) => {
  const options = choicesOf(rest);
  return options[Math.floor(random() * options.length)]!;
};

/** By name in lower case; undefined where what follows the name makes no sense. */
const macros: Record<string, Macro> = {
  char: ({ speakers }) => speakers.char,
  bot: ({ speakers }) => speakers.char,
  user: ({ speakers }) => speakers.user,
  random: oneOf,
  pick: oneOf,
  roll: rollDice,
  reverse: ({ rest }) => [...wholeOf(rest)].reverse().join(''),
  newline: () => '\n',
  '//': nothing,
  comment: nothing,
  hidden_key: nothing,
  noop: nothing,
  trim: nothing,
  original: nothing,
};

const marks = /\{{2,}|\}\}|<(?:BOT|CHAR|USER)>/gi;
/** Its name, and what parts that from the rest. */
const head = /^\s*(?:(\/\/)|([a-z_]\w*)(?:\s*::?|\s+|$))/i;
/** Deeper ones are not followed. */
const deepest = 20;
/** Letters of one that are told. */
const shownOfDeep = 32;
const mostDice = 100;
const mostSides = 1_000_000;

/**
 * The text with every macro filled in, in any case and one within another. One that nobody here knows is left out, whatever its braces hold, and
 * `unknown` is told of it: whoever reads the text is to read no raw macro. `place` tells one filling of a text from another.
 */
export function fillMacros(text: string, speakers: Speakers, unknown: (macro: string) => void = () => {}, place = 0): string {
  if (!text.includes('{{') && !text.includes('<')) return text;
  let stream: (() => number) | undefined;
  const random = () => {
    stream ??= randomStream(speakers.seed, 'macros', place, text);
    return stream();
  };
  /** Macros that are open, the innermost last; the first is the text itself. */
  const open: Piece[][] = [[]];
  const add = (piece: Piece) => piece.text !== '' && open.at(-1)!.push(piece);
  let last = 0;
  /** How many of those that are too deep are open. */
  let tooDeep = 0;
  for (const [mark, index] of marksIn(text)) {
    if (tooDeep === 0) add({ text: text.slice(last, index), filled: false });
    last = index + mark.length;
    if (mark === '{{' && open.length > deepest) {
      if (tooDeep++ === 0) unknown(`${mark}${text.slice(last, last + shownOfDeep)}`);
    } else if (mark === '{{') open.push([]);
    else if (mark === '}}' && tooDeep > 0) tooDeep--;
    else if (tooDeep > 0) continue;
    else if (mark.startsWith('<')) add({ text: /user/i.test(mark) ? speakers.user : speakers.char, filled: true });
    else if (open.length === 1) add({ text: mark, filled: false });
    else add(close(open.pop()!, { speakers, random }, unknown));
  }
  if (tooDeep === 0) add({ text: text.slice(last), filled: false });
  // What was opened and never closed is no macro.
  return withoutPairs(open.map(wholeOf).join('{{'));
}

/** Macros begin at the last of several braces: `{{{char}}}` is a name in braces, `{{{{char}}}}` a macro within another. */
function* marksIn(text: string): Generator<[mark: string, index: number]> {
  for (const { 0: found, index } of text.matchAll(marks)) {
    if (!found.startsWith('{{')) yield [found, index];
    else for (let at = found.length % 2; at < found.length; at += 2) yield ['{{', index + at];
  }
}

/** Names, and what stood around a macro, may come together as another one, which nobody wrote: single braces are left of its pairs. */
function withoutPairs(text: string): string {
  const start = text.indexOf('{{');
  if (start === -1 || text.lastIndexOf('}}') < start) return text;
  return text.replace(/\{{2,}/g, '{').replace(/\}{2,}/g, '}');
}

/** What the macro with these pieces between its braces stands for. */
function close(pieces: Piece[], call: Omit<Call, 'rest'>, unknown: (macro: string) => void): Piece {
  const [first] = pieces;
  const inside = wholeOf(pieces);
  const found = first && !first.filled ? head.exec(first.text) : null;
  const name = (found?.[1] ?? found?.[2] ?? '').toLowerCase();
  const rest = [{ text: first?.text.slice(found?.[0].length) ?? '', filled: false }, ...pieces.slice(1)];
  const told = own(call.speakers.data ?? {}, inside.trim());
  if (told !== undefined && pieces.length === 1) return { text: String(told), filled: true };
  const value = Object.hasOwn(macros, name) ? macros[name]!({ ...call, rest }) : undefined;
  if (value === undefined) unknown(`{{${inside}}}`);
  return { text: value ?? '', filled: true };
}

function wholeOf(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => text).join('');
}

/** Parted by `::` where one is written after the first choice, else by commas but for `\,`; what an inner macro stands for is never parted. */
function choicesOf(rest: readonly Piece[]): string[] {
  const colons = rest.some(({ text, filled }) => !filled && text.includes('::'));
  const border = colons ? /::/ : /(?<!\\),/;
  const choices = [''];
  for (const { text, filled } of rest) {
    const [first = '', ...more] = filled
      ? [text]
      : text.split(border).map((part) => (colons ? part : part.replaceAll('\\,', ',')));
    choices[choices.length - 1] += first;
    choices.push(...more);
  }
  return choices.map((choice) => choice.trim());
}

/** `6`, `d6`, `2d6`, `2d6+1`: the sum of so many dice of so many sides. */
function rollDice({ rest, random }: Call): string | undefined {
  const written = /^(?:(\d{0,3})d)?(\d{1,7})\s*([+-]\s*\d{1,7})?$/i.exec(wholeOf(rest).trim());
  if (!written) return;
  const [count, sides] = [Number(written[1] || 1), Number(written[2])];
  if (count < 1 || count > mostDice || sides < 1 || sides > mostSides) return;
  let sum = Number(written[3]?.replaceAll(/\s/g, '') ?? 0);
  for (let die = 0; die < count; die++) sum += 1 + Math.floor(random() * sides);
  return String(sum);
}
