// What callers may write and Postgres cannot hold.

/**
 * The value with what Postgres cannot hold replaced. Works on the JSON text, where both kinds of character are always escapes; an escaped
 * backslash before a `u` is not one.
 */
export function storable<T>(value: T): T {
  const text = JSON.stringify(value).replace(/\\\\|\\u(?:0000|d[89a-f][0-9a-f]{2})/g, (found) => {
    return found.startsWith('\\u') ? '\\ufffd' : found;
  });
  return JSON.parse(text) as T;
}
