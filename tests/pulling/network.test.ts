// What goes wrong between here and a hub: cut connections, wrong content, refusals, patience asked for, and a token that must not travel.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { HubServer } from './hub-server.ts';
import { firstSha, openPlace, secondSha } from './pulling.ts';

const place = openPlace();
const model = () => readFileSync(place.at('data', 'models', 'tiny', 'tiny-Q8_0.gguf'));
const ranges = () => place.hub.fetched.map(({ headers }) => headers.range);

describe('a connection that breaks', () => {
  test('is taken up where it broke, with the mark of the content', async () => {
    place.hub.cuts = [1000, 2000];
    await place.pull('maker/tiny-GGUF');
    expect(ranges()).toEqual([undefined, 'bytes=1000-', 'bytes=3000-']);
    expect(place.hub.fetched[1]!.headers['if-range']).toMatch(/^"[0-9a-f]{64}"$/);
    expect(model()).toEqual(place.tiny.gguf);
    expect(place.pauses).toEqual([1000, 1000]);
  });

  test('is given up after five times without a byte, and the same command goes on from there', async () => {
    place.hub.cuts = [1000, 0, 0, 0, 0, 0, 0];
    await expect(place.pull('maker/tiny-GGUF')).rejects.toMatchObject({
      code: 'not_ready',
      message: expect.stringMatching(/again and again .* 1000 of \d+ bytes are kept/),
    });
    expect(place.pauses).toEqual([1000, 2000, 4000, 8000, 16_000]);
    expect(place.there()).toEqual(['.tiny.partial']);
    place.hub.cuts = [];
    await place.pull('maker/tiny-GGUF');
    expect(ranges().at(-1)).toBe('bytes=1000-');
    expect(model()).toEqual(place.tiny.gguf);
    expect(place.there()).toEqual(['default', 'tiny']);
  });

  test('where the other side sends all of it again, all of it is taken', async () => {
    place.hub.cuts = [1000];
    place.hub.takesRanges = false;
    await place.pull('maker/tiny-GGUF');
    expect(model()).toEqual(place.tiny.gguf);
  });

  test('an interrupt keeps what was fetched', async () => {
    const interrupt = new AbortController();
    place.hub.cuts = [5000];
    const pulling = place.pull('maker/tiny-GGUF', { signal: interrupt.signal, onBytes: () => interrupt.abort() });
    await expect(pulling).rejects.toMatchObject({ code: 'cancelled' });
    expect(place.there()).toEqual(['.tiny.partial']);
    place.hub.cuts = [];
    await place.pull('maker/tiny-GGUF');
    expect(model()).toEqual(place.tiny.gguf);
  });

  test('what was kept of another revision is not gone on with, and that is told', async () => {
    const stop = new AbortController();
    place.hub.cuts = [1000];
    await expect(place.pull('maker/tiny-GGUF', { signal: stop.signal, sleep: async () => stop.abort() })).rejects.toThrow(
      'Stopped',
    );
    const changed = Buffer.concat([place.tiny.gguf, Buffer.from('!')]);
    place.hub.repositories.set('maker/tiny-GGUF', { sha: secondSha, files: { 'tiny-Q8_0.gguf': changed } });
    await place.pull('maker/tiny-GGUF');
    expect(place.notes).toContain('What an earlier pull left is of another source or revision; beginning anew.');
    expect(ranges()).toEqual([undefined, undefined]);
    expect(model()).toEqual(changed);
  });
});

describe('content of another hash', () => {
  /** Lists a file under another hash than it has. */
  const lie = (content: Buffer) => {
    const files = { 'tiny-Q8_0.gguf': place.tiny.gguf };
    place.hub.repositories.set('maker/tiny-GGUF', { sha: firstSha, files });
    place.hub.onContent = () => {};
    const store = place.hub.repositories;
    place.hub.instead = ({ path }) => {
      // After the list was told, the content changes.
      if (path.includes('/resolve/')) store.set('maker/tiny-GGUF', { sha: firstSha, files: { 'tiny-Q8_0.gguf': content } });
      return undefined;
    };
  };

  test('is refused, and nothing of it is kept', async () => {
    lie(Buffer.from(place.tiny.gguf).fill(7, 500, 600));
    await expect(place.pull('maker/tiny-GGUF')).rejects.toMatchObject({
      code: 'invalid_model',
      message: expect.stringMatching(/expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}/),
    });
    expect(existsSync(place.at('data', 'models', '.tiny.partial', 'tiny-Q8_0.gguf.part'))).toBe(false);
    expect(place.there()).toEqual(['.tiny.partial']);
    await expect(place.pull('maker/tiny-GGUF', { name: '.tiny.partial' })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('a longer one is stopped', async () => {
    lie(Buffer.concat([place.tiny.gguf, Buffer.alloc(10)]));
    await expect(place.pull('maker/tiny-GGUF')).rejects.toThrow(/longer than the \d+ bytes/);
  });
});

describe('a hub that refuses', () => {
  const answer = (status: number, headers: Record<string, string> = {}) => {
    place.hub.instead = () => ({ status, headers });
  };

  test.each([
    [401, '', undefined, 'invalid_api_key', /no such repository, or a private one.*set HF_TOKEN/],
    [401, '', 'hf_old', 'invalid_api_key', /refuses the token \(401\)/],
    [401, 'GatedRepo', undefined, 'forbidden', /is gated \(401\)\. Accept its licence at http.*\/maker\/tiny, then set HF_TOKEN/],
    [403, 'GatedRepo', 'hf_mine', 'forbidden', /is gated \(403\)\. Accept its licence at/],
    [403, '', 'hf_mine', 'forbidden', /does not let this token read maker\/tiny \(403\)/],
    [404, 'RepoNotFound', undefined, 'not_found', /has no maker\/tiny \(404\)/],
    [404, 'RevisionNotFound', undefined, 'not_found', /has no revision main of maker\/tiny/],
    [500, '', undefined, 'not_ready', /answered 500 for maker\/tiny\. Try again later/],
  ])('%i %s with token %s', async (status, told, token, code, message) => {
    answer(status, told === '' ? {} : { 'x-error-code': told });
    await expect(place.pull('maker/tiny', { hub: { token } })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(place.there()).toEqual([]);
  });

  test('a file that is gone since it was listed', async () => {
    place.hub.instead = ({ path }) =>
      path.includes('/resolve/') ? { status: 404, headers: { 'x-error-code': 'EntryNotFound' } } : undefined;
    await expect(place.pull('maker/tiny-GGUF')).rejects.toThrow(/has no file tiny-Q8_0\.gguf in maker\/tiny-GGUF/);
  });

  test('too many requests: waited as long as it says, three times, and no longer than two minutes', async () => {
    let left = 2;
    place.hub.instead = () => (left-- > 0 ? { status: 429, headers: { 'retry-after': '7' } } : undefined);
    await place.pull('maker/tiny-GGUF');
    expect(place.pauses).toEqual([7000, 7000]);
    expect(place.notes).toContain(`${new URL(place.hub.url).host} asks to wait 7 s (429).`);
    answer(429, { 'retry-after': '0' });
    await expect(place.pull('maker/tiny', { name: 'other' })).rejects.toMatchObject({ code: 'overloaded' });
    expect(place.pauses).toEqual([7000, 7000, 0, 0, 0]);
    answer(429, { 'retry-after': '3600' });
    await expect(place.pull('maker/tiny', { name: 'other' })).rejects.toMatchObject({ details: { retryAfterS: 3600 } });
    expect(place.pauses).toHaveLength(5);
  });

  test('what is no hub', async () => {
    answer(200, { 'content-type': 'text/html' });
    await expect(place.pull('maker/tiny')).rejects.toThrow(/Does HF_ENDPOINT name a hub\?/);
    place.hub.instead = () => ({ status: 302, headers: { location: '/api/models/maker/tiny/revision/main' } });
    await expect(place.pull('maker/tiny')).rejects.toThrow(/sends on to/);
  });
});

test('the token goes to the hub alone, not to where it sends on to', async () => {
  const store = await HubServer.open();
  try {
    store.repositories.set('maker/tiny-GGUF', place.hub.repositories.get('maker/tiny-GGUF')!);
    place.hub.store = store;
    place.hub.cuts = [];
    store.cuts = [1000];
    await place.pull('maker/tiny-GGUF', { hub: { token: 'hf_secret' } });
    expect(place.hub.asked.map(({ headers }) => headers.authorization)).toEqual(place.hub.asked.map(() => 'Bearer hf_secret'));
    expect(store.asked.map(({ headers }) => [headers.authorization, headers.range])).toEqual([
      [undefined, undefined],
      [undefined, 'bytes=1000-'],
    ]);
    expect(model()).toEqual(place.tiny.gguf);
  } finally {
    await store.close();
  }
});

test('offline and unreachable hubs are told apart', async () => {
  await expect(place.pull('maker/tiny', { hub: { offline: true } })).rejects.toThrow(/HF_HUB_OFFLINE is set/);
  expect(place.hub.asked).toEqual([]);
  const gone = await HubServer.open();
  const { url } = gone;
  await gone.close();
  await expect(place.pull('maker/tiny', { hub: { endpoint: url } })).rejects.toMatchObject({
    code: 'not_ready',
    message: expect.stringMatching(/cannot be reached \(ECONNREFUSED\)\. Check the connection/),
  });
  expect(place.pauses).toEqual([]);
});
