// The same session over a WebSocket, for clients that stay: who gets one.
import { upgradeWebSocket } from '@hono/node-server';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import type { AppContext, AppEnv } from '../app-context.ts';
import type { NpcService } from '../npc-lines.ts';
import { Talk } from '../npc-talk.ts';
import { toInvalidRequest } from '../problem.ts';
import { failureResponses } from '../schemas/failure.ts';
import { SessionParams } from '../schemas/npc-sessions.ts';

/** Open sockets of one session: one player's, and a few of who looks on. */
const mostSockets = 16;
/** A client that has read nothing of an answer for so long gives its place to another, ms. */
const idleReaderMs = 3_000;

const socketRoute = createRoute({
  method: 'get',
  path: '/v1/npcs/{id}/sessions/{sid}/socket',
  tags: ['Character sessions'],
  summary: 'Stay in a session over a WebSocket',
  description:
    'Each message is JSON: `{"send": "say", "text": …}` with the fields of the route say, `{"send": "event", "type": …}`, `{"send": "mood"}` or ' +
    '`{"send": "cancel"}`, and perhaps a `ref` that comes back with every answer. Answers are `NpcSentence`, `NpcLine`, `NpcMood`, `NpcCancel` and ' +
    '`Error`. Messages are answered one after the other; `cancel`, and a line with `interrupt`, break off the one being said. A client may have ' +
    '64 messages waiting; with more the socket is closed (1008). Closing it breaks off a line that is being said.',
  request: {
    params: SessionParams,
    query: z.object({ token: z.string().max(128).optional().openapi({ description: 'A client token, for browsers' }) }),
  },
  responses: {
    101: { description: 'The socket is open' },
    ...failureResponses('not_found', 'overloaded'),
  },
});

/** Adds the route. */
export function addNpcSocket(app: OpenAPIHono<AppEnv>, context: AppContext, npcs: () => NpcService): void {
  app.openAPIRegistry.registerPath(socketRoute);
  /** Open sockets by session. */
  const open = new Map<string, Set<Talk>>();
  app.get('/v1/npcs/:id/sessions/:sid/socket', async (c, next) => {
    const { id, sid } = checkedParams(c.req.param());
    await npcs().log.open(id, sid);
    if (!c.env?.mayUpgrade) {
      throw new SteerError(
        'invalid_request',
        'Expected a WebSocket: send the headers "Connection: Upgrade" and "Upgrade: websocket".',
      );
    }
    makeRoom(open.get(sid) ?? new Set());
    const talk = new Talk(c, context, npcs(), id, sid);
    const enter = () => {
      open.set(sid, (open.get(sid) ?? new Set()).add(talk));
    };
    const leave = () => {
      const others = open.get(sid);
      others?.delete(talk);
      if (others?.size === 0) open.delete(sid);
    };
    return (await upgradeWebSocket(() => talk.listeners(enter, leave))(c as never, next))!;
  });
}

/** Lets the socket go whose client has not read for longest, where there are too many. Throws `overloaded` where every client reads. */
function makeRoom(talks: ReadonlySet<Talk>): void {
  if (talks.size < mostSockets) return;
  const [longest] = [...talks].toSorted((a, b) => b.unreadMs - a.unreadMs);
  if (longest!.unreadMs < idleReaderMs) {
    const message = `Expected at most ${mostSockets} sockets of one session. Close another first, or read what was sent to it.`;
    throw new SteerError('overloaded', message);
  }
  longest!.letGo();
}

function checkedParams(found: object): z.infer<typeof SessionParams> {
  const { data, error } = SessionParams.safeParse(found);
  if (data) return data;
  throw toInvalidRequest(error);
}
