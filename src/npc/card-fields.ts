// The fields of a lorebook's entry by their plain names, since programs write `insertion_order`, `insertionOrder` and `"false"` alike.

export type Fields = Record<string, unknown>;

interface Member {
  name: string;
  value: unknown;
  /** Not of the extensions. */
  own: boolean;
}

/** By plain names. */
export type Members = Map<string, Member[]>;

export function hasOwnField(entry: Members, names: readonly string[]): boolean {
  return names.some((spelling) => entry.get(spelling)?.some(({ own }) => own));
}

export function firstOf(entry: Members, names: readonly string[], inExtensions = false): unknown {
  return firstMember(entry, names, inExtensions)?.value;
}

/** The first that is set under one of these spellings, in their order. */
export function firstMember(entry: Members, names: readonly string[], inExtensions: boolean): Member | undefined {
  for (const spelling of names) {
    const member = entry.get(spelling)?.find(({ value, own }) => value !== null && (own || inExtensions));
    if (member) return member;
  }
  return undefined;
}

/** What an entry says by plain names; SillyTavern keeps some of it among the extensions. */
export function membersOf(entry: Fields): Members {
  const members: Members = new Map();
  const add = (fields: Fields, own: boolean) => {
    for (const [name, value] of Object.entries(fields)) {
      const known = members.get(plain(name));
      if (known) known.push({ name, value, own });
      else members.set(plain(name), [{ name, value, own }]);
    }
  };
  add(entry, true);
  if (isObject(entry.extensions)) add(entry.extensions, false);
  return members;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[_\s-]/g, '');
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As programs write true and false; undefined for anything else. */
export function toFlag(value: unknown): boolean | undefined {
  if (typeof value === 'object' || value === undefined) return undefined;
  const written = String(value).trim().toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(written)) return true;
  return ['false', '0', 'no', 'off', ''].includes(written) ? false : undefined;
}

/** NaN for what is neither a number nor the text of one. */
export function numberOf(value: unknown): number {
  if (typeof value === 'string' && value.trim() !== '') return Number(value);
  return typeof value === 'number' ? value : Number.NaN;
}

/** Whether a condition is more than a field that is always there. Truth alone sets nothing within an object, such as who is excluded. */
export function isSet(value: unknown): boolean {
  if (isObject(value)) return Object.values(value).some((inner) => typeof inner !== 'boolean' && isFilled(inner));
  return isFilled(value);
}

function isFilled(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return value !== undefined && value !== null && toFlag(value) !== false;
}
