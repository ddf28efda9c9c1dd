// What holds of every page in a real browser: the key, languages, addresses, the keyboard, what is loaded; and the API reference.
import { expect, test } from 'vitest';
import { servePlayground } from './served.ts';

const served = servePlayground();

test('a server with a key asks for it, and keeps its pages open', async () => {
  await served.open({ STEER_API_KEY: 'secret' });
  const { see, press, page, faults } = await served.go('/#play');
  await see('Expected the header');
  await page.type('input[type="password"]', 'secret');
  await press('button', 'Try again');
  await see('What you say');
  faults.splice(0, 9);
});

test.each(['en-US@posix', 'C'])('a browser whose language is called %s shows them as well', async (language) => {
  const { see, count } = await served.go('/#reports', { language });
  await see('How closely it follows');
  await expect.poll(() => count('.uplot canvas')).toBeGreaterThan(0);
});

test.each(['#constructor', '#play/%', '#nothing'])('%s is no page, and the first one is shown', async (hash) => {
  await (await served.go(`/${hash}`)).see('What you say');
});

test('keys alone lead past the pages to what is on one, and from page to page', async () => {
  const { page, see } = await served.go('/#reports');
  await see('How closely it follows');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.evaluate(() => [document.activeElement?.id, location.hash])).toEqual(['main', '#reports']);
  await page.focus('nav a[href="#people"]');
  await page.keyboard.press('Enter');
  await see('Leaderboard');
  await expect.poll(() => page.title()).toBe('Raters · steer');
});

test('the first load is small, packed, and asked for again only where it changed', async () => {
  const { page } = await served.go('/');
  const bytes = await page.evaluate(() => {
    return performance
      .getEntriesByType('resource')
      .reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).encodedBodySize, 0);
  });
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(150_000);
  const { headers } = await fetch(`${served.server.url}/assets/app.js`, { headers: { 'accept-encoding': 'br' } });
  expect([headers.get('content-encoding'), headers.get('content-security-policy')]).toEqual([
    'br',
    expect.stringContaining("default-src 'self'"),
  ]);
  const again = await fetch(`${served.server.url}/assets/app.js`, { headers: { 'if-none-match': headers.get('etag')! } });
  expect(again.status).toBe(304);
  expect((await fetch(`${served.server.url}/assets/..%2f..%2fpackage.json`)).status).toBe(404);
});

test('the API reference shows every route, offline', async () => {
  const { see } = await served.go('/docs');
  await see('/v1/chat/completions');
  await see('Say something to the character and hear its line');
});
