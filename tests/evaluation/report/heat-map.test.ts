// The picture of a matrix: every number where it belongs, colours by sign and size, and texts of others as texts.
import { expect, test } from 'vitest';
import { drawHeatMaps } from '../../../src/evaluation/report/heat-map.ts';

const map = {
  title: 'plain <prompt>',
  rowLabel: 'obtained',
  columnLabel: 'requested',
  names: ['wit', 'a & b'],
  values: [
    [1, -0.25],
    [Number.NaN, 0],
  ],
};

test('a cell for each number, full at the largest size of all', () => {
  const svg = drawHeatMaps('npc', [map]);
  const cells = [...svg.matchAll(/<rect x="(\d+)" y="(\d+)".*?fill="(#\w+)" fill-opacity="([\d.]+)"\/><text[^>]*>([^<]*)</g)];
  expect(cells.map(([, , , colour, opacity, text]) => [colour, opacity, text])).toEqual([
    ['#2f81f7', '0.650', '1.00'],
    ['#d9822b', '0.163', '−0.25'],
    ['#2f81f7', '0.000', '0.00'],
  ]);
  const [first, second, third] = cells.map(([, x, y]) => [Number(x), Number(y)]);
  expect(second![0]).toBeGreaterThan(first![0]!);
  expect(second![1]).toBe(first![1]);
  expect(third).toEqual([second![0], expect.any(Number)]);
  expect(third![1]).toBeGreaterThan(second![1]!);
});

test('matrices stand below each other inside the picture, and names are escaped', () => {
  const [one, two] = [drawHeatMaps('npc', [map]), drawHeatMaps('npc', [map, map])];
  const height = (svg: string) => Number(/height="(\d+)" role/.exec(svg)![1]);
  expect(height(two)).toBeGreaterThan(height(one));
  expect(two).toContain('plain &lt;prompt&gt;');
  expect(two).toContain('a &amp; b');
  expect(two).not.toMatch(/NaN|undefined/);
});
