// Edits single members of JSON text and leaves every other character of it as it was: number spellings, key order, spaces, duplicates. Takes only text
// that JSON.parse accepts, so nothing is checked twice.

interface Span {
  start: number;
  end: number;
}

interface Member extends Span {
  key: string;
}

/** Text of the value at `path`; undefined where there is none. Of members with one name the last counts, as in JSON.parse. */
export function memberText(text: string, path: readonly string[]): string | undefined {
  const span = path.reduce<Span | undefined>((within, key) => within && memberOf(text, within, key), whole(text));
  return span && text.slice(span.start, span.end);
}

/** Texts of the elements of an array, or of what the members of an object hold. */
export function elementTexts(text: string): string[] {
  const members = membersOf(text, whole(text));
  if (members.length > 0) return [...new Map(members.map(({ key, start, end }) => [key, text.slice(start, end)])).values()];
  const elements: string[] = [];
  let at = afterSpace(text, whole(text).start + 1);
  while (!']}'.includes(text[at]!)) {
    const end = endOfValue(text, at);
    elements.push(text.slice(at, end));
    at = afterSpace(text, end);
    if (text[at] === ',') at = afterSpace(text, at + 1);
  }
  return elements;
}

/** The text with `value` at `path`; objects on the way that are not there are made at the end of theirs. */
export function setMember(text: string, path: readonly string[], value: unknown): string {
  return setMemberText(text, path, JSON.stringify(value));
}

/** The same for a value that is JSON text already. */
export function setMemberText(text: string, path: readonly string[], raw: string): string {
  return setWithin(text, whole(text), path, raw);
}

function setWithin(text: string, within: Span, [key, ...rest]: readonly string[], raw: string): string {
  if (key === undefined) return splice(text, within, raw);
  const found = memberOf(text, within, key);
  if (found) return setWithin(text, found, rest, raw);
  const nested = rest.reduceRight((inner, name) => `{${JSON.stringify(name)}:${inner}}`, raw);
  const added = `${JSON.stringify(key)}:${nested}`;
  // What is no object, null say, becomes one.
  if (text[within.start] !== '{') return splice(text, within, `{${added}}`);
  const last = membersOf(text, within).at(-1);
  if (!last) return splice(text, { start: within.start + 1, end: within.start + 1 }, added);
  return splice(text, { start: last.end, end: last.end }, `,${added}`);
}

function splice(text: string, { start, end }: Span, raw: string): string {
  return text.slice(0, start) + raw + text.slice(end);
}

function whole(text: string): Span {
  const start = afterSpace(text, 0);
  return { start, end: endOfValue(text, start) };
}

function memberOf(text: string, within: Span, key: string): Member | undefined {
  return membersOf(text, within).findLast((member) => member.key === key);
}

/** Members of the object there; none where it is no object. */
function membersOf(text: string, { start }: Span): Member[] {
  const members: Member[] = [];
  if (text[start] !== '{') return members;
  let at = afterSpace(text, start + 1);
  while (text[at] !== '}') {
    const keyEnd = endOfString(text, at);
    const valueStart = afterSpace(text, afterSpace(text, keyEnd) + 1);
    const end = endOfValue(text, valueStart);
    members.push({ key: JSON.parse(text.slice(at, keyEnd)), start: valueStart, end });
    at = afterSpace(text, end);
    if (text[at] === ',') at = afterSpace(text, at + 1);
  }
  return members;
}

function endOfValue(text: string, start: number): number {
  if (text[start] === '"') return endOfString(text, start);
  if (text[start] !== '{' && text[start] !== '[') {
    const end = text.slice(start).search(/[\s,}\]]/);
    return end < 0 ? text.length : start + end;
  }
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === '"') at = endOfString(text, at) - 1;
    else if (text[at] === '{' || text[at] === '[') depth++;
    else if ((text[at] === '}' || text[at] === ']') && --depth === 0) return at + 1;
  }
  return text.length;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function afterSpace(text: string, at: number): number {
  let next = at;
  while (/\s/.test(text[next] ?? '')) next++;
  return next;
}
