// Line charts as plain SVG: panels beside each other under one legend, readable on a light and on a dark page.

export interface Line {
  /** Lines of one name have one colour, and one place in the legend. */
  name: string;
  /** In order of x; those that are no numbers are left out. */
  points: readonly { x: number; y: number }[];
  /** Drawn in the colour of the text, dashed and without marks: what others are compared to. */
  reference?: boolean;
}

export interface Axis {
  label: string;
  min: number;
  max: number;
}

export interface Chart {
  title: string;
  x: Axis;
  y: Axis;
  lines: readonly Line[];
}

const [width, height] = [260, 230];
const margin = { left: 46, right: 14, top: 30, bottom: 42 };
const [heading, legendRow] = [34, 22];
/** Apart from each other on white and on black, and for most who tell colours apart badly. */
const colours = ['#2f81f7', '#d9822b', '#8957e5', '#1f9d63', '#d1477a', '#8a8f98'];
/** Widest that a character of the text usually is. */
const letter = 7;

/** A text as SVG and HTML take it. Characters that XML has no place for are left out. */
export function escapeXml(text: string): string {
  const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is left out
  return text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu, '').replace(/[&<>"']/g, (mark) => named[mark]!);
}

/** One picture of all charts, `columns` in a row. */
export function drawCharts(title: string, charts: readonly Chart[], columns = 3): string {
  const across = Math.max(1, Math.min(columns, charts.length));
  const names = new Map<string, Line>();
  for (const line of charts.flatMap(({ lines }) => lines)) if (!names.has(line.name)) names.set(line.name, line);
  const coloured = [...names.values()].filter(({ reference }) => !reference).map(({ name }) => name);
  const strokes = (line: Line) =>
    line.reference
      ? 'stroke="currentColor" stroke-opacity="0.45" stroke-dasharray="4 4"'
      : `stroke="${colours[coloured.indexOf(line.name) % colours.length]}" stroke-width="2"`;
  const fullWidth = Math.max(across * width, margin.left + letter * title.length);
  const legendWidth = 46 + letter * Math.max(0, ...[...names.keys()].map((name) => name.length));
  const perRow = Math.max(1, Math.floor((fullWidth - margin.left) / legendWidth));
  const top = heading + Math.ceil(names.size / perRow) * legendRow;
  const key = [...names.values()].map((line, i) => {
    const [x, y] = [margin.left + (i % perRow) * legendWidth, heading + Math.floor(i / perRow) * legendRow + 8];
    return `<line x1="${x}" x2="${x + 22}" y1="${y}" y2="${y}" ${strokes(line)}/><text x="${x + 28}" y="${y + 4}">${escapeXml(line.name)}</text>`;
  });
  const panels = charts.map((chart, i) => {
    const place = `translate(${(i % across) * width} ${top + Math.floor(i / across) * height})`;
    return `<g transform="${place}">\n${drawChart(chart, strokes).join('\n')}\n</g>`;
  });
  return picture(title, { width: fullWidth, height: top + Math.ceil(charts.length / across) * height }, [...key, ...panels]);
}

/** An SVG document with the house's text style. */
export function picture(title: string, size: { width: number; height: number }, content: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" role="img">
<title>${escapeXml(title)}</title>
<style>
svg { color: #1f2328 }
text { font: 12px system-ui, sans-serif; fill: currentColor }
.title { font-weight: 600 }
.grid { stroke: currentColor; stroke-opacity: 0.15 }
@media (prefers-color-scheme: dark) { svg { color: #e6edf3 } }
</style>
<text class="title" x="${margin.left}" y="20">${escapeXml(title)}</text>
${content.join('\n')}
</svg>
`;
}

function drawChart({ title, x, y, lines }: Chart, strokes: (line: Line) => string): string[] {
  const [right, bottom] = [width - margin.right, height - margin.bottom];
  const across = (value: number) => (margin.left + share(x, value) * (right - margin.left)).toFixed(1);
  const up = (value: number) => (bottom - share(y, value) * (bottom - margin.top)).toFixed(1);
  const [middleX, middleY] = [(margin.left + right) / 2, (margin.top + bottom) / 2];
  return [
    `<text class="title" x="${middleX}" y="20" text-anchor="middle">${escapeXml(title)}</text>`,
    ...ticks(y).map((tick) => {
      const line = `<line class="grid" x1="${margin.left}" x2="${right}" y1="${up(tick)}" y2="${up(tick)}"/>`;
      return `${line}<text x="${margin.left - 6}" y="${up(tick)}" dy="4" text-anchor="end">${tick}</text>`;
    }),
    ...ticks(x).map((tick) => `<text x="${across(tick)}" y="${bottom + 16}" text-anchor="middle">${tick}</text>`),
    `<text x="${middleX}" y="${height - 8}" text-anchor="middle">${escapeXml(x.label)}</text>`,
    `<text transform="translate(14 ${middleY}) rotate(-90)" text-anchor="middle">${escapeXml(y.label)}</text>`,
    ...lines.flatMap((line) => drawLine(line, strokes(line), { across, up })),
  ];
}

interface Scales {
  across(value: number): string;
  up(value: number): string;
}

function drawLine({ points, reference }: Line, stroke: string, { across, up }: Scales): string[] {
  const places = points.flatMap(({ x, y }) => (Number.isFinite(x) && Number.isFinite(y) ? [[across(x), up(y)] as const] : []));
  if (places.length === 0) return [];
  const path = `<path d="M${places.map(([x, y]) => `${x} ${y}`).join(' L')}" fill="none" ${stroke}/>`;
  if (reference) return [path];
  return [path, ...places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="none" ${stroke}/>`)];
}

/** Place on the axis from 0 to 1; what lies beyond it is drawn at its end. */
function share({ min, max }: Axis, value: number): number {
  return Math.min(1, Math.max(0, (value - min) / (max - min)));
}

/** Round numbers within the axis, at most six or so: steps of 1, 2 or 5. */
function ticks({ min, max }: Axis): number[] {
  const size = 10 ** Math.floor(Math.log10((max - min) / 5));
  const step = [1, 2, 5, 10].map((times) => times * size).find((each) => (max - min) / each <= 5.0001)!;
  const first = Math.ceil(min / step - 1e-9);
  const count = Math.floor(max / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(6)));
}
