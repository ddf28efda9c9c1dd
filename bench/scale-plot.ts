// The picture of bench/scale and bench/real-speed: for each thing that grows a panel of tokens a second above one of milliseconds between tokens, both axes logarithmic.
// Plain SVG, readable on a light and on a dark page.

export interface Series {
  name: string;
  at: number[];
  points: ({ speed: number; p50: number; p99: number } | undefined)[];
}

export interface Panel {
  title: string;
  lines: Series[];
}

const [width, height] = [380, 230];
const margin = { left: 64, right: 16, top: 28, bottom: 44 };
/** Height of a row of the legend, and the width of a name in it. */
const legend = 34;
const nameWidth = 174;
const colours = ['#2f81f7', '#d9822b', '#8957e5', '#2da44e', '#cf222e', '#6e7781'];

interface Scale {
  min: number;
  max: number;
  /** Pixels from the low end. */
  length: number;
}

const along = ({ min, max, length }: Scale, value: number) => (Math.log(value / min) / Math.log(max / min)) * length;

/** 1, 2, 5, 10 … around the values. */
function niceTicks(values: number[]): number[] {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const steps = Array.from({ length: 30 }, (_, i) => [1, 2, 5][i % 3]! * 10 ** (Math.floor(i / 3) - 3));
  const first = Math.max(
    0,
    steps.findLastIndex((step) => step <= min),
  );
  const last = steps.findIndex((step) => step >= max);
  return steps.slice(first, last + 1);
}

const short = (value: number) => (value >= 1000 ? `${value / 1000}k` : `${Number(value.toPrecision(3))}`);

/** One set of axes at (left, top) with its lines. */
function drawAxes(
  { title, label, at, ticks }: { title: string; label: string; at: number[]; ticks: number[] },
  drawLines: (x: Scale, y: Scale) => string[],
): string[] {
  const x: Scale = { min: at[0]!, max: at.at(-1)!, length: width - margin.left - margin.right };
  const y: Scale = { min: ticks[0]!, max: ticks.at(-1)!, length: height - margin.top - margin.bottom };
  const bottom = height - margin.bottom;
  const horizontal = ticks.map((tick) => {
    const place = (bottom - along(y, tick)).toFixed(1);
    const line = `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${place}" y2="${place}"/>`;
    return `${line}<text x="${margin.left - 6}" y="${place}" dy="4" text-anchor="end">${short(tick)}</text>`;
  });
  const vertical = at.map((value) => {
    return `<text x="${(margin.left + along(x, value)).toFixed(1)}" y="${bottom + 16}" text-anchor="middle">${value}</text>`;
  });
  const middle = (margin.top + bottom) / 2;
  return [
    ...horizontal,
    ...vertical,
    `<text x="${(margin.left + width - margin.right) / 2}" y="${height - 10}" text-anchor="middle">${title}</text>`,
    `<text transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${label}</text>`,
    ...drawLines(x, y),
  ];
}

function path({ at }: Series, values: (number | undefined)[], x: Scale, y: Scale, style: string): string {
  const bottom = height - margin.bottom;
  const places = values.flatMap((value, i) => {
    return value ? [`${(margin.left + along(x, at[i]!)).toFixed(1)} ${(bottom - along(y, value)).toFixed(1)}`] : [];
  });
  return places.length === 0 ? '' : `<path d="M${places.join(' L')}" fill="none" ${style}/>`;
}

function drawPanel({ title, lines }: Panel): { speed: string[]; gap: string[] } {
  const { at } = lines[0]!;
  const all = lines.flatMap(({ points }) => points.filter((point) => point !== undefined));
  const stroke = (i: number, more = '') => `stroke="${colours[i % colours.length]}" stroke-width="2" ${more}`;
  const speed = drawAxes({ title, label: 'tokens a second', at, ticks: niceTicks(all.map((point) => point.speed)) }, (x, y) =>
    lines.map((line, i) =>
      path(
        line,
        line.points.map((point) => point?.speed),
        x,
        y,
        stroke(i),
      ),
    ),
  );
  const gaps = all.flatMap(({ p50, p99 }) => [p50, p99]).filter((gap) => gap > 0);
  const gap = drawAxes({ title, label: 'ms between tokens', at, ticks: niceTicks(gaps) }, (x, y) =>
    lines.flatMap((line, i) => [
      path(
        line,
        line.points.map((point) => point?.p50),
        x,
        y,
        stroke(i),
      ),
      path(
        line,
        line.points.map((point) => point?.p99),
        x,
        y,
        stroke(i, 'stroke-dasharray="4 4" opacity="0.8"'),
      ),
    ]),
  );
  return { speed, gap };
}

/** Panels beside each other, their legend on top. */
export function drawPanels(panels: Panel[]): string {
  const names = panels[0]!.lines.map(({ name }) => name);
  const fullWidth = panels.length * width;
  const inRow = Math.floor((fullWidth - margin.left) / nameWidth);
  const place = (i: number) => ({ left: margin.left + (i % inRow) * nameWidth, y: 18 + Math.floor(i / inRow) * 18 });
  const key = names.map((name, i) => {
    const { left, y } = place(i);
    return `<line x1="${left}" x2="${left + 22}" y1="${y}" y2="${y}" stroke="${colours[i % colours.length]}" stroke-width="2"/><text x="${left + 28}" y="${y + 4}">${name}</text>`;
  });
  const { left, y } = place(names.length);
  const top = legend + y - 18;
  const notes = `<text x="${left}" y="${y + 4}">solid: median, dashed: p99</text>`;
  const drawn = panels.map(drawPanel);
  const group = (column: number, row: number, content: string[]) =>
    `<g transform="translate(${column * width} ${top + row * height})">\n${content.filter((part) => part !== '').join('\n')}\n</g>`;
  const fullHeight = top + 2 * height;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${fullWidth} ${fullHeight}" width="${fullWidth}" height="${fullHeight}" role="img">
<title>Speed and latency as the number of replies and the context grow</title>
<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.grid { stroke: #d1d9e0; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.grid { stroke: #3d444d }
}
</style>
${[...key, notes].join('\n')}
${drawn.flatMap(({ speed, gap }, column) => [group(column, 0, speed), group(column, 1, gap)]).join('\n')}
</svg>
`;
}
