// Figures as reports write them: Markdown tables that also line up in a terminal, intervals, and numbers without digits that mean nothing.
import { type ChosenLabels, describeLabels } from '../../datasets/label-makers.ts';
import { decimals } from '../../number-text.ts';
import type { Interval } from '../../statistics.ts';

/** A table in Markdown; the first column to the left, figures to the right. Texts of others must have gone through `plain`. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heads, ...rows];
  const widths = heads.map((_, column) => Math.max(3, ...all.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const [head, ...body] = all.map((row) =>
    line(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))),
  );
  const rule = line(widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)));
  return [head, rule, ...body].join('\n');
}

/** A text of anybody as one line of Markdown that means nothing but itself. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').replace(/[\\`*[\]<>|]/g, '\\$&');
}

/** `0.71 [0.65, 0.76]`; a dash for what has no meaning. */
export function intervalText({ value, low, high }: Interval, digits = 2): string {
  if (!Number.isFinite(value)) return '–';
  const range = Number.isFinite(low) && Number.isFinite(high) ? ` [${numberText(low, digits)}, ${numberText(high, digits)}]` : '';
  return `${numberText(value, digits)}${range}`;
}

/** Whose labels a report goes by, as one paragraph; nothing for those of a file. */
export function makersText(makers: ChosenLabels | null): string[] {
  const lines = makers ? describeLabels(makers, null) : [];
  return lines.length > 0 ? [plain(lines.join(' '))] : [];
}

/** A number with `digits` decimals and a true minus, never −0; a dash for what has no meaning. */
export function numberText(value: number, digits = 2): string {
  return Number.isFinite(value) ? decimals(value, digits) : '–';
}

/** A share as per cent. */
export function percent(share: number): string {
  return Number.isFinite(share) ? `${Math.round(100 * share)} %` : '–';
}

/** A copy for JSON: numbers to six digits after the point, null for what is none. */
export function roundedDeep(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? Number(value.toFixed(6)) : null;
  if (Array.isArray(value)) return value.map(roundedDeep);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, roundedDeep(each)]));
}
