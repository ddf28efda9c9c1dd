// Reading the fields of a JSON schema: their shapes, and the references between its parts. Knows no expression.
import { unsupported } from './expression.ts';

export type Schema = Record<string, unknown>;

/** What a local reference points at. */
export function resolve(root: unknown, reference: string, where: string): unknown {
  let target = root;
  for (const part of reference.split('/').slice(1)) {
    const name = unescapePointer(part);
    const inside = typeof target === 'object' && target !== null && Object.hasOwn(target, name);
    target = inside ? (target as Schema)[name] : undefined;
  }
  if (target !== undefined && /^#(\/|$)/.test(reference)) return target;
  throw unsupported(where, `expected a reference to a part of this schema, such as #/$defs/name, found ${short(reference)}.`);
}

function unescapePointer(part: string): string {
  const plain = /%[0-9A-Fa-f]{2}/.test(part) ? decodeOr(part) : part;
  return plain.replaceAll('~1', '/').replaceAll('~0', '~');
}

function decodeOr(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

export function record(value: unknown, where: string, what: string): Schema {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Schema;
  throw unsupported(where, `expected ${what}, found ${short(value)}.`);
}

export function list(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value;
  throw unsupported(where, `expected a list of at least one, found ${short(value)}.`);
}

export function names(value: unknown, where: string): string[] {
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
  throw unsupported(where, `expected a list of names, found ${short(value)}.`);
}

export function string(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw unsupported(where, `expected a string, found ${short(value)}.`);
}

export function short(value: unknown): string {
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
