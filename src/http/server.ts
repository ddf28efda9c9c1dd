// Puts an app on a port and takes it off again without cutting replies short. Knows no routes.
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { createAdaptorServer, getRequestListener, RequestError } from '@hono/node-server';
import { WebSocketServer } from 'ws';
import { SteerError } from '../errors.ts';
import { toFailure } from './problem.ts';
import { toEnvelope } from './schemas/failure.ts';

export interface Listening {
  /** With the port really taken, where 0 was asked for. */
  url: string;
  /** Stops accepting, lets running replies finish for `graceMs`, then cuts the rest off. */
  close(graceMs?: number): Promise<void>;
}

interface Fetches {
  /** `env` tells the address of whoever asks; with requests that ask for a socket it holds what the adapter needs. */
  fetch(request: Request, env?: object): Response | Promise<Response>;
}

/** Largest message a socket takes, bytes. */
const mostMessage = 2 ** 16;

/** Serves the app. Throws invalid_config when the address cannot be taken. */
export async function listen(app: Fetches, address: { host: string; port: number }): Promise<Listening> {
  const answer = getRequestListener((request, { incoming }) => app.fetch(request, { address: incoming.socket.remoteAddress }), {
    errorHandler: renderOutsideApp,
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: mostMessage });
  const server = createAdaptorServer({
    // The adapter finds its own in the same object again.
    fetch: (request, env) => app.fetch(request, Object.assign(env, { address: env.incoming.socket.remoteAddress })),
    // The adapter describes the same class more narrowly than its own types do.
    websocket: { server: sockets as never },
    createServer: () => createServer(answer),
  }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(toListenFailure(cause, address)));
    server.listen(address.port, address.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = isIPv6(address.host) ? `[${address.host}]` : address.host;
  return { url: `http://${host}:${port}`, close: (graceMs = 10_000) => close(server, sockets, graceMs) };
}

async function close(server: Server, sockets: WebSocketServer, graceMs: number): Promise<void> {
  for (const socket of sockets.clients) socket.close(1001, 'The server is stopping.');
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that was busy when closing began turns idle later, and would linger for its keep-alive time.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cutOff = setTimeout(() => {
    server.closeAllConnections();
    for (const socket of sockets.clients) socket.terminate();
  }, graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(cutOff);
}

/** What never reaches the app: a request too broken to become one (a bad Host header, say), or something thrown that is no Error. */
function renderOutsideApp(error: unknown): Response {
  const requestId = `req_${randomUUID().replaceAll('-', '')}`;
  const failure =
    error instanceof RequestError
      ? new SteerError('invalid_request', 'Expected a well-formed HTTP request: check its address and Host header.')
      : toFailure(error);
  return Response.json(toEnvelope(failure, requestId), { status: failure.status, headers: { 'x-request-id': requestId } });
}

function toListenFailure(cause: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): SteerError {
  const reasons: Record<string, string> = {
    EADDRINUSE: `PORT: ${port} on ${host} is taken by another process. Stop it or set another PORT.`,
    EACCES: `PORT: this user may not listen on ${port}. Set a PORT above 1023.`,
    EADDRNOTAVAIL: `HOST: ${host} is not an address of this machine. Set HOST to one that is.`,
    ENOTFOUND: `HOST: ${host} is not a name that resolves. Set HOST to an address of this machine.`,
  };
  const message = reasons[cause.code ?? ''] ?? `HOST, PORT: cannot listen on ${host}:${port} (${cause.code ?? cause.message}).`;
  return new SteerError('invalid_config', message, { cause });
}
