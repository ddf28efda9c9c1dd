// On a real port: callers who hang up, closing without cutting replies short, addresses that cannot be had.
import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { type Listening, listen } from '../../src/http/server.ts';
import { Gate } from '../gate.ts';
import { type House, openHouse, readEvents } from './knock.ts';

const path = '/v1/chat/completions';
const headers = { 'content-type': 'application/json' };
const messages = [{ role: 'user', content: 'Hello' }];
const body = (fields: object) => JSON.stringify({ messages, seed: 1, ...fields });

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close(0)));
});

async function serve(house: House): Promise<Listening> {
  const server = await listen(house.app, { host: '127.0.0.1', port: 0 });
  open.push(server);
  return server;
}

/** A house whose replies last until their callers leave. */
function stayingHouse(): House {
  const house = openHouse();
  house.model.stays = true;
  return house;
}

test.each([true, false])('a caller who hangs up stops the engine (stream: %s)', async (stream) => {
  const house = stayingHouse();
  const { url } = await serve(house);
  const leaving = new AbortController();
  const asked = fetch(url + path, { method: 'POST', headers, body: body({ stream }), signal: leaving.signal });
  const gone = asked.then((reply) => reply.text());
  gone.catch(() => {});
  await expect.poll(() => house.model.requests.length).toBe(1);
  if (stream) await asked;
  leaving.abort();
  await expect(gone).rejects.toThrow(/abort/i);
  expect(await house.model.ended).toBe('cancelled');
  await expect.poll(() => house.lines.map((line) => JSON.parse(line).code)).toEqual(['cancelled']);
});

test('a caller who hangs up is noticed when its body came in chunks', async () => {
  const house = stayingHouse();
  const { url } = await serve(house);
  const asking = httpRequest(url + path, { method: 'POST', headers: { ...headers, 'transfer-encoding': 'chunked' } });
  asking.on('error', () => {});
  asking.write(body({}).slice(0, 10));
  asking.end(body({}).slice(10));
  await expect.poll(() => house.model.requests.length).toBe(1);
  asking.destroy();
  expect(await house.model.ended).toBe('cancelled');
});

test.each([true, false])('a reply read to its end aborts nothing (stream: %s)', async (stream) => {
  const house = openHouse();
  const told = vi.spyOn(console, 'info');
  const { url } = await serve(house);
  const reply = await fetch(url + path, { method: 'POST', headers, body: body({ stream }) });
  const said = await reply.text();
  if (stream) expect(readEvents(said).at(-1)).toBe('[DONE]');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await house.model.ended).toBe('finished');
  expect(house.model.signal?.aborted).toBe(false);
  expect(told).not.toHaveBeenCalled();
  told.mockRestore();
});

test('closing lets a running reply finish, takes no new ones, and waits for no idle connection', async () => {
  const house = openHouse();
  const gate = new Gate();
  gate.shut();
  house.model.complete = async function* (_, signal) {
    yield { kind: 'delta', index: 0, text: 'One' };
    await gate.pass(signal);
    yield { kind: 'delta', index: 0, text: ' two' };
    yield { kind: 'end', index: 0, text: 'One two', finishReason: 'stop', completionTokens: 2 };
  };
  // Node would keep a connection for longer than the test may last.
  const note = ({ server }: { server?: Server }) => void Object.assign(server!, { keepAliveTimeout: 600_000 });
  subscribe('http.server.request.start', note as ChannelListener);
  onTestFinished(() => void unsubscribe('http.server.request.start', note as ChannelListener));
  const server = await serve(house);
  const agent = new Agent({ keepAlive: true });
  const asking = httpRequest(server.url + path, { method: 'POST', headers, agent }).end(body({ stream: true }));
  const [reply] = (await once(asking, 'response')) as [IncomingMessage];
  const closed = server.close(600_000);
  gate.open();
  const events = readEvents(await text(reply)) as { choices: { delta: { content?: string } }[] }[];
  expect(events.at(-1)).toBe('[DONE]');
  expect(events.slice(0, -1).map(({ choices }) => choices[0]!.delta.content ?? '')).toEqual(['', 'One', ' two', '']);
  await closed;
  agent.destroy();
  await expect(fetch(`${server.url}/health/live`)).rejects.toThrow();
});

test('a port or host that cannot be had is told by its variable', async () => {
  const { url } = await serve(openHouse());
  const port = Number(new URL(url).port);
  await expect(listen(openHouse().app, { host: '127.0.0.1', port })).rejects.toThrow(/^PORT: \d+ on 127.0.0.1 is taken/);
  await expect(listen(openHouse().app, { host: '203.0.113.1', port: 0 })).rejects.toThrow(/^HOST: 203.0.113.1 is not an address/);
});

test('a broken Host header gets the envelope and a request id', async () => {
  const { url } = await serve(openHouse());
  const { port, hostname } = new URL(url);
  const told = await new Promise<string>((resolve) => {
    let received = '';
    const socket = connect(Number(port), hostname, () =>
      socket.write('GET /v1/models HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n'),
    );
    socket.on('data', (data) => {
      received += data;
    });
    socket.on('close', () => resolve(received));
  });
  expect(told).toMatch(/^HTTP\/1.1 400 /);
  expect(told).toMatch(/x-request-id: req_[0-9a-f]{32}/);
  expect(told).toMatch(/"code":"invalid_request"/);
});

test('a body too large is refused while it is still being sent', async () => {
  const { url } = await serve(openHouse());
  const reply = await fetch(url + path, { method: 'POST', headers, body: 'x'.repeat(3_000_000) });
  expect(reply.status).toBe(413);
  expect(await reply.json()).toMatchObject({ error: { code: 'body_too_large' } });
  expect(reply.headers.get('x-request-id')).toMatch(/^req_/);
});
