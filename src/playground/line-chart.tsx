// Lines over a common x, drawn by uPlot; the figures stand beside it in words for those who cannot see it.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
  label: string;
  /** One value for each x; null leaves a gap. */
  values: (number | null)[];
  /** Drawn thin, as the end of an interval. */
  thin?: boolean;
}

interface LineChartProps {
  /** Says what is shown, for those who hear the page. */
  title: string;
  xLabel: string;
  xs: number[];
  lines: Line[];
  /** Both ends of the y axis; absent lets the values decide. */
  range?: [number, number];
  height?: number;
  /** Values stand until the next one, instead of being joined. */
  stepped?: boolean;
  legend?: boolean;
}

const hues = [221, 27, 150, 330, 265, 190];

/** Of the y axis: its ticks with what is left free beside them, a digit of its numbers, and how many it has room for at least. */
const axisGapPx = 20;
const digitPx = 8;
const leastDigits = 4;

/** What the legend says: the value under the pointer, and while there is none the last. */
function told(chart: uPlot, _value: number, series: number, at: number | null): string {
  const values = chart.data[series] as (number | null | undefined)[];
  const value = typeof at === 'number' ? values[at] : values.findLast((each) => typeof each === 'number');
  return typeof value === 'number' ? `${Number(value.toPrecision(4))}` : '';
}

/** uPlot draws on a canvas, which knows no CSS variables. */
function drawn(i: number): string {
  const dark = getComputedStyle(document.documentElement).colorScheme.includes('dark');
  return `hsl(${hues[i % hues.length]} 65% ${dark ? 65 : 42}%)`;
}

export function LineChart({ title, xLabel, xs, lines, range, height = 220, stepped = false, legend = true }: LineChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const labels = lines.map(({ label }) => label).join();
  useEffect(() => {
    const element = place.current as HTMLDivElement;
    const ink = getComputedStyle(element).color;
    const faint = getComputedStyle(element).borderTopColor;
    const axis = { stroke: ink, grid: { stroke: faint, width: 1 }, ticks: { stroke: faint, width: 1 } };
    const paths = stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
    const options: uPlot.Options = {
      width: element.clientWidth,
      height,
      legend: { show: legend },
      scales: { x: { time: false }, y: range ? { range: () => range } : {} },
      axes: [
        { ...axis, label: xLabel, labelSize: 20, size: 32 },
        {
          ...axis,
          // As wide as the longest number, which a small rate fills.
          size: (_chart, ticks) => axisGapPx + digitPx * Math.max(leastDigits, ...(ticks ?? []).map((tick) => tick.length)),
          values: (_chart, ticks) => ticks.map((tick) => `${Number(tick.toPrecision(3))}`),
        },
      ],
      series: [
        { label: xLabel, value: told },
        ...lines.map(({ label, thin }, i) => {
          const line = thin
            ? { stroke: drawn(0), width: 1, dash: [3, 3], points: { show: false } }
            : { stroke: drawn(i), width: 2 };
          return { label, value: told, spanGaps: true, ...line, ...(paths ? { paths } : {}) };
        }),
      ],
    };
    chart.current = new uPlot(options, [xs, ...lines.map(({ values }) => values)], element);
    const watch = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      chart.current?.destroy();
    };
  }, [labels, xLabel, height]);
  useEffect(() => chart.current?.setData([xs, ...lines.map(({ values }) => values)]), [xs, lines]);
  const last = lines.map(
    ({ label, values }) => `${label} ${values.findLast((value) => value !== null)?.toFixed(3) ?? 'nothing'}`,
  );
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <div ref={place} class="chart" role="img" aria-label={`${title}: ${last.join(', ')}`} />
    </figure>
  );
}
