// Requests to go on in another protocol that do not lead to a socket: answered like any other, since the adapter by itself would send no body, or
// nothing at all.
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { SteerError } from '../errors.ts';
import { answerTo } from './patience.ts';

type UpgradeListener = (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Answers those who ask for another protocol than that of sockets, whom the adapter would leave waiting. */
export function refuseOtherProtocols(server: Server): void {
  const [takeSocket] = server.listeners('upgrade') as UpgradeListener[];
  server.removeAllListeners('upgrade');
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    const protocol = incoming.headers.upgrade ?? '';
    if (protocol.toLowerCase() === 'websocket') return takeSocket?.(incoming, socket, head);
    const found = JSON.stringify(protocol.slice(0, 64));
    const message = `Upgrade: expected websocket, or no such header, found ${found}. Send the request as plain HTTP/1.1.`;
    const failure = new SteerError('invalid_request', message, { details: { param: 'Upgrade' } });
    socket.on('error', () => {});
    socket.end(answerTo(failure, incoming.headers.accept), () => socket.destroy());
  });
}

/** Sends what the app answered to a request for a socket, unless it granted one. The connection is closed, so that the adapter adds nothing. */
export async function sendUnlessGranted(socket: Duplex, answer: Response): Promise<void> {
  const { ok, status, body } = answer;
  if (ok && body === null) return;
  const headers = new Headers(answer.headers);
  headers.set('connection', 'close');
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`;
  async function* whole() {
    yield head;
    if (body) yield* Readable.fromWeb(body as ReadableStream);
  }
  // Who left meanwhile needs no answer.
  await pipeline(whole, socket).catch(() => {});
  socket.destroy();
}
