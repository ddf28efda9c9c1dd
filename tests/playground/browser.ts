// A headless Chromium from an npm package, and a page in it that may talk to one server alone.
import { setTimeout as sleep } from 'node:timers/promises';
import chromium from '@sparticuz/chromium';
import axe from 'axe-core';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';

const patienceMs = 5_000;

/** Where none of these names a language that it has words for, the browser waits for ever when it shows a word of its own. */
const english = { LANG: 'en_US.UTF-8', LC_ALL: 'en_US.UTF-8', LANGUAGE: 'en_US' };

export async function openBrowser(): Promise<Browser> {
  // Not the package's own arguments: they put everything in one process, which ends with the first page that is closed.
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-zygote', '--lang=en-US'];
  return await puppeteer.launch({
    args,
    executablePath: await chromium.executablePath(),
    headless: 'shell',
    env: { ...process.env, ...english },
  });
}

export interface Visit {
  page: Page;
  /** What went wrong in the page, and addresses it asked for beyond the server. */
  faults: string[];
  /** The text of the page once it holds that of `words`. */
  see(words: string | RegExp): Promise<string>;
  /** Presses the button, link or box of that name. */
  press(role: string, name: string): Promise<void>;
  fill(label: string, text: string): Promise<void>;
  /** Of the first element that fits, once there is one. */
  attribute(selector: string, name: string): Promise<string | null>;
  /** How many fit. */
  count(selector: string): Promise<number>;
  /** Rules of WCAG 2.2 AA that the page breaks, by axe. */
  barriers(): Promise<string[]>;
}

/** A page at `path`, in a context of its own. */
export async function visit(
  browser: Browser,
  url: string,
  path: string,
  { width = 1200, height = 900, dark = false, language = '' } = {},
): Promise<Visit> {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) faults.push(`asked for ${request.url()}`);
  });
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
  if (language !== '') {
    await page.evaluateOnNewDocument((name) => {
      Object.defineProperty(Navigator.prototype, 'language', { get: () => name });
    }, language);
  }
  await page.goto(url + path, { waitUntil: 'networkidle0' });
  const text = () => page.evaluate(() => document.body.innerText);
  const find = (selector: string) => page.locator(selector).setTimeout(patienceMs);
  return {
    page,
    faults,
    async see(words) {
      const holds = (shown: string) => (typeof words === 'string' ? shown.includes(words) : words.test(shown));
      let shown = await text();
      for (const end = Date.now() + patienceMs; !holds(shown) && Date.now() < end; shown = await text()) await sleep(50);
      if (!holds(shown)) throw new Error(`The page never says ${words}. It says:\n${shown}`);
      return shown;
    },
    press: (role, name) => find(`::-p-aria(${name}[role="${role}"])`).click(),
    fill: async (label, words) => {
      await find(`::-p-aria(${label}[role="textbox"])`).fill(words);
    },
    attribute: async (selector, name) => {
      const found = await page.waitForSelector(selector, { timeout: patienceMs });
      return await found!.evaluate((element, wanted) => element.getAttribute(wanted), name);
    },
    count: (selector) => page.$$eval(selector, ({ length }) => length),
    async barriers() {
      await page.evaluate(axe.source);
      const found = await page.evaluate(async () => {
        const loaded = (globalThis as unknown as { axe: { run(options: object): Promise<{ violations: Violation[] }> } }).axe;
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
        return (await loaded.run({ runOnly: { type: 'tag', values: tags } })).violations;
      });
      return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    },
  };
}

interface Violation {
  id: string;
  nodes: { html: string }[];
}
