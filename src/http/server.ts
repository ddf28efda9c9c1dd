// Puts an app on a port and takes it off again without cutting replies short.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6, type Socket } from 'node:net';
import { createAdaptorServer, getRequestListener, RequestError } from '@hono/node-server';
import { WebSocketServer } from 'ws';
import { SteerError } from '../errors.ts';
import {
  boundPipelines,
  defaultPatience,
  lingerOver,
  newRequestId,
  type Patience,
  refuseBroken,
  watchBody,
  watchReader,
} from './patience.ts';
import { toFailure } from './problem.ts';
import { toEnvelope } from './schemas/failure.ts';
import { createStopping, serverStops } from './stopping.ts';
import { SocketRequest, sendUnlessGranted } from './upgrades.ts';

export interface Listening {
  /** With the port really taken, where 0 was asked for. */
  url: string;
  /**
   * Stops accepting and refuses what comes on open connections; lets running replies finish for `graceMs`, then tells the rest why they end.
   */
  close(graceMs?: number): Promise<void>;
}

interface Fetches {
  /** `env` tells the address of whoever asks; with requests that ask for a socket it holds what the adapter needs. */
  fetch(request: Request, env?: object): Response | Promise<Response>;
}

/** Without a setting, ms. */
const defaultGraceMs = 10_000;
/** Largest message a socket takes, bytes. */
const mostMessage = 2 ** 16;
/** Between two pings of a socket; one that has not answered the last by then is ended, as phones vanish without a word, ms. */
const pingMs = 30_000;
/** Between the end of the grace and that of every connection: time to be told why. */
const tellMs = 500;

/** Serves the app. Throws invalid_config when the address cannot be taken. */
export async function listen(
  app: Fetches,
  address: { host: string; port: number },
  patience: Patience = defaultPatience,
): Promise<Listening> {
  const stopping = createStopping();
  /** Why the server itself gave a request up. */
  const givenUp = new WeakMap<object, SteerError>();
  const hasRoom = boundPipelines();
  const answering = new WeakMap<object, ServerResponse>();
  const fetch = askedOf(app, stopping, givenUp);
  const answer = getRequestListener(fetch as never, {
    errorHandler: renderOutsideApp,
    // HTTP/1.0 need not name a host.
    hostname: 'localhost',
  });
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    answering.set(incoming.socket, outgoing);
    if (!hasRoom(incoming, outgoing)) return;
    lingerOver(incoming);
    watchReader(outgoing, patience);
    watchBody(incoming, outgoing, patience, (failure) => givenUp.set(incoming, failure));
    return answer(incoming, outgoing);
  };
  const sockets = new WebSocketServer({ noServer: true, maxPayload: mostMessage });
  const { stallMs } = patience;
  // Node would bound the time of a whole request, however large.
  const timeouts = { requestTimeout: 0, headersTimeout: stallMs, connectionsCheckingInterval: Math.ceil(stallMs / 3) };
  /** Connections that were handed over, which the server no longer knows. */
  const handedOver = new Set<Socket>();
  const fetchSocket = async (request: Request, env: { incoming: IncomingMessage }) => {
    const { socket } = env.incoming;
    handedOver.add(socket);
    socket.once('close', () => handedOver.delete(socket));
    const answer = await fetch(request, Object.assign(env, { mayUpgrade: true }));
    await sendUnlessGranted(socket, answer);
    return answer;
  };
  const server = createAdaptorServer({
    // Ordinary requests go to the listener below.
    fetch: fetchSocket as never,
    // The adapter describes the same class more narrowly than its own types do.
    websocket: { server: sockets as never },
    createServer: () => createServer({ ...timeouts, IncomingMessage: SocketRequest }, listener),
  }) as Server;
  refuseBroken(server, (socket) => {
    const { headersSent, writableFinished } = answering.get(socket) ?? { headersSent: false, writableFinished: false };
    return headersSent && !writableFinished;
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(toListenFailure(cause, address)));
    server.listen(address.port, address.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = isIPv6(address.host) ? `[${address.host}]` : address.host;
  const pings = setInterval(pingOrEnd(sockets), pingMs);
  return {
    url: `http://${host}:${port}`,
    close: async (graceMs = defaultGraceMs) => {
      clearInterval(pings);
      await close(server, handedOver, stopping, graceMs);
    },
  };
}

/** Asks the app for the adapter, which hands over what it knows of a request in `env`. */
function askedOf(app: Fetches, stopping: ReturnType<typeof createStopping>, givenUp: WeakMap<object, SteerError>) {
  const answerTo = (request: Request, env: object, incoming: IncomingMessage) => {
    if (stopping.begun.aborted) return renderOutsideApp(serverStops());
    // The adapter looks at the characters of a host alone, not at whether they are an address.
    if (!URL.canParse(request.url)) return renderOutsideApp(new RequestError('Invalid URL'));
    const { remoteAddress: address } = incoming.socket;
    // The adapter keeps marks of its own on the object it hands over.
    return app.fetch(request, Object.assign(env, { address, stopping, givenUp: () => givenUp.get(incoming) }));
  };
  return async (request: Request, env: object) => {
    const { incoming } = env as { incoming: IncomingMessage };
    const answer = await answerTo(request, env, incoming);
    // What has not come of a body by now is not waited for.
    if (!incoming.complete || stopping.begun.aborted) answer.headers.set('connection', 'close');
    return answer;
  };
}

/** A round over all sockets. */
function pingOrEnd(sockets: WebSocketServer): () => void {
  const silent = new WeakSet<object>();
  return () => {
    for (const socket of sockets.clients) {
      if (silent.has(socket)) socket.terminate();
      else {
        silent.add(socket);
        socket.once('pong', () => silent.delete(socket));
        socket.ping();
      }
    }
  };
}

async function close(
  server: Server,
  handedOver: ReadonlySet<Socket>,
  stopping: ReturnType<typeof createStopping>,
  graceMs: number,
): Promise<void> {
  stopping.begin();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that was busy when closing began turns idle later, and would linger for its keep-alive time.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const end = () => {
    server.closeAllConnections();
    for (const socket of handedOver) socket.destroy();
  };
  let last: NodeJS.Timeout | undefined;
  const graceOver = setTimeout(() => {
    stopping.endGrace();
    last = setTimeout(end, tellMs);
  }, graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(graceOver);
  clearTimeout(last);
}

/** What never reaches the app: a request too broken to become one (a bad Host header, say), or something thrown that is no Error. */
function renderOutsideApp(error: unknown): Response {
  const requestId = newRequestId();
  const failure =
    error instanceof RequestError
      ? new SteerError('invalid_request', 'Expected a well-formed HTTP request: check its address and Host header.')
      : toFailure(error);
  return Response.json(toEnvelope(failure, requestId), {
    status: failure.status,
    headers: { 'x-request-id': requestId, connection: 'close', ...(failure.status === 503 ? { 'retry-after': '1' } : {}) },
  });
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
