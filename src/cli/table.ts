// Figures as they are written out: small tables for a terminal, first column to the left and figures to the right, and numbers in JSON.
import { decimals } from '../number-text.ts';

/** Lines of an aligned table under its heads. */
export function formatTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heads, ...rows];
  const widths = heads.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const cells = (row: readonly string[]) =>
    widths.map((width, column) => (column === 0 ? (row[column] ?? '').padEnd(width) : (row[column] ?? '').padStart(width)));
  return all.map((row) => cells(row).join('  ').trimEnd()).join('\n');
}

/** A figure with `digits` decimals; a dash where there is none. */
export function figure(value: number | null | undefined, digits = 2): string {
  return value === null || value === undefined || !Number.isFinite(value) ? '–' : decimals(value, digits);
}

/** The number without the digits that float32 does not hold. */
export function rounded(value: number): number {
  return Number(value.toFixed(6));
}
