// What the page makes of a model that nobody trained on labels.
import { expect, test } from 'vitest';
import { PupilModel } from '../http/pupil-model.ts';
import { servePlayground } from './served.ts';

const served = servePlayground();
const says = 'textarea';

test('it is asked as itself and in words, its dials stay open until they are moved, and it is not measured', async () => {
  const pupil = new PupilModel();
  served.house.shelf.languages = [served.parrot, pupil];
  const { page, see, press, attribute, count } = await served.go('/#play');
  const written = () => page.$$eval(says, (boxes) => boxes.map(({ value }) => value));
  await see('best of');
  expect((await written())[0]).toContain('Marta');
  await page.select('select[aria-describedby]', 'pupil');
  await see('complexity');
  expect(await written()).toEqual(['', 'Why is the sky blue?']);
  expect(await count('input[aria-label^="leave "]:checked')).toBe(pupil.schema.attributes.length);
  expect(await see('strength')).not.toContain('best of');

  await press('checkbox', 'leave verbosity open');
  await page.focus('[aria-label="verbosity"]');
  for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowLeft');
  await expect.poll(() => attribute('[aria-label="verbosity"]', 'aria-valuetext')).toMatch(/^0, /);
  await press('button', 'Say it');
  await see(/word\d+ word\d+/);
  expect(await see('asked for; not measured')).not.toContain('asked for and measured');
  expect(await attribute('[role="img"][aria-label^="verbosity:"]', 'aria-label')).toBe('verbosity: asked for 0, not measured');
  expect(await count('.bars tr:first-child td')).toBe(2);
  await press('button', 'Show the exact prompt');
  await see(pupil.schema.attributes.find(({ name }) => name === 'verbosity')!.instructions![0]!);
});

test('what was written before another model was chosen stays', async () => {
  served.house.shelf.languages = [served.parrot, new PupilModel()];
  const { page, see, fill } = await served.go('/#play');
  await see('best of');
  await fill('What you say', 'Who are you?');
  await page.select('select[aria-describedby]', 'pupil');
  await see('complexity');
  expect(await page.$$eval(says, (boxes) => boxes.map(({ value }) => value))).toEqual(['', 'Who are you?']);
});

test('choosing a model asks nothing; what was said before is asked again on demand', async () => {
  const pupil = new PupilModel();
  served.house.shelf.languages = [served.parrot, pupil];
  const { page, see, press } = await served.go('/#play');
  await press('button', 'Say it');
  await see(/tokens? in \d+ ms/);
  await page.select('select[aria-describedby]', 'pupil');
  await see('complexity');
  await press('button', 'Again');
  await see(/tokens? in \d+ ms/);
  await press('button', 'Compare two settings');
  await page.waitForSelector('section[aria-label="Right"]');
  await press('button', 'Say it');
  await expect.poll(() => pupil.requests.length).toBe(3);
  await page.waitForNetworkIdle();
  expect([served.parrot.requests.length, pupil.requests.length]).toEqual([1, 3]);
});
