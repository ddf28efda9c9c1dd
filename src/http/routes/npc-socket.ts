// The same session over a WebSocket: messages in, sentences and lines out, for clients that stay. Each message is what the route of its name takes.
import { upgradeWebSocket } from '@hono/node-server';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { WSContext } from 'hono/ws';
import { SteerError } from '../../errors.ts';
import type { Permission } from '../../npc/client-tokens.ts';
import type { AppContext, AppEnv, RequestContext } from '../app-context.ts';
import { describeError } from '../log.ts';
import { type NpcService, sayLine } from '../npc-lines.ts';
import { toFailure, toInvalidRequest } from '../problem.ts';
import { failureResponses, toEnvelope } from '../schemas/failure.ts';
import { EventBody, SayBody } from '../schemas/npc-sessions.ts';
import { tellEvent, toMood } from './npc-play.ts';

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

const params = z.object({ id: z.string().max(64), sid: z.string().max(64) });

const socketRoute = createRoute({
  method: 'get',
  path: '/v1/npcs/{id}/sessions/{sid}/socket',
  tags: ['Character sessions'],
  summary: 'Stay in a session over a WebSocket',
  description:
    'Each message is JSON: `{"send": "say", "text": …}` with the fields of the route say, `{"send": "event", "type": …}`, `{"send": "mood"}` or ' +
    '`{"send": "cancel"}`, and perhaps a `ref` that comes back with every answer. Answers are `NpcSentence`, `NpcLine`, `NpcMood`, `NpcCancel` and ' +
    '`Error`. Closing the socket breaks off a line that is being said.',
  request: {
    params,
    query: z.object({ token: z.string().max(128).optional().openapi({ description: 'A client token, for browsers' }) }),
  },
  responses: {
    101: { description: 'The socket is open' },
    ...failureResponses('invalid_request', 'not_found', 'database_unavailable'),
  },
});

/** Adds the route. */
export function addNpcSocket(app: OpenAPIHono<AppEnv>, context: AppContext, npcs: () => NpcService): void {
  app.openAPIRegistry.registerPath(socketRoute);
  app.get('/v1/npcs/:id/sessions/:sid/socket', async (c, next) => {
    const { id, sid } = params.parse(c.req.param());
    refuseForeignPage(c);
    await npcs().log.open(id, sid);
    const upgraded = await upgradeWebSocket(() => new Talk(c, context, npcs(), id, sid).listeners())(c as never, next);
    if (upgraded) return upgraded;
    throw new SteerError(
      'invalid_request',
      'Expected a WebSocket: send the headers "Connection: Upgrade" and "Upgrade: websocket".',
    );
  });
}

/** Browsers let any page open a socket anywhere: one of another origin must show a token, or it could talk in the name of whoever looks at it. */
function refuseForeignPage(c: RequestContext): void {
  const origin = c.req.header('origin');
  if (origin === undefined || c.get('token') || origin.replace(/^https?:\/\//, '') === c.req.header('host')) return;
  throw new SteerError(
    'forbidden',
    'A page of another origin needs a client token: add ?token=TOKEN, minted by the game server.',
  );
}

/** One connection. */
class Talk {
  readonly #request: RequestContext;
  readonly #context: AppContext;
  readonly #npcs: NpcService;
  readonly #npcId: string;
  readonly #sessionId: string;
  readonly #gone = new AbortController();
  readonly #requestId: string;

  constructor(c: RequestContext, context: AppContext, npcs: NpcService, npcId: string, sessionId: string) {
    this.#request = c;
    this.#context = context;
    this.#npcs = npcs;
    this.#npcId = npcId;
    this.#sessionId = sessionId;
    this.#requestId = c.get('requestId');
  }

  listeners() {
    return {
      onMessage: (event: { data: unknown }, socket: WSContext) => void this.#hear(event.data, socket),
      onClose: () => this.#gone.abort(),
      onError: () => this.#gone.abort(),
    };
  }

  async #hear(data: unknown, socket: WSContext): Promise<void> {
    let ref: string | undefined;
    const tell = (object: object) => socket.send(JSON.stringify(ref === undefined ? object : { ...object, ref }));
    try {
      const json = parseJson(data);
      ref = Ref.catch(undefined).parse((json as { ref?: unknown } | null)?.ref);
      const { success, data: message, error } = Message.safeParse(json);
      if (!success) throw toInvalidRequest(error);
      this.#admit(message);
      await this.#answer(message, tell);
    } catch (error) {
      const failure = toFailure(error);
      if (failure.status >= 500) {
        const line = { requestId: this.#requestId, code: failure.code, err: describeError(failure.cause ?? failure) };
        this.#context.log.error(line, 'message failed');
      }
      if (!this.#gone.signal.aborted) tell(toEnvelope(failure, this.#requestId));
    }
  }

  /** A token may run out, or allow less than the socket takes, while the socket is open. */
  #admit({ send }: Message): void {
    const token = this.#request.get('token');
    if (!token) return;
    if (token.expiresAt.getTime() <= Date.now()) {
      throw new SteerError(
        'invalid_api_key',
        'The client token has run out. Ask the game server for a new one and open a new socket.',
      );
    }
    if (token.allows.includes(needs[send])) return;
    throw new SteerError(
      'forbidden',
      `send: the client token does not allow ${needs[send]}; it allows: ${token.allows.join(', ')}.`,
    );
  }

  async #answer(message: Message, tell: (object: object) => void): Promise<void> {
    const { log, stage } = this.#npcs;
    const [npcId, sessionId] = [this.#npcId, this.#sessionId];
    switch (message.send) {
      case 'say': {
        const { send: _, ref: __, ...body } = message;
        const asked = { npcId, sessionId, body: { ...body, stream: true } };
        for await (const said of sayLine(this.#request, this.#context, this.#npcs, asked, this.#gone.signal)) tell(said);
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

function parseJson(data: unknown): unknown {
  try {
    if (typeof data === 'string') return JSON.parse(data);
  } catch {
    // Told below, as for a message of bytes.
  }
  throw new SteerError('invalid_json', 'Expected a text message with one JSON object.');
}
