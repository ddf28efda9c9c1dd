// Numbers as messages, reports and pages write them.

/** `1 sample`, `3 samples`, `2 replies`: the noun is given for one. */
export function counted(n: number, noun: string): string {
  return `${n} ${n === 1 ? noun : `${noun.replace(/(?<=[^aeiou])y$/, 'ie')}s`}`;
}

/** So many digits behind the point, with a true minus and never −0. */
export function decimals(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−');
}
