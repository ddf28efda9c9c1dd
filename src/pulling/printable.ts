// Text of strangers, such as a file's name, as it may be shown.

/** Without what steers a terminal. */
export function printable(text: string): string {
  return text.replace(/\p{C}+/gu, ' ');
}
