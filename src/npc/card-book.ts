// The lorebook of a character card: entries read as facts, and facts written back into it.
import { isDeepStrictEqual } from 'node:util';
import { SteerError } from '../errors.ts';
import { factOf, orderField, orderOf, toEntry } from './card-entry.ts';
import { type Fields, isObject, numberOf, toFlag } from './card-fields.ts';
import type { Fact } from './character.ts';
import { recentTurns } from './fact-keys.ts';
import { elementTexts, memberText, setMember, setMemberText } from './json-members.ts';

/** Something of a card that is kept and not followed. */
export interface Notice {
  /** Where it stands. */
  param: string;
  message: string;
}

type Tell = (notice: Notice) => void;

const book = ['data', 'character_book'];
const place = [...book, 'entries'];

/** The enabled entries of a lorebook in their order; only constant ones and those without any field of keys are always told. Throws invalid_request. */
export function readBook(written: unknown, tell: Tell): Fact[] {
  const entries = entriesOf(written);
  if (entries.length > 0) tellOfBook(written as Fields, tell);
  return entries.flatMap(([param, entry]) => factOf(entry, (message) => tell({ param, message })) ?? []);
}

/** The card with these facts. Entries that still say what they said stay to the letter, disabled ones too, but for their place in the order. */
export function replaceBook(text: string, facts: readonly Fact[]): string {
  const old = elementTexts(memberText(text, place) ?? '[]').map((raw) => ({ raw, fact: factOf(JSON.parse(raw), () => {}) }));
  const untold = old.filter(({ fact }) => fact === undefined).map(({ raw }) => raw);
  let last = -1;
  const told = facts.map((fact) => {
    const known = old.find((entry) => isDeepStrictEqual(entry.fact, fact))?.raw;
    if (known === undefined) return JSON.stringify(toEntry(fact, ++last));
    const entry = JSON.parse(known);
    const order = orderOf(entry);
    if (order >= last) {
      last = order;
      return known;
    }
    return setMember(known, [orderField(entry)], ++last);
  });
  return setMemberText(text, place, `[${[...told, ...untold].join(',')}]`);
}

/** Fields of a book that say how much of it is told and when. */
function tellOfBook(written: Fields, tell: Tell): void {
  const { scan_depth: depth = null, token_budget: budget = null, recursive_scanning: recursive } = written;
  const told = (field: string, instead: string) => {
    tell({ param: [...book, field].join('.'), message: `${field} is not followed: ${instead}` });
  };
  if (depth !== null && numberOf(depth) !== recentTurns)
    told('scan_depth', `keys are looked for in the last ${recentTurns} lines`);
  if (budget !== null) told('token_budget', 'entries give way where they do not fit the model');
  if (toFlag(recursive) === true) told('recursive_scanning', 'what an entry says calls for no other');
}

/** Entries with where each stands, in their order; a book may list them or name each by a number. */
function entriesOf(written: unknown): [param: string, Fields][] {
  if (written === undefined || written === null) return [];
  const entries = isObject(written) ? (written.entries ?? []) : undefined;
  if (typeof entries === 'object' && Object.values(entries).every(isObject)) {
    const named = Object.entries(entries as Record<string, Fields>).map(([name, entry]) => ({
      name,
      entry,
      order: orderOf(entry),
    }));
    return named.toSorted((a, b) => a.order - b.order).map(({ name, entry }) => [`${place.join('.')}.${name}`, entry]);
  }
  throw new SteerError('invalid_request', `${place.join('.')}: expected a list of objects.`, {
    details: { param: place.join('.') },
  });
}
