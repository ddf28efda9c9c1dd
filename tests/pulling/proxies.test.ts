// steer pull through the proxies of the environment: a small one on this machine, which counts who comes through, or lets nobody.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { steer } from '../cli/steer.ts';
import { openPlace } from './pulling.ts';

const place = openPlace();
let proxy: Server;
let asked: { to: string; who: string | undefined }[];
/** What it does with a request to be let through; undefined lets it. */
let instead: ((socket: Socket) => void) | undefined;

beforeEach(async () => {
  [asked, instead] = [[], undefined];
  proxy = createServer().on('connect', (request, socket: Socket, head) => {
    asked.push({ to: request.url ?? '', who: request.headers['proxy-authorization'] });
    socket.on('error', () => {});
    if (instead) return void instead(socket);
    const [host, port] = (request.url ?? '').split(':');
    const there = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      there.write(head);
      there.pipe(socket).pipe(there);
    });
    there.on('error', () => socket.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
});
afterEach(async () => {
  if (!proxy.listening) return;
  proxy.closeAllConnections();
  proxy.close();
  await once(proxy, 'close');
});

const addressOf = (who = '') => `http://${who}127.0.0.1:${(proxy.address() as AddressInfo).port}`;
const pull = (env: Record<string, string>, model = 'maker/tiny-GGUF') =>
  steer(place.at(), ['pull', model], { env: { HF_ENDPOINT: place.hub.url, HF_HOME: place.at('home'), ...env } });

test('the hub is reached through the proxy, under the name and password of the variable', async () => {
  expect(await pull({ HTTP_PROXY: addressOf('me:hush@') })).toMatchObject({ code: 0, stdout: expect.stringMatching(/checked/) });
  const who = `Basic ${Buffer.from('me:hush').toString('base64')}`;
  expect(asked).toEqual([{ to: new URL(place.hub.url).host, who }]);
  expect(place.hub.fetched).toHaveLength(1);
});

test('a host of NO_PROXY is reached without it', async () => {
  expect(await pull({ http_proxy: addressOf(), NO_PROXY: 'example.com,127.0.0.1' })).toMatchObject({ code: 0 });
  expect([asked, place.hub.fetched.length]).toEqual([[], 1]);
});

test.each<[string, (socket: Socket) => void, RegExp]>([
  [
    'wants another password',
    (socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'),
    /answers 407, it wants/,
  ],
  ['forbids it', (socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'), /answers 403/],
  ['hangs up', (socket) => socket.destroy(), /HTTPS_PROXY: UND_ERR_SOCKET/],
])('one that %s is told in a line, by its variable and without its password', async (_, refuse, reason) => {
  instead = refuse;
  const { code, stderr } = await pull({ HF_ENDPOINT: 'https://hub.invalid', HTTPS_PROXY: addressOf('me:hush@') });
  const line = stderr.split('\n').find((each) => each.startsWith('error: '));
  expect([code, line]).toEqual([1, expect.stringMatching(reason)]);
  expect(line).toContain(`hub.invalid cannot be reached (the proxy ${addressOf()} of HTTPS_PROXY`);
  expect(stderr).not.toContain('hush');
  expect(asked.map(({ to }) => to)).toEqual(['hub.invalid:443']);
});

test('one that is not there, or no address, is told as well', async () => {
  const gone = addressOf('me:hush@');
  proxy.close();
  const { code, stderr } = await pull({ HTTP_PROXY: gone });
  expect([code, stderr]).toEqual([1, expect.stringMatching(/of HTTP_PROXY: ECONNREFUSED/)]);
  const odd = await pull({ HTTPS_PROXY: 'hush:3128' });
  expect([odd.code, odd.stderr]).toEqual([1, expect.stringMatching(/^error: HTTPS_PROXY: expected an address .*\n$/)]);
  expect(`${stderr}${odd.stderr}`).not.toContain('hush');
});
