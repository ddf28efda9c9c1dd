import { expect, test } from 'vitest';
import { type Chart, drawCharts, escapeXml } from '../../../src/evaluation/report/plot.ts';

const chart: Chart = {
  title: 'humor',
  x: { label: 'asked', min: 0, max: 4 },
  y: { label: 'seen', min: 0, max: 4 },
  lines: [
    {
      name: 'ideal',
      reference: true,
      points: [
        { x: 0, y: 0 },
        { x: 4, y: 4 },
      ],
    },
    {
      name: 'ours',
      points: [
        { x: 0, y: 4 },
        { x: 2, y: Number.NaN },
        { x: 4, y: 99 },
      ],
    },
  ],
};

/** Names of elements that are opened and not closed in order, or the other way round. */
function unbalanced(svg: string): string[] {
  const open: string[] = [];
  for (const [, close, name, alone] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (alone) continue;
    if (!close) open.push(name!);
    else if (open.pop() !== name) return [name!];
  }
  return open;
}

test('points lie where the axes say, and a line skips what is no number', () => {
  const svg = drawCharts('Figures', [chart]);
  // Panels of 260 by 230 with margins of 46, 14, 30 and 42: the axes cross at (46, 188) and end at (246, 30).
  expect(svg).toContain('<path d="M46.0 188.0 L246.0 30.0" fill="none" stroke="currentColor"');
  expect(svg).toContain('<path d="M46.0 30.0 L246.0 30.0" fill="none" stroke="#2f81f7"');
  expect(svg.match(/<circle/g)).toHaveLength(2);
  expect([...svg.matchAll(/text-anchor="end">([^<]+)</g)].map(([, tick]) => tick)).toEqual(['0', '1', '2', '3', '4']);
});

test('a name has one colour and one place in the legend, however many panels', () => {
  const svg = drawCharts('Figures', [chart, chart, { ...chart, lines: [{ ...chart.lines[1]!, name: 'theirs' }] }, chart], 2);
  expect([...svg.matchAll(/>(ideal|ours|theirs)</g)].map(([, name]) => name)).toEqual(['ideal', 'ours', 'theirs']);
  expect(svg).toContain('viewBox="0 0 520 ');
  expect(svg.match(/<g transform/g)).toHaveLength(4);
  expect(svg).toContain('translate(260 ');
});

test('it is a document of its own, on light and dark pages, whatever things are called', () => {
  const evil = '</text><script>alert("&")</script>\u0000\u0007\ud800';
  const svg = drawCharts(evil, [{ ...chart, title: evil, lines: [{ ...chart.lines[1]!, name: evil }] }]);
  for (const none of ['<script', '\u0000', '\u0007', '\ud800']) expect(svg).not.toContain(none);
  expect(unbalanced(svg)).toEqual([]);
  expect(svg).toContain('prefers-color-scheme: dark');
  expect(escapeXml('a < b & "c"')).toBe('a &lt; b &amp; &quot;c&quot;');
});

test('ticks are round and few', () => {
  const labels = (min: number, max: number) => {
    const svg = drawCharts('', [{ ...chart, y: { label: '', min, max } }]);
    return [...svg.matchAll(/text-anchor="end">([^<]+)</g)].map(([, tick]) => Number(tick));
  };
  expect(labels(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(labels(0, 9)).toEqual([0, 2, 4, 6, 8]);
  expect(labels(-1.5, 1.5)).toEqual([-1, 0, 1]);
});
