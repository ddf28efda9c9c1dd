// JSON that is one line for every reader. Some, among them Python's splitlines and Node's readline, also end a line at U+2028, U+2029 or U+0085,
// which JSON may hold as they are.

const lineEnds = /[\u0085\u2028\u2029]/g;

/** The value as JSON on one line, without the line's end. */
export function jsonLine(value: unknown): string {
  return onOneLine(JSON.stringify(value));
}

/** The JSON text with every character escaped that some reader takes for the end of a line. */
export function onOneLine(json: string): string {
  return json.replace(lineEnds, (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
