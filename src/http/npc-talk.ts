// One WebSocket of a session: messages in, sentences and lines out. Each message is what the route of its name takes.
import { z } from '@hono/zod-openapi';
import type { WSContext } from 'hono/ws';
import { SteerError } from '../errors.ts';
import { awaitRoom } from '../event-loop.ts';
import { type Permission, refusalOfLine } from '../npc/client-tokens.ts';
import type { AppContext, RequestContext } from './app-context.ts';
import { describeError } from './log.ts';
import { type NpcService, sayLine } from './npc-lines.ts';
import { toInvalidRequest } from './problem.ts';
import { beginReplies } from './replies.ts';
import { tellEvent, toMood } from './routes/npc-play.ts';
import { toEnvelope } from './schemas/failure.ts';
import { EventBody, SayBody } from './schemas/npc-sessions.ts';
import { failureUnder, follow, untilBegun } from './stopping.ts';

const Ref = z.string().max(128).optional();
/** What a client sends. `ref` comes back with everything that answers it. */
const Message = z.discriminatedUnion(
  'send',
  [
    SayBody.omit({ stream: true }).extend({ send: z.literal('say'), ref: Ref }),
    EventBody.extend({ send: z.literal('event'), ref: Ref }),
    z.strictObject({ send: z.literal('mood'), ref: Ref }),
    z.strictObject({ send: z.literal('cancel'), ref: Ref }),
  ],
  { error: 'expected one of say, event, mood, cancel' },
);
type Message = z.infer<typeof Message>;

const needs: Record<Message['send'], Permission> = { say: 'say', cancel: 'say', mood: 'mood', event: 'events' };

/** What a socket needs of the library's own. */
interface RawSocket {
  /** Calls back when the message has left this process. */
  send(data: string, sent: (error?: Error) => void): void;
  terminate(): void;
}

/** Messages that may wait behind the one being answered. */
const mostWaiting = 64;
/** A client that reads nothing of an answer for so long is let go even where nobody wants its place, ms. */
const mostUnsentMs = 30_000;
/** Codes of closing: the server goes away; the client may not, or no longer, do this. */
const closing = { stopping: 1001, notAllowed: 1008 } as const;

/** One connection. Messages are answered one after the other, the next when the client has room for it; only `cancel` and a line that breaks another off act at once. */
export class Talk {
  readonly #request: RequestContext;
  readonly #context: AppContext;
  readonly #npcs: NpcService;
  readonly #npcId: string;
  readonly #sessionId: string;
  readonly #gone = new AbortController();
  readonly #requestId: string;
  readonly #waiting: unknown[] = [];
  #socket: WSContext | undefined;
  /** When the answer was sent that has not left yet, on the clock of performance.now(). */
  #sentMs: number | undefined;
  #busy = false;
  #cancelling = false;
  #left = false;
  /** Why the socket is closed once nothing is being answered. */
  #ending: { code: number; reason: string } | undefined;
  #leave = () => {};

  constructor(c: RequestContext, context: AppContext, npcs: NpcService, npcId: string, sessionId: string) {
    this.#request = c;
    this.#context = context;
    this.#npcs = npcs;
    this.#npcId = npcId;
    this.#sessionId = sessionId;
    this.#requestId = c.get('requestId');
  }

  /** `onEnter` and `onLeave` hear of the socket's beginning and its end. */
  listeners(onEnter: () => void, onLeave: () => void) {
    const stopping = this.#request.env?.stopping;
    const stop = new AbortController();
    let unfollow: (() => void)[] = [];
    let expiry: NodeJS.Timeout | undefined;
    this.#leave = () => {
      if (this.#left) return;
      this.#left = true;
      onLeave();
      clearTimeout(expiry);
      this.#waiting.length = 0;
      for (const end of unfollow) end();
      this.#gone.abort();
    };
    return {
      onOpen: (_: unknown, socket: WSContext) => {
        this.#socket = socket;
        stop.signal.addEventListener('abort', () => this.#end(closing.stopping, 'The server is stopping.'), { once: true });
        unfollow = [follow(stopping?.graceOver, this.#gone), follow(stopping?.begun, stop)];
        expiry = this.#endWithToken();
        onEnter();
      },
      onMessage: (event: { data: unknown }, socket: WSContext) => this.#take(event.data, socket),
      onClose: () => this.#leave(),
      onError: () => this.#leave(),
    };
  }

  /** How long the client has read nothing of what was sent to it. */
  get unreadMs(): number {
    return this.#sentMs === undefined ? 0 : performance.now() - this.#sentMs;
  }

  /** Ends a socket whose client does not read. */
  letGo(): void {
    const line = { requestId: this.#requestId, npcSession: this.#sessionId };
    this.#context.log.warn(line, `socket ended: its client read nothing for ${Math.round(this.unreadMs / 1000)} s`);
    (this.#socket!.raw as RawSocket).terminate();
    this.#leave();
  }

  /** Ends a socket whose session is gone. */
  endWithSession(): void {
    this.#end(closing.notAllowed, 'The session is ended.');
  }

  /** Ends a socket that was let in together with too many others. */
  endAsTooMany(): void {
    this.#end(closing.notAllowed, 'The session has too many sockets. Close another first.');
  }

  #endWithToken(): NodeJS.Timeout | undefined {
    const token = this.#request.get('token');
    if (!token) return undefined;
    const end = () => this.#end(closing.notAllowed, 'The client token has run out. Ask the game server for a new one.');
    return setTimeout(end, Math.max(0, token.expiresAt.getTime() - Date.now()));
  }

  /** What waits goes unanswered. */
  #end(code: number, reason: string): void {
    this.#ending ??= { code, reason };
    this.#leaveWhenIdle();
  }

  /** Lets what is being answered end first. The place is free at once, though a client may take its time to say goodbye. */
  #leaveWhenIdle(): void {
    if (!this.#ending || this.#busy || this.#left) return;
    this.#socket?.close(this.#ending.code, this.#ending.reason);
    this.#leave();
  }

  #take(data: unknown, socket: WSContext): void {
    if (this.#gone.signal.aborted || socket.readyState !== 1) return;
    const breaking = this.#busy && !this.#cancelling ? this.#breakOff(data, socket) : undefined;
    if (breaking) {
      this.#cancelling = true;
      void breaking.over.finally(() => (this.#cancelling = false));
      if (breaking.answered) return;
    }
    if (this.#waiting.length >= mostWaiting) {
      this.#waiting.length = 0;
      socket.close(closing.notAllowed, `More than ${mostWaiting} messages wait; send the next after an answer.`);
      return;
    }
    this.#waiting.push(data);
    if (!this.#busy) void this.#work(socket);
  }

  /** What a message does to the line being said that cannot wait for its end; undefined for all that can. */
  #breakOff(data: unknown, socket: WSContext): { over: Promise<unknown>; answered: boolean } | undefined {
    const message = readMessage(data);
    if (message?.send === 'cancel') return { over: this.#hear(data, socket), answered: true };
    if (message?.send !== 'say' || !message.interrupt || this.#refusal(message)) return undefined;
    return { over: this.#npcs.stage.interrupt(this.#sessionId), answered: false };
  }

  async #work(socket: WSContext): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0 && socket.readyState === 1 && !this.#ending) {
      await awaitRoom();
      await this.#hear(this.#waiting.shift(), socket);
    }
    this.#busy = false;
    this.#leaveWhenIdle();
  }

  async #hear(data: unknown, socket: WSContext): Promise<void> {
    let ref: string | undefined;
    const tell = (object: object) => this.#send(JSON.stringify(ref === undefined ? object : { ...object, ref }), socket);
    try {
      const json = parseJson(data);
      ref = Ref.catch(undefined).parse((json as { ref?: unknown } | null)?.ref);
      const { success, data: message, error } = Message.safeParse(json);
      if (!success) throw toInvalidRequest(error);
      const refusal = this.#refusal(message);
      if (refusal) throw refusal;
      await this.#answer(message, tell);
    } catch (error) {
      const failure = failureUnder(this.#gone.signal, error);
      // Where no notice of it came.
      if (failure.code === 'not_found') this.endWithSession();
      if (failure.status >= 500 && failure.code !== 'not_ready') {
        const line = { requestId: this.#requestId, code: failure.code, err: describeError(failure.cause ?? failure) };
        this.#context.log.error(line, 'message failed');
      }
      await tell(toEnvelope(failure, this.#requestId));
    }
  }

  /** Settles when the message has left, so that what a client does not read is never more than one. */
  async #send(text: string, socket: WSContext): Promise<void> {
    if (socket.readyState !== 1) return;
    const raw = socket.raw as RawSocket;
    const late = setTimeout(() => this.letGo(), mostUnsentMs);
    this.#sentMs = performance.now();
    await new Promise<void>((resolve) => raw.send(text, () => resolve()));
    this.#sentMs = undefined;
    clearTimeout(late);
  }

  /** A token may run out, or allow less than the socket takes, while the socket is open. */
  #refusal(message: Message): SteerError | undefined {
    const token = this.#request.get('token');
    if (!token) return undefined;
    if (token.expiresAt.getTime() <= Date.now()) {
      return new SteerError(
        'invalid_api_key',
        'The client token has run out. Ask the game server for a new one and open a new socket.',
      );
    }
    const needed = needs[message.send];
    if (token.allows.includes(needed)) return message.send === 'say' ? refusalOfLine(token, message) : undefined;
    return new SteerError('forbidden', `send: the client token does not allow ${needed}; it allows: ${token.allows.join(', ')}.`);
  }

  async #answer(message: Message, tell: (object: object) => Promise<void>): Promise<void> {
    const { log, stage } = this.#npcs;
    const [npcId, sessionId] = [this.#npcId, this.#sessionId];
    switch (message.send) {
      case 'say': {
        const { send: _, ref: __, ...body } = message;
        const asked = { npcId, sessionId, body: { ...body, stream: true } };
        const { signal } = this.#gone;
        const line = sayLine(this.#request, this.#context, this.#npcs, asked, signal);
        const begun = await untilBegun(this.#request, beginReplies(line, signal), this.#gone);
        for await (const said of begun) await tell(said);
        return;
      }
      case 'event':
        return tell(toMood(this.#context, await tellEvent(log, npcId, sessionId, message)));
      case 'mood':
        return tell(toMood(this.#context, await log.open(npcId, sessionId)));
      case 'cancel':
        return tell({ object: 'npc.cancel', session_id: sessionId, cancelled: await stage.interrupt(sessionId) });
    }
  }
}

function readMessage(data: unknown): Message | undefined {
  try {
    return Message.safeParse(parseJson(data)).data;
  } catch {
    return undefined;
  }
}

function parseJson(data: unknown): unknown {
  try {
    if (typeof data === 'string') return JSON.parse(data);
  } catch {
    // Told below, as for a message of bytes.
  }
  throw new SteerError('invalid_json', 'Expected a text message with one JSON object.');
}
