// A model fetched from the page in a real browser, from a hub on this machine.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pullJob } from '../../src/pulling/pull-job.ts';
import { openWorkshop, type Workshop } from '../jobs/workshop.ts';
import { openPlace } from '../pulling/pulling.ts';
import { servePlayground } from './served.ts';

const place = openPlace();
const served = servePlayground();
let workshop: Workshop;

beforeEach(async () => {
  const settings = { pulledDir: place.at('data', 'models'), modelsDir: place.at('models'), hub: place.settings() };
  workshop = await openWorkshop(served.store, [pullJob(settings, { refresh: async () => {} })]);
});
afterEach(() => workshop.close());

test('a model is named and fetched, how far it is can be seen, and the page has no barriers', async () => {
  place.hub.cuts = [5000];
  const { page, see, press, fill, attribute, barriers } = await served.go('/#play');
  await press('button', '+ Fetch a model');
  await fill('Name of the catalogue, or owner/repository of the hub', 'maker/tiny-GGUF');
  await press('button', 'Fetch it');
  await see(/0\.0 MB of 0\.\d MB/);
  expect(await attribute('progress[aria-label="Fetched"]', 'max')).toBe(String(place.tiny.gguf.length));
  expect(await barriers()).toEqual([]);
  place.hub.taken();
  await see('tiny is here.');
  expect(await page.$('progress')).toBeNull();
  expect(place.there()).toEqual(['default', 'tiny']);
});

test('what cannot be fetched is told in the words of the server', async () => {
  const { see, press, fill } = await served.go('/#play');
  await press('button', '+ Fetch a model');
  await fill('Name of the catalogue, or owner/repository of the hub', 'maker/none');
  await press('button', 'Fetch it');
  await see('no such repository, or a private one');
});
