// The pictures of docs/: every page of the playground in a headless Chromium, over a server of the shipped models that has something to show.
import { cp, mkdtemp, rm } from 'node:fs/promises';
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

async function send(url: string, path: string, body: string, type = 'application/json'): Promise<{ id: string }> {
  const reply = await fetch(url + path, { method: 'POST', headers: { 'content-type': type }, body });
  if (!reply.ok) throw new Error(`${path}: ${await reply.text()}`);
  return (await reply.json()) as { id: string };
}

/** A dataset and a run that trains on it. Answers the run's id. */
async function furnish(url: string): Promise<string> {
  await send(url, '/v1/datasets?name=tavern', ratedLines(1_500), 'application/x-ndjson');
  const method = { type: 'steerlm', steerlm: { hyperparameters: { n_epochs: 3, evaluate_every: 5, checkpoint_every: 20 } } };
  const training = { model: 'npc-base', training_dataset: 'tavern', method, suffix: 'tavern' };
  return (await send(url, '/v1/fine_tuning/jobs', JSON.stringify(training))).id;
}

async function showPlay(browser: Browser, url: string): Promise<void> {
  const { page, press, save } = await open(browser, `${url}/#play`);
  await press('button', 'Compare two settings');
  for (const column of ['Left', 'Right']) await page.select(`section[aria-label="${column}"] label.slider select`, '4');
  const settings = { humor: [0, 2], verbosity: [1, 3], formality: [4, 0] };
  for (const [attribute, [left, right]] of Object.entries(settings)) {
    await set(page, 'Left', attribute, left!);
    await set(page, 'Right', attribute, right!);
  }
  await press('button', 'Say it');
  await sleep(3_000);
  await page.click('section[aria-label="Right"] [aria-label^="humor 2,"]');
  await save('play');
}

async function showCharacter(browser: Browser, url: string): Promise<void> {
  const { press, say, save } = await open(browser, `${url}/#npcs`, { dark: true });
  const happen = async (event: string) => {
    await press('button', event);
    await sleep(1_500);
  };
  await happen('Make Marta');
  await happen('Begin');
  await say('Could I have an ale?');
  await happen('player.insulted');
  await say('Could I have an ale?');
  await happen('player.apologised');
  await happen('player.paid');
  await say('And now?');
  await save('characters');
}

/** `training` is the id of a run that goes on meanwhile. */
async function showRest(browser: Browser, url: string, training: string): Promise<void> {
  const datasets = await open(browser, `${url}/#datasets`);
  await datasets.page.click('nav.list a');
  await sleep(1_500);
  await datasets.save('datasets', 760);
  const phone = await open(browser, `${url}/#play`, { width: 390, dark: true });
  await phone.press('button', 'Say it');
  await sleep(2_000);
  await phone.save('phone', 844);
  await sleep(20_000);
  const runs = await open(browser, `${url}/#runs/${training}`);
  await sleep(1_500);
  await runs.save('training', 760);
}

export async function run(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'steer-screenshots-'));
  // A folder of its own, since what the run makes is put beside the models.
  const models = join(dataDir, 'models');
  for (const name of ['npc', 'npc-base', 'npc-predictor', 'default']) {
    await cp(join('models', name), join(models, name), { recursive: true });
  }
  const serving = await startServing(join(dataDir, 'data'), undefined, models);
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--lang=en-US'];
  const env = { ...process.env, LANG: 'en_US.UTF-8', LC_ALL: 'en_US.UTF-8', LANGUAGE: 'en_US' };
  const browser = await puppeteer.launch({ args, env, headless: 'shell', executablePath: await chromium.executablePath() });
  const { url } = serving;
  try {
    await showPlay(browser, url);
    await showCharacter(browser, url);
    await (await open(browser, `${url}/#reports/npc`)).save('reports');
    const training = await furnish(url);
    await showRest(browser, url, training);
    await send(url, `/v1/fine_tuning/jobs/${training}/cancel`, '{}');
  } finally {
    await browser.close();
    await serving.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
