// Who may come in: one bearer key guards every route but the health checks. Knows no users and no scopes.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { SteerError } from '../errors.ts';
import type { DoorEnv } from './door.ts';

/** Middleware that asks for `Authorization: Bearer <key>`; without a key it lets everyone in. Throws invalid_api_key. */
export function requireKey(key: string | undefined): MiddlewareHandler<DoorEnv> {
  const expected = key === undefined ? undefined : digest(key);
  return async (c, next) => {
    if (expected && !c.req.path.startsWith('/health/')) {
      const given = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
      // Equal-length digests, so that the comparison tells nothing of the key's length either.
      if (given === undefined || !timingSafeEqual(digest(given), expected)) {
        throw new SteerError('invalid_api_key', 'Expected the header "Authorization: Bearer KEY" with the key of this server.');
      }
    }
    await next();
  };
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
