// GET /health/live: the process answers. GET /health/ready: so would its models and its database.
import { setTimeout as sleep } from 'node:timers/promises';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import { type Db, knock } from '../../store/connect.ts';
import type { AppContext, AppEnv } from '../app-context.ts';
import { databaseAway } from '../problem.ts';
import { answered } from '../schemas/route-parts.ts';

const liveRoute = createRoute({
  method: 'get',
  path: '/health/live',
  tags: ['Health'],
  summary: 'Whether the process answers',
  responses: answered('It does', z.object({ status: z.literal('live') })),
});

const readyRoute = createRoute({
  method: 'get',
  path: '/health/ready',
  tags: ['Health'],
  summary: 'Whether a request would be answered now',
  responses: answered('It would', z.object({ status: z.literal('ready') }), 'not_ready', 'database_unavailable'),
});

/** Adds both routes. */
export function addHealth(app: OpenAPIHono<AppEnv>, { models, db }: AppContext): void {
  app.openapi(liveRoute, (c) => c.json({ status: 'live' as const }, 200));
  app.openapi(readyRoute, async (c) => {
    if (!models.ready()) throw new SteerError('not_ready', 'The models are still loading. Try again shortly.');
    if (db) await askDatabase(db);
    return c.json({ status: 'ready' as const }, 200);
  });
}

const patienceMs = 2_000;

/** Throws `database_unavailable` when the database does not answer soon. */
async function askDatabase(db: Db): Promise<void> {
  const over = new AbortController();
  const late = sleep(patienceMs, undefined, { signal: over.signal }).then(() => {
    throw databaseAway();
  });
  try {
    await Promise.race([knock(db), late]);
  } finally {
    over.abort();
    late.catch(() => {});
  }
}
