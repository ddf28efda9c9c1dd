// The dials of a model's steering vectors on the page.
import { expect, test } from 'vitest';
import { steeringVectors } from '../../src/model/vectors/kept-vectors.ts';
import { giveVectors, numbersFor, openScratch } from '../model/vectors/vector-files.ts';
import { writeTinyModel } from '../tiny-model.ts';
import { servePlayground } from './served.ts';

const served = servePlayground();
const scratch = openScratch();

test('a model that has steering vectors has a dial for each, and what is turned is asked for', async () => {
  const folder = scratch('tiny');
  await writeTinyModel(folder, { kind: 'steered', name: 'parrot', layers: 3 });
  await giveVectors(folder, { happy: await numbersFor(folder, 1, 1), sad: await numbersFor(folder, 2, 1) });
  const vectors = steeringVectors(folder, 'parrot');
  Object.assign(served.parrot, { vectors });
  served.house.shelf.vectors = { [served.parrot.id]: [...(await vectors.list())] };
  const { page, see, press, count } = await served.go('/#play');
  await see('sad');
  const atRest = 'input[aria-valuetext="0, not added"]';
  expect(await count(atRest)).toBe(2);
  await page.focus(atRest);
  for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowRight');
  await expect.poll(() => count('input[aria-valuetext="0.4"]')).toBe(1);
  await press('button', 'Say it');
  await see(/word\d+ word\d+/);
  expect(served.parrot.requests[0]!.phases![0]!.vectorSum).toEqual(await vectors.sum({ happy: 0.4 }));
});

test('one without has none', async () => {
  const { see, count } = await served.go('/#play');
  await see('strength');
  expect(await count('input[aria-valuetext="0, not added"]')).toBe(0);
});
