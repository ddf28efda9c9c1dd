// What a connection may take of the server's time: who sends headers or a body too slowly, or does not read what is sent, is cut off. Slow but steady
// callers are not: only the time without progress is bounded, never the whole.
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { SteerError } from '../errors.ts';
import { toEnvelope, toProblem } from './schemas/failure.ts';

export interface Patience {
  /** A caller who reads nothing of what waits for it for so long is cut off; a body must go on within the same time, ms. */
  stallMs: number;
  /** By which a body must have grown in that time where it is not whole, bytes. */
  leastBodyBytes: number;
}

/** Some 270 bytes a second: a tenth of what the slowest modems sent. */
export const defaultPatience: Patience = { stallMs: 30_000, leastBodyBytes: 8_192 };

/** Ends the connection when the caller has not taken any of what was written for `stallMs`. */
export function watchReader(outgoing: ServerResponse, { stallMs }: Patience): void {
  // The timer of a socket starts again with every byte that leaves or comes.
  outgoing.setTimeout(stallMs, () => {
    const { socket } = outgoing;
    if (socket && socket.writableLength > 0) socket.destroy();
    else socket?.setTimeout(stallMs);
  });
}

/** Answers 408 and ends the connection when a body does not go on; `onFailure` hears of it first. Time in which the server does not read counts for nothing. */
export function watchBody(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { stallMs, leastBodyBytes }: Patience,
  onFailure: (failure: SteerError) => void,
): void {
  const { socket, headers } = incoming;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return;
  let read = socket.bytesRead;
  const timer = setInterval(() => {
    const came = socket.bytesRead - read;
    read += came;
    if (incoming.complete) return clearInterval(timer);
    if (incoming.readableLength > 0 || came >= leastBodyBytes) return;
    clearInterval(timer);
    const failure = new SteerError(
      'request_timeout',
      `Expected at least ${leastBodyBytes} bytes of the body every ${stallMs / 1000} s, found ${came}. Send the request again, its body without a pause.`,
    );
    onFailure(failure);
    const end = () => void incoming.destroy(failure);
    if (outgoing.headersSent) end();
    else socket.write(answerTo(failure, headers.accept), end);
  }, stallMs);
  outgoing.once('close', () => clearInterval(timer));
}

/** For so long what is still being sent of a body is taken and thrown away after the answer, ms. */
const lingerMs = 500;

/** Where the connection is to close before a body has come whole, lets more of it come first: who is cut off while sending may not read the answer. */
export function lingerOver(incoming: IncomingMessage): void {
  const { socket } = incoming;
  socket.destroySoon = () => {
    // The next call is that of the class.
    Reflect.deleteProperty(socket, 'destroySoon');
    if (incoming.complete) return socket.destroySoon();
    const end = () => {
      clearTimeout(timer);
      socket.destroySoon();
    };
    const timer = setTimeout(end, lingerMs);
    incoming.once('close', end);
  };
}

/** Requests of one connection that may be in hand, sent without waiting for the answer to the first. */
const mostInHand = 64;

/** Counts the requests in hand on each connection; the one too many is answered 429, and no further is read. */
export function boundPipelines(): (incoming: IncomingMessage, outgoing: ServerResponse) => boolean {
  const inHand = new WeakMap<object, number>();
  return ({ socket, headers }, outgoing) => {
    const count = (inHand.get(socket) ?? 0) + 1;
    inHand.set(socket, count);
    outgoing.once('close', () => inHand.set(socket, inHand.get(socket)! - 1));
    if (count <= mostInHand) return true;
    socket.pause();
    if (count > mostInHand + 1) return false;
    const message = `Expected at most ${mostInHand} requests of one connection at a time. Wait for answers before sending more.`;
    const { status, head, body } = answerOf(
      new SteerError('overloaded', message, { details: { retryAfterS: 1 } }),
      headers.accept,
    );
    outgoing.writeHead(status, { ...head, 'Retry-After': '1' }).end(body);
    return false;
  };
}

/** Answers those whose request never became one: headers too slow, too long or malformed. */
export function refuseBroken(server: Server, isAnswering: (socket: Duplex) => boolean): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (!socket.writable || error.code === 'ECONNRESET' || isAnswering(socket)) return void socket.destroy(error);
    socket.end(answerTo(brokenRequest(error), undefined), () => socket.destroy());
  });
}

function brokenRequest({ code }: NodeJS.ErrnoException): SteerError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new SteerError('request_timeout', 'Expected all headers of the request by now. Send it again without a pause.');
  }
  const found = code === 'HPE_HEADER_OVERFLOW' ? 'Expected shorter headers.' : 'Expected a well-formed HTTP request.';
  return new SteerError('invalid_request', found);
}

/** What is answered where no app does, after which the connection is closed. */
function answerOf(failure: SteerError, accept: string | undefined) {
  const requestId = newRequestId();
  const asProblem = /\bapplication\/problem\+json\b/i.test(accept ?? '');
  const body = JSON.stringify((asProblem ? toProblem : toEnvelope)(failure, requestId));
  const head = {
    'Content-Type': `application/${asProblem ? 'problem+json' : 'json'}`,
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': requestId,
    Connection: 'close',
  };
  return { status: failure.status, head, body };
}

/** The same as the bytes of a whole response. */
export function answerTo(failure: SteerError, accept: string | undefined): string {
  const { status, head, body } = answerOf(failure, accept);
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}

/** Id of a request that comes without one. */
export function newRequestId(): string {
  return `req_${randomUUID().replaceAll('-', '')}`;
}
