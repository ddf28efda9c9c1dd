// GET /health/live: the process answers. GET /health/ready: so would its models.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import type { Door, DoorEnv } from '../door.ts';
import { failureResponses } from '../wire/failure.ts';

const liveRoute = createRoute({
  method: 'get',
  path: '/health/live',
  tags: ['Health'],
  summary: 'Whether the process answers',
  responses: {
    200: { description: 'It does', content: { 'application/json': { schema: z.object({ status: z.literal('live') }) } } },
    ...failureResponses(),
  },
});

const readyRoute = createRoute({
  method: 'get',
  path: '/health/ready',
  tags: ['Health'],
  summary: 'Whether a request would be answered now',
  responses: {
    200: { description: 'It would', content: { 'application/json': { schema: z.object({ status: z.literal('ready') }) } } },
    ...failureResponses('not_ready'),
  },
});

/** Adds both routes. */
export function addHealth(app: OpenAPIHono<DoorEnv>, { models }: Door): void {
  app.openapi(liveRoute, (c) => c.json({ status: 'live' as const }, 200));
  app.openapi(readyRoute, (c) => {
    if (!models.ready()) throw new SteerError('not_ready', 'The models are still loading. Try again shortly.');
    return c.json({ status: 'ready' as const }, 200);
  });
}
