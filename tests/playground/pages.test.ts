// The pages in a real browser: everything a person does on them, and what has become of it on the server.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ElementHandle } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createApp } from '../../src/http/app.ts';
import { createLog } from '../../src/http/log.ts';
import { openSite, quick, ratedLines, type Site } from '../finetuning/workshop.ts';
import { ParrotModel } from '../http/small-models.ts';
import { openWorkshop, type Workshop } from '../jobs/workshop.ts';
import { base64, oddCard, png, text } from '../npc/odd-card.ts';
import { servePlayground } from './served.ts';

class Named extends ParrotModel {
  override readonly id: string;

  constructor(id: string) {
    super();
    this.id = id;
  }
}
const longName = `ft:${'long-name-'.repeat(8)}`;

const served = servePlayground();

describe('play', () => {
  test('a slider is moved by keys, a reply is written, measured and rated, and the rating is in the dataset', async () => {
    const { page, see, press, attribute, count } = await served.go('/#play');
    await page.focus('[aria-label="humor"]');
    for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowRight');
    await expect.poll(() => attribute('[aria-label="humor"]', 'aria-valuetext')).toMatch(/^3, /);
    await press('button', 'Say it');
    await see(/word\d+ word\d+ word\d+ word\d+/);
    expect(await attribute('[role="img"][aria-label^="humor:"]', 'aria-label')).toBe('humor: asked for 3, measured 4.0');
    await expect.poll(() => count('[role="img"][aria-label*="asked for"]')).toBe(6);
    await page.click('[aria-label^="humor 2,"]');
    await see('humor 2, kept as me');
    await press('button', 'I like it');
    await see('thumb up, kept as me');
    const given = await served.ask<{ data: { ratings: object | null; thumb: string | null }[] }>('/v1/feedback?rater=me');
    expect(given.data.map(({ ratings, thumb }) => [ratings, thumb])).toEqual([
      [null, 'up'],
      [{ humor: 2 }, null],
    ]);
    await served.ask('/v1/feedback/harvest', { dataset: 'taste', rules: { min_raters: 1 } });
    const datasets = await served.go('/#datasets');
    await datasets.see('taste @1');
    await datasets.page.click('nav.list a');
    await datasets.see(/humor 2\s*consensus of 1/);
    expect(await datasets.attribute('[role="img"][aria-label^="humor by human"]', 'aria-label')).toContain('1 at 2');
  });

  test('what a model says of itself stands beside its name, for readers of screens too', async () => {
    served.house.shelf.descriptions[served.parrot.id] = 'Repeats what it hears.';
    const { page, see } = await served.go('/#play');
    await see('Repeats what it hears.');
    const described = await page.accessibility.snapshot({ interestingOnly: false });
    expect(JSON.stringify(described)).toContain('"description":"Repeats what it hears."');
  });

  test('two people who rate one reply alike are both heard, and each sees the own stars', async () => {
    const { page, see, press, fill, count } = await served.go('/#play');
    await press('button', 'Say it');
    await see(/word\d+ word\d+ word\d+ word\d+/);
    const stars = '[aria-label^="humor 2,"]';
    for (const rater of ['ann', 'bo']) {
      await fill('You rate as', rater);
      expect(await count(`${stars}:checked`)).toBe(0);
      await page.click(stars);
      await see(`humor 2, kept as ${rater}`);
      expect(await count('[aria-pressed="true"]')).toBe(0);
      await press('button', 'I like it');
      await see(`thumb up, kept as ${rater}`);
    }
    await fill('You rate as', 'ann');
    await expect.poll(() => count(`${stars}:checked`)).toBe(1);
    const { data } = await served.ask<{ data: { rater: string; completion_id: string; ratings: object | null }[] }>(
      '/v1/feedback?kind=rating&limit=2',
    );
    expect(data.map(({ rater, ratings }) => [rater, ratings])).toEqual([
      ['bo', { humor: 2 }],
      ['ann', { humor: 2 }],
    ]);
    expect(data[0]!.completion_id).toBe(data[1]!.completion_id);
  });

  test('what is asked is what the server hears: values, open attributes, strength and candidates, in two columns', async () => {
    const { page, see, press } = await served.go('/#play');
    await press('button', 'Compare two settings');
    const right = await page.waitForSelector('section[aria-label="Right"]');
    const dialsIn = (name: string) =>
      page.$$eval(`section[aria-label="${name}"] .slider output`, (told) => told.map(({ textContent }) => textContent));
    const [left, beside] = [await dialsIn('Left'), await dialsIn('Right')];
    expect([left[0], beside[0], beside.slice(1)]).toEqual(['4', '0', left.slice(1)]);
    await right!.$eval('[aria-label="leave humor open"]', (box) => (box as HTMLInputElement).click());
    await right!.$eval('input[aria-valuetext^="1, the plain"]', (slider) => {
      const input = slider as HTMLInputElement;
      input.value = '2';
      input.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await press('button', 'Say it');
    await see(/word\d+[\s\S]*word\d+/);
    await expect.poll(() => served.parrot.requests.length).toBe(2);
    const branches = served.parrot.requests.map(({ phases }) => phases?.[0]?.branches.map(({ weight }) => weight));
    expect(branches).toEqual(expect.arrayContaining([undefined, [2, -1]]));
    const asked = await served.ask<{ data: { choices: { steering: { requested: object } }[] }[] }>(
      '/v1/chat/completions?limit=2&order=desc',
    );
    expect(asked.data.map(({ choices }) => choices[0]!.steering.requested)).toEqual(
      expect.arrayContaining([expect.objectContaining({ humor: null }), expect.objectContaining({ humor: 0 })]),
    );
  });

  test('the exact prompt is shown, and a reply can be stopped', async () => {
    const { see, press } = await served.go('/#play');
    served.parrot.stays = true;
    await press('button', 'Say it');
    await see(/word\d+/);
    await press('button', 'Stop');
    expect(await served.parrot.ended).toBe('cancelled');
    await press('button', 'Show the exact prompt');
    await see('<extra_id_1>User\nCan you tell me the way to the market?');
  });

  test('what the server refuses is told in its words', async () => {
    const { see, press, fill, count, faults } = await served.go('/#play');
    await fill('What you say', 'x'.repeat(600));
    await press('button', 'Say it');
    await see('Expected prompt and reply within 512 tokens');
    expect(await count('[role="alert"]')).toBe(1);
    faults.splice(0, 9);
  });
});

describe('characters', () => {
  test('one is met, insulted and gone back on, and its mood moves with what happens', async () => {
    const { page, see, press, fill, attribute } = await served.go('/#npcs');
    await see('No character yet');
    await press('button', 'Make Marta');
    await press('button', 'Begin');
    await see('Sit down, Wanderer');
    await press('button', 'player.insulted');
    await see(/toxicity\s+2\.00\s+0\.00 \+ 0\.30 relationship \+ 2\.00 player\.insulted/);
    await fill('Say something to Marta', 'Good evening');
    await press('button', 'Say it');
    await see(/Good evening[\s\S]*word\d+/);
    const chart = () => attribute('[role="img"][aria-label^="Mood over time"]', 'aria-label');
    await expect.poll(chart).toContain('toxicity 2.000');
    await press('button', 'I like it');
    await see('Kept. It takes thumbs both up and down');
    await page.click('[aria-label="Go back to before: player.insulted"]');
    await see(/toxicity\s+0\.00\s+0\.00/);
    const { data } = await served.ask<{ data: { id: string; entries: number }[] }>('/v1/npcs/marta/sessions');
    expect(data[0]!.entries).toBe(1);
  });
});

test('a character card is read from a file, and a broken one is refused in words', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'steer-cards-'));
  const card = png(text('chara', base64(oddCard)));
  writeFileSync(join(folder, 'good.png'), card);
  writeFileSync(join(folder, 'broken.png'), card.subarray(0, 200));
  const { page, see, faults } = await served.go('/#npcs');
  const choose = async (name: string) => {
    const input = (await page.waitForSelector('input[type="file"]')) as ElementHandle<HTMLInputElement>;
    await input.uploadFile(join(folder, name));
  };
  await choose('broken.png');
  await see('says it has');
  await choose('good.png');
  await see('Meet Serafin as');
  await see('Serafin guards the gate of Thornwall.');
  await choose('good.png');
  await expect.poll(() => page.$$eval('nav.list a', (links) => links.length)).toBe(2);
  const listed = await page.$$eval('nav.list a', (links) => links.map(({ textContent }) => textContent));
  expect(new Set(listed).size).toBe(2);
  expect(listed.join()).not.toContain('{{');
  faults.splice(0, 9);
  rmSync(folder, { recursive: true });
});

describe('reports', () => {
  test('how closely a model follows, what is obtained, and what each dial moves', async () => {
    const { page, see, press, count } = await served.go('/#reports');
    await see('How closely it follows');
    await expect.poll(() => count('section[aria-label="Calibration"] [role="img"]')).toBe(6);
    const curves = await page.$$eval('section[aria-label="Calibration"] [role="img"]', (images) =>
      images.map((image) => image.getAttribute('aria-label')),
    );
    expect(curves).toHaveLength(6);
    expect(curves[3]).toMatch(/^verbosity: obtained 3\.\d+, low \d/);
    await expect.poll(() => count('.heat td')).toBe(36);
    await press('button', 'shuffled-labels');
    await see('Obtained for what is asked, shuffled-labels');
  });
});

test('checkpoints stand folded under the model of their run, the latest first', async () => {
  const steps = (run: string, ...at: number[]) => at.map((step) => new Named(`${run}:ckpt-step-${step}`));
  const [over, going] = ['ft:npc::00000001', 'ft:npc::00000002'];
  served.house.shelf.languages.push(...steps(over, 5, 10, 20), ...steps(going, 5), new Named(over));
  const reports = await served.go('/#reports');
  const listed = await reports.see('3 checkpoints');
  expect(listed).toContain(`1 checkpoint of ${going}`);
  expect(listed).not.toContain('step 20');
  await reports.page.click('details summary');
  await reports.see(/step 20\s[\s\S]*step 10\s[\s\S]*step 5\s/);
  const play = await served.go('/#play');
  await play.see('What you say');
  const groups = await play.page.$$eval('optgroup', (found) => {
    return found.map(({ label, children }) => [label, ...[...children].map((option) => (option as HTMLOptionElement).value)]);
  });
  expect(groups).toEqual([
    [`Checkpoints of ${over}`, ...[20, 10, 5].map((step) => `${over}:ckpt-step-${step}`)],
    [`Checkpoints of ${going}`, `${going}:ckpt-step-5`],
  ]);
  expect(await play.count('select > option')).toBeGreaterThan(1);
});

describe('training runs', () => {
  let site: Site;
  let workshop: Workshop;
  beforeAll(async () => {
    site = await openSite(served.store);
    workshop = await openWorkshop(served.store, [site.definition]);
  });
  afterAll(async () => {
    await workshop.close();
    await site.close();
  });

  test('a run is watched while it learns, and cancelled', async () => {
    const app = createApp({ models: site.models, config: readConfig({}), log: createLog('silent'), db: served.store.db });
    await served.serve(app);
    const training = await site.upload(ratedLines(400));
    const long = { ...quick, n_epochs: 1_000, checkpoint_every: 40, evaluate_every: 20 };
    const { id } = await site.make({ training, hyperparameters: long });
    const { page, see, press, attribute } = await served.go('/#runs');
    await see('steerlm on base');
    await page.click('nav.list a');
    await see(/running\s+\d+ of \d+ steps, from base/);
    const chart = () => attribute('[role="img"][aria-label^="Nats per token"]', 'aria-label');
    await expect.poll(chart, { timeout: 20_000 }).toMatch(/training \d+\.\d+, held out \d+\.\d+/);
    const before = await chart();
    // Without a pointer over it, the legend tells the last.
    await see(/step\s*\d+\s*training\s*\d+\.\d+\s*held out\s*\d+\.\d+/);
    await expect.poll(chart, { timeout: 20_000 }).not.toBe(before);
    await see(/ft:base::?[\w-]+:ckpt-step-40|40\s+\d\.\d+/);
    await press('button', 'Cancel');
    await see('cancelled');
    expect((await workshop.ended(id)).status).toBe('cancelled');
  });
});

describe('people', () => {
  test('raters and the leaderboard, and a rater is left out', async () => {
    const { id } = await served.ask<{ id: string }>('/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }] });
    await served.ask('/v1/feedback', { rater: 'ann', completion_id: id, ratings: { humor: 1 } });
    const { see, page } = await served.go('/#people');
    await see('ann');
    await page.locator('::-p-xpath(//tr[th[starts-with(., "ann")]]//button)').click();
    await see('Let it count');
    expect(await served.ask<{ weight: number }>('/v1/raters/ann')).toMatchObject({ weight: 0 });
  });
});

// After the others, which leave datasets, a run and raters for the lists.
test.each(['play', 'npcs', 'datasets', 'runs', 'reports', 'people'])(
  '%s has no barrier, light and dark, and fits a phone',
  async (name) => {
    served.house.shelf.languages.push(new Named(longName), new Named(`${longName}:ckpt-step-4`));
    await served.ask('/v1/npcs', { id: `n${Math.random().toString(36).slice(2)}`, name: 'Olin', persona: 'You are Olin.' });
    for (const dark of [false, true]) {
      const { barriers, page } = await served.go(`/#${name}`, { width: 375, height: 700, dark });
      expect(await barriers()).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(375);
      // Names and the menu are told whole.
      const cut = await page.$$eval('.top nav, .list strong', (elements) => {
        return elements.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map(({ textContent }) => textContent);
      });
      expect(cut).toEqual([]);
    }
  },
);
