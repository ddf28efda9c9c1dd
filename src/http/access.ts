// Who may come in: one bearer key guards every route but the health checks and the pages, and a game's players come in under short-lived tokens that
// are good for one session each.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { SteerError } from '../errors.ts';
import { checkToken, looksLikeToken, type Permission } from '../npc/client-tokens.ts';
import type { Db } from '../store/connect.ts';
import type { AppEnv, RequestContext } from './app-context.ts';
import { nameCaller } from './caller.ts';
import { isPage } from './routes/playground.ts';

/**
 * Middleware that asks for `Authorization: Bearer <key>`; without a key it lets everyone in who shows nothing. A token is checked either way.
 * Throws invalid_api_key, or forbidden for a token of another session or for what it does not allow.
 */
export function requireKey(key: string | undefined, db: Db | undefined): MiddlewareHandler<AppEnv> {
  const expected = key === undefined ? undefined : digest(key);
  return async (c, next) => {
    if (c.req.path.startsWith('/health/') || isPage(c.req.path)) return await next();
    const given = givenKey(c);
    if (given !== undefined && looksLikeToken(given) && db) {
      const wanted = tokenRoute(c);
      c.set('token', await checkToken(db, given, wanted));
      c.set('caller', nameCaller(c, false));
      return await next();
    }
    // Equal-length digests, so that the comparison tells nothing of the key's length either.
    if (expected && (given === undefined || !timingSafeEqual(digest(given), expected))) {
      throw new SteerError('invalid_api_key', 'Expected the header "Authorization: Bearer KEY" with the key of this server.');
    }
    c.set('caller', nameCaller(c, expected !== undefined));
    await next();
  };
}

const npcRoute = /^\/v1\/npcs\/[^/]+\/sessions\/([^/]+)(?:\/(\w+))?$/;

/** By the last part of the address, then by method. */
const routePermissions = new Map<string, Record<string, Permission>>([
  ['', { GET: 'mood' }],
  ['say', { POST: 'say' }],
  ['cancel', { POST: 'say' }],
  ['socket', { GET: 'say' }],
  ['mood', { GET: 'mood', POST: 'events' }],
  ['events', { POST: 'events' }],
  ['feedback', { POST: 'feedback' }],
]);

/** What a token must allow to come in there. */
function tokenRoute({ req }: RequestContext): { sessionId: string; permission: Permission | undefined } {
  const [, sessionId = '', part = ''] = npcRoute.exec(req.path) ?? [];
  return { sessionId, permission: routePermissions.get(part)?.[req.method] };
}

/** Methods a player's token may be shown with at that address; none at most. */
export function playersMethods(path: string): string[] {
  const [address, , part = ''] = npcRoute.exec(path) ?? [];
  return address === undefined ? [] : Object.keys(routePermissions.get(part) ?? {});
}

/** Browsers can give a socket no header, so there, and only for tokens, the query will do. */
function givenKey({ req }: RequestContext): string | undefined {
  const shown = /^Bearer +(\S+) *$/i.exec(req.header('authorization') ?? '')?.[1];
  if (shown !== undefined || !req.path.endsWith('/socket')) return shown;
  const token = req.query('token');
  return token !== undefined && looksLikeToken(token) ? token : undefined;
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
