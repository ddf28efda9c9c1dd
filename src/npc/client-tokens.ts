// Keys that a game's server hands to a player's machine, which must not know the server's own: each good for one session, for some of what can be done
// with it, and not for long. Only hashes are kept.
import { createHash, randomBytes } from 'node:crypto';
import { eq, lt, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db } from '../store/connect.ts';
import { npcTokens } from '../store/npc-schema.ts';

/** say: also breaking a line off; mood: reading it; events: telling events and setting scenes; feedback: rating lines. */
export const permissions = ['say', 'mood', 'events', 'feedback'] as const;
export type Permission = (typeof permissions)[number];

const prefix = 'npct_';

/** A token as it was let in. */
export interface Admission {
  sessionId: string;
  allows: readonly string[];
  expiresAt: Date;
}

export interface ClientToken {
  /** Told once and kept nowhere. */
  token: string;
  expiresAt: Date;
}

/** Mints a token; those that are past their life are swept away with it. */
export async function mintToken(
  db: Db,
  { sessionId, allows, lifeS }: { sessionId: string; allows: Permission[]; lifeS: number },
): Promise<ClientToken> {
  const token = `${prefix}${randomBytes(24).toString('base64url')}`;
  const expiresAt = new Date(Date.now() + 1000 * lifeS);
  await db.delete(npcTokens).where(lt(npcTokens.expiresAt, sql`now() - interval '1 hour'`));
  await db.insert(npcTokens).values({ hash: hashOf(token), sessionId, allows, expiresAt });
  return { token, expiresAt };
}

/** Whether a bearer key is meant to be one of these. */
export function looksLikeToken(key: string): boolean {
  return key.startsWith(prefix);
}

/**
 * Lets a token through to what it allows in its session. Throws invalid_api_key for one that is unknown or past its life, and forbidden for another
 * session or for what it was not minted for.
 */
export async function checkToken(
  db: Db,
  token: string,
  wanted: { sessionId: string; permission: Permission | undefined },
): Promise<Admission> {
  const [row] = await db
    .select()
    .from(npcTokens)
    .where(eq(npcTokens.hash, hashOf(token)));
  if (!row) throw new SteerError('invalid_api_key', 'The client token is unknown. Ask the game server for a new one.');
  if (row.expiresAt.getTime() <= Date.now()) {
    const past = row.expiresAt.toISOString();
    throw new SteerError('invalid_api_key', `The client token was good until ${past}. Ask the game server for a new one.`);
  }
  if (wanted.sessionId === '')
    throw new SteerError('forbidden', 'A client token is good for its own session under /v1/npcs alone.');
  if (row.sessionId !== wanted.sessionId) {
    throw new SteerError(
      'forbidden',
      'The client token belongs to another session. Ask the game server for one of this session.',
    );
  }
  if (wanted.permission === undefined || !row.allows.includes(wanted.permission)) {
    const allowed = row.allows.join(', ');
    throw new SteerError('forbidden', `The client token does not allow this; it allows: ${allowed}. Let the game server do it.`);
  }
  return row;
}

/**
 * Why a player's machine may not say this with a line; undefined where it may. A time told moves the game's clock for good, so only who tells what
 * happens in the game may tell one; and what the character says is never the player's to write.
 */
export function refusalOfLine(
  { allows }: Pick<Admission, 'allows'>,
  { at, fallback }: { at?: unknown; fallback?: unknown },
): SteerError | undefined {
  const refuse = (param: string, why: string) => {
    const message = `${param}: expected none under this client token, since ${why}. Leave it out, or let the game server say the line.`;
    return new SteerError('forbidden', message, { details: { param } });
  };
  if (at !== undefined && !allows.includes('events')) return refuse('at', 'only a token that allows events tells the time');
  if (fallback !== undefined) return refuse('fallback', 'a player never writes what the character says');
  return undefined;
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
