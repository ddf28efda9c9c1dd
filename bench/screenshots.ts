// The pictures of docs/: every page of the playground in a headless Chromium, over a server of the shipped models that has something to show.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import chromium from '@sparticuz/chromium';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { generateCorpus } from '../models/corpus/grammar.ts';
import { startServing } from './serving.ts';

interface Shot {
  page: Page;
  save(name: string, height?: number): Promise<void>;
  press(role: string, name: string): Promise<void>;
  say(words: string): Promise<void>;
}

async function open(browser: Browser, address: string, { width = 1100, dark = false } = {}): Promise<Shot> {
  const page = await browser.newPage();
  await page.setViewport({ width, height: 760, deviceScaleFactor: 1 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
  await page.goto(address, { waitUntil: 'load' });
  await sleep(1_000);
  const press = (role: string, name: string) => page.locator(`::-p-aria(${name}[role="${role}"])`).click();
  return {
    page,
    press,
    async say(words) {
      await page.locator('::-p-aria([name="Say something to Marta"][role="textbox"])').fill(words);
      await press('button', 'Say it');
      await sleep(1_200);
    },
    async save(name, height) {
      await sleep(400);
      const path = `docs/${name}.png` as const;
      if (height === undefined) await page.screenshot({ path, fullPage: true });
      else await page.screenshot({ path, clip: { x: 0, y: 0, width, height }, captureBeyondViewport: true });
      process.stdout.write(`${path}\n`);
    },
  };
}

/** Moves a slider of a column by its keys. */
async function set(page: Page, column: string, attribute: string, value: number): Promise<void> {
  await page.focus(`section[aria-label="${column}"] [aria-label="${attribute}"]`);
  await page.keyboard.press('Home');
  for (let step = 0; step < 2 * value; step++) await page.keyboard.press('ArrowRight');
}

/** Rated conversations of the corpus, as OpenAI messages with attributes. */
function ratedLines(conversations: number): string {
  const lines = [...generateCorpus({ seed: 77, conversations })].map(({ conversation: { system, turns } }) => {
    const said = turns.map(({ role, content, label }) => ({ role, content, ...(label ? { attributes: label } : {}) }));
    return JSON.stringify({ messages: [...(system === '' ? [] : [{ role: 'system', content: system }]), ...said] });
  });
  return lines.join('\n');
}

export async function run(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'steer-screenshots-'));
  const serving = await startServing(join(dataDir, 'data'));
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--lang=en-US'];
  const env = { ...process.env, LANG: 'en_US.UTF-8', LC_ALL: '' };
  const browser = await puppeteer.launch({ args, env, headless: 'shell', executablePath: await chromium.executablePath() });
  const { url } = serving;
  const send = async (path: string, body: string, type = 'application/json') => {
    const reply = await fetch(url + path, { method: 'POST', headers: { 'content-type': type }, body });
    if (!reply.ok) throw new Error(`${path}: ${await reply.text()}`);
    return (await reply.json()) as { id: string };
  };
  try {
    await send('/v1/datasets?name=tavern', ratedLines(1_500), 'application/x-ndjson');
    const method = { type: 'steerlm', steerlm: { hyperparameters: { n_epochs: 3, evaluate_every: 5, checkpoint_every: 20 } } };
    const training = await send(
      '/v1/fine_tuning/jobs',
      JSON.stringify({ model: 'npc-base', training_dataset: 'tavern', method, suffix: 'tavern' }),
    );

    const play = await open(browser, `${url}/#play`);
    await play.press('button', 'Compare two settings');
    for (const column of ['Left', 'Right']) await play.page.select(`section[aria-label="${column}"] label.slider select`, '4');
    for (const [attribute, left, right] of [
      ['humor', 0, 2],
      ['verbosity', 1, 3],
      ['formality', 4, 0],
    ] as const) {
      await set(play.page, 'Left', attribute, left);
      await set(play.page, 'Right', attribute, right);
    }
    await play.press('button', 'Say it');
    await sleep(3_000);
    await play.page.click('section[aria-label="Right"] [aria-label^="humor 2,"]');
    await play.save('play');

    const talk = await open(browser, `${url}/#npcs`, { dark: true });
    await talk.press('button', 'Make Marta');
    await talk.press('button', 'Begin');
    await sleep(800);
    await talk.say('Could I have an ale?');
    await talk.press('button', 'player.insulted');
    await sleep(1_500);
    await talk.say('Could I have an ale?');
    await sleep(2_000);
    await talk.press('button', 'player.apologised');
    await sleep(1_500);
    await talk.press('button', 'player.paid');
    await sleep(2_000);
    await talk.say('And now?');
    await talk.save('characters');

    const reports = await open(browser, `${url}/#reports/npc`);
    await reports.save('reports');
    const datasets = await open(browser, `${url}/#datasets`);
    await datasets.page.click('nav.list a');
    await sleep(1_500);
    await datasets.save('datasets', 760);
    const phone = await open(browser, `${url}/#play`, { width: 390, dark: true });
    await phone.press('button', 'Say it');
    await sleep(2_000);
    await phone.save('phone', 844);
    await sleep(20_000);
    const runs = await open(browser, `${url}/#runs/${training.id}`);
    await sleep(1_500);
    await runs.save('training', 760);
    await send(`/v1/fine_tuning/jobs/${training.id}/cancel`, '{}');
  } finally {
    await browser.close();
    await serving.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
