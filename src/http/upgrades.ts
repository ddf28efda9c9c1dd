// Requests to go on in another protocol: only where there are sockets do they count. Elsewhere they are ignored, as RFC 9110 (7.8) allows, and the
// request is answered like any other.
import { IncomingMessage, STATUS_CODES } from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';

const socketPath = /^\/v1\/npcs\/[^/?\\]+\/sessions\/[^/?\\]+\/socket(\?|$)/;

/** Node hands a connection over, unanswered, where `upgrade` holds; older ones have no other way to be told when that is to be. */
export class SocketRequest extends IncomingMessage {
  declare asked: boolean;

  get upgrade(): boolean {
    if (!this.asked || this.method === 'CONNECT') return this.asked;
    const { upgrade = '', host = 'localhost' } = this.headers;
    return this.method === 'GET' && upgrade.toLowerCase() === 'websocket' && socketPath.test(this.url!) && isPlain(host);
  }

  /** Node sets this to what the headers say. */
  set upgrade(asked: boolean) {
    this.asked = asked;
  }
}

/** Whether the adapter takes it for a host; what it does not is refused in the way of every request. */
function isPlain(host: string): boolean {
  const url = `http://${host}`;
  return URL.canParse(url) && new URL(url).hostname === host.replace(/:\d+$/, '').toLowerCase();
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
