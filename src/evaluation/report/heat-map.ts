// A matrix as coloured cells with their numbers, plain SVG, readable on a light and on a dark page.
import { decimals } from '../../number-text.ts';
import { escapeXml, picture } from './plot.ts';

export interface HeatMap {
  title: string;
  /** Beside the rows and above the columns as a whole. */
  rowLabel: string;
  columnLabel: string;
  names: readonly string[];
  /** [row][column]; what is no number is left blank. */
  values: readonly (readonly number[])[];
}

const cell = { width: 74, height: 34 };
const [left, top] = [150, 78];
const gap = 40;
/** Room for the title. */
const leastWidth = 400;

/** Several matrices below each other. Colour is full at the largest size of any value, blue above 0 and orange below. */
export function drawHeatMaps(title: string, maps: readonly HeatMap[]): string {
  const sizes = maps.flatMap(({ values }) => values.flat()).filter(Number.isFinite);
  const most = Math.max(1e-9, ...sizes.map(Math.abs));
  let down = 30;
  const parts = maps.map((map) => {
    const part = `<g transform="translate(0 ${down})">\n${drawMap(map, most).join('\n')}\n</g>`;
    down += top + map.names.length * cell.height + gap;
    return part;
  });
  const columns = Math.max(1, ...maps.map(({ names }) => names.length));
  return picture(title, { width: Math.max(leastWidth, left + columns * cell.width + 20), height: down }, parts);
}

function drawMap({ title, rowLabel, columnLabel, names, values }: HeatMap, most: number): string[] {
  const across = left + (names.length * cell.width) / 2;
  return [
    `<text class="title" x="${left}" y="18">${escapeXml(title)}</text>`,
    `<text x="${across}" y="${top - 30}" text-anchor="middle">${escapeXml(columnLabel)}</text>`,
    `<text x="16" y="${top - 10}">${escapeXml(rowLabel)}</text>`,
    ...names.map((name, i) => {
      const x = left + (i + 0.5) * cell.width;
      return `<text x="${x}" y="${top - 10}" text-anchor="middle">${escapeXml(shortened(name))}</text>`;
    }),
    ...names.map((name, i) => {
      const y = top + (i + 0.5) * cell.height;
      return `<text x="${left - 10}" y="${y}" dy="4" text-anchor="end">${escapeXml(name)}</text>`;
    }),
    ...values.flatMap((row, i) => row.map((value, j) => drawCell(value, i, j, most))),
  ];
}

function drawCell(value: number, row: number, column: number, most: number): string {
  const [x, y] = [left + column * cell.width, top + row * cell.height];
  if (!Number.isFinite(value)) return '';
  const colour = value < 0 ? '#d9822b' : '#2f81f7';
  // Never so full that the number on it, in the colour of the page's text, could not be read.
  const strength = (0.65 * Math.abs(value)) / most;
  const box = `<rect x="${x}" y="${y}" width="${cell.width - 2}" height="${cell.height - 2}" rx="3" fill="${colour}" fill-opacity="${strength.toFixed(3)}"/>`;
  return `${box}<text x="${x + cell.width / 2 - 1}" y="${y + cell.height / 2}" dy="3" text-anchor="middle">${decimals(value, 2)}</text>`;
}

const shortened = (name: string) => (name.length > 11 ? `${name.slice(0, 10)}…` : name);
