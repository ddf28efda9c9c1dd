// The same session over a WebSocket, for clients that stay: who gets one.
import { upgradeWebSocket } from '@hono/node-server';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import type { AppContext, AppEnv } from '../app-context.ts';
import type { NpcService } from '../npc-lines.ts';
import { NpcSockets } from '../npc-sockets.ts';
import { Talk } from '../npc-talk.ts';
import { toInvalidRequest } from '../problem.ts';
import { failureResponses } from '../schemas/failure.ts';
import { SessionParams } from '../schemas/npc-sessions.ts';

const socketRoute = createRoute({
  method: 'get',
  path: '/v1/npcs/{id}/sessions/{sid}/socket',
  tags: ['Character sessions'],
  summary: 'Stay in a session over a WebSocket',
  description:
    'Each message is JSON: `{"send": "say", "text": …}` with the fields of the route say, `{"send": "event", "type": …}`, `{"send": "mood"}` or ' +
    '`{"send": "cancel"}`, and perhaps a `ref` that comes back with every answer. Answers are `NpcSentence`, `NpcLine`, `NpcMood`, `NpcCancel` and ' +
    '`Error`. Messages are answered one after the other; `cancel`, and a line with `interrupt`, break off the one being said. A client may have ' +
    '64 messages waiting; with more the socket is closed (1008). So it is when its token runs out or its session is ended, once what is being ' +
    'answered has been. A client that answers no ping for half a minute is let go. Closing the socket breaks off a line that is being said.',
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
  const sockets = new NpcSockets(context);
  app.get('/v1/npcs/:id/sessions/:sid/socket', async (c, next) => {
    const { id, sid } = checkedParams(c.req.param());
    await npcs().log.open(id, sid);
    if (!c.env?.mayUpgrade) {
      throw new SteerError(
        'invalid_request',
        'Expected a WebSocket: send the headers "Connection: Upgrade" and "Upgrade: websocket".',
      );
    }
    sockets.makeRoom(sid);
    const talk = new Talk(c, context, npcs(), id, sid);
    const [enter, leave] = [() => sockets.enter(sid, talk), () => sockets.leave(sid, talk)];
    return (await upgradeWebSocket(() => talk.listeners(enter, leave))(c as never, next))!;
  });
}

function checkedParams(found: object): z.infer<typeof SessionParams> {
  const { data, error } = SessionParams.safeParse(found);
  if (data) return data;
  throw toInvalidRequest(error);
}
