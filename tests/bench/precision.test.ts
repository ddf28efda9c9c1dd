// What fewer bits cost stands twice: on the shipped model's card, for those who choose a precision, and among the results.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { precisionTable } from '../../bench/precision.ts';
import { readModelCard } from '../../src/model/model-folder.ts';

it('is the same in both places', async () => {
  const { measured } = await readModelCard('models/npc');
  expect(readFileSync('bench/results/engine.md', 'utf8')).toContain(precisionTable(measured!.precision!));
});
