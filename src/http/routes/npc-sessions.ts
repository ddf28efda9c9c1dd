// /v1/npcs/{id}/sessions: sessions of players with a character are begun, found and ended, marked, gone back in and gone on from another way.
import { randomInt } from 'node:crypto';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import { checkNpcExists, findNpc } from '../../npc/character-rows.ts';
import { mintToken } from '../../npc/client-tokens.ts';
import { timeOf } from '../../npc/clock.ts';
import { checkFits } from '../../npc/fit.ts';
import { fillMacros } from '../../npc/macros.ts';
import { offsetsOf, thumbedLines } from '../../npc/preferences.ts';
import type { Present, SessionLog } from '../../npc/session-log.ts';
import { insertSave, insertSession, latestSession, listSaves, listSessions, removeSession } from '../../npc/session-rows.ts';
import { speakersOf } from '../../npc/speak.ts';
import { type AppContext, type AppEnv, databaseOf, type RequestContext } from '../app-context.ts';
import { chatModel } from '../loaded-models.ts';
import type { NpcService } from '../npc-lines.ts';
import {
  DeletedSession,
  ForkBody,
  LogObject,
  NewSessionBody,
  RewindBody,
  SaveBody,
  SaveList,
  SaveObject,
  SessionList,
  SessionObject,
  SessionParams,
  SessionQuery,
  TokenBody,
  TokenObject,
  toLogEntry,
  toSaveObject,
  toSessionObject,
} from '../schemas/npc-sessions.ts';
import { readPage } from '../schemas/pages.ts';
import { answered, jsonBody } from '../schemas/route-parts.ts';

const tags = ['Character sessions'];
const npcParams = z.object({ id: z.string().max(64) });
const params = SessionParams;
const sessions = '/v1/npcs/{id}/sessions' as const;
const session = `${sessions}/{sid}` as const;

const beginRoute = createRoute({
  method: 'post',
  path: sessions,
  tags,
  summary: 'Begin a session of a player with a character',
  description: 'The character stays who it is now for as long as the session lasts. Its model is loaded where it was not.',
  request: { params: npcParams, body: jsonBody(NewSessionBody) },
  responses: answered('The session', SessionObject, 'not_found', 'context_length_exceeded', 'model_not_found', 'not_ready'),
});

const listRoute = createRoute({
  method: 'get',
  path: sessions,
  tags,
  summary: 'List the sessions of a character, newest first',
  request: { params: npcParams, query: SessionQuery },
  responses: answered('A page of sessions', SessionList, 'not_found'),
});

const oneRoute = createRoute({
  method: 'get',
  path: session,
  tags,
  summary: 'Show one session',
  request: { params },
  responses: answered('The session', SessionObject, 'not_found'),
});

const endRoute = createRoute({
  method: 'delete',
  path: session,
  tags,
  summary: 'End a session and forget it',
  request: { params },
  responses: answered('It is gone', DeletedSession, 'not_found'),
});

const logRoute = createRoute({
  method: 'get',
  path: `${session}/log`,
  tags,
  summary: 'Show everything that happened, oldest first',
  request: { params },
  responses: answered('The log', LogObject, 'not_found'),
});

const saveRoute = createRoute({
  method: 'post',
  path: `${session}/save`,
  tags,
  summary: 'Mark where the session is',
  request: { params, body: jsonBody(SaveBody) },
  responses: answered('The mark', SaveObject, 'not_found'),
});

const savesRoute = createRoute({
  method: 'get',
  path: `${session}/saves`,
  tags,
  summary: 'List the saves of a session, oldest first',
  request: { params },
  responses: answered('The saves', SaveList, 'not_found'),
});

const rewindRoute = createRoute({
  method: 'post',
  path: `${session}/rewind`,
  tags,
  summary: 'Go back, or on, to a save or to a number of entries',
  description:
    'What lies behind it is not lost: a save made there is still good. The same events and texts then give the same lines again.',
  request: { params, body: jsonBody(RewindBody) },
  responses: answered('The session there', SessionObject, 'not_found', 'conflict'),
});

const forkRoute = createRoute({
  method: 'post',
  path: `${session}/fork`,
  tags,
  summary: 'Begin a second session that shares what has happened',
  request: { params, body: jsonBody(ForkBody) },
  responses: answered('The new session', SessionObject, 'not_found'),
});

const tokenRoute = createRoute({
  method: 'post',
  path: `${session}/tokens`,
  tags,
  summary: "Mint a short-lived token for the player's machine",
  description: 'It is good for this session alone, and for what it allows.',
  request: { params, body: jsonBody(TokenBody) },
  responses: answered('The token', TokenObject, 'not_found'),
});

/** Adds the routes. */
export function addNpcSessions(app: OpenAPIHono<AppEnv>, context: AppContext, npcs: () => NpcService): void {
  app.openapi(beginRoute, async (c) => {
    const { log } = npcs();
    const begun = await begin(c, context, log, c.req.valid('param').id, c.req.valid('json'));
    return c.json(toSessionObject(begun), 200);
  });
  app.openapi(listRoute, async (c) => {
    const { log } = npcs();
    const { id } = c.req.valid('param');
    const { player_id: player, ...query } = c.req.valid('query');
    const db = databaseOf(context);
    await checkNpcExists(db, id);
    const found = await readPage(
      { ...query, player },
      (page) => listSessions(db, id, page),
      (sid) => ({ id: sid }),
    );
    const data = await Promise.all(found.data.map(({ id: sid }) => openUnlessGone(log, id, sid)));
    return c.json({ ...found, data: data.flatMap((present) => (present ? [toSessionObject(present)] : [])) }, 200);
  });
  app.openapi(oneRoute, async (c) => {
    const { id, sid } = c.req.valid('param');
    return c.json(toSessionObject(await npcs().log.open(id, sid)), 200);
  });
  app.openapi(endRoute, async (c) => {
    const { id, sid } = c.req.valid('param');
    await npcs().stage.interrupt(sid);
    await removeSession(databaseOf(context), id, sid);
    return c.json({ object: 'npc.session' as const, id: sid, deleted: true as const }, 200);
  });
  app.openapi(logRoute, async (c) => {
    const { log } = npcs();
    const { id, sid } = c.req.valid('param');
    const entries = await log.entries((await log.open(id, sid)).session);
    return c.json({ object: 'list' as const, data: entries.map(toLogEntry) }, 200);
  });
  app.openapi(saveRoute, async (c) => {
    const { id, sid } = c.req.valid('param');
    const present = await npcs().log.open(id, sid);
    return c.json(toSaveObject(await insertSave(databaseOf(context), present.session, c.req.valid('json').name), sid), 200);
  });
  app.openapi(savesRoute, async (c) => {
    const { id, sid } = c.req.valid('param');
    await npcs().log.open(id, sid);
    const saves = await listSaves(databaseOf(context), sid);
    return c.json({ object: 'list' as const, data: saves.map((save) => toSaveObject(save, sid)) }, 200);
  });
  app.openapi(rewindRoute, async (c) => {
    const { log, stage } = npcs();
    const { id, sid } = c.req.valid('param');
    await stage.interrupt(sid);
    return c.json(toSessionObject(await log.rewind(id, sid, c.req.valid('json').to)), 200);
  });
  app.openapi(forkRoute, async (c) => {
    const { log } = npcs();
    const { id, sid } = c.req.valid('param');
    const { from, player_id: player, player_name: playerName, seed } = c.req.valid('json');
    const { session: old } = await log.open(id, sid);
    const head = from === undefined ? old.head : await log.place(old, from, 'from');
    const changed = { player: player ?? old.player, playerName: playerName ?? old.playerName, seed: seed ?? old.seed };
    const { npcId, character, beginning, tree } = old;
    const made = await insertSession(databaseOf(context), { npcId, character, beginning, tree, head, ...changed });
    return c.json(toSessionObject(await log.open(id, made.id)), 200);
  });
  app.openapi(tokenRoute, async (c) => {
    const { id, sid } = c.req.valid('param');
    const { allow, expires_in_s: lifeS } = c.req.valid('json');
    await npcs().log.open(id, sid);
    const { token, expiresAt } = await mintToken(databaseOf(context), { sessionId: sid, allows: allow, lifeS });
    return c.json({ object: 'npc.token' as const, token, session_id: sid, allow, expires_at: expiresAt.getTime() / 1000 }, 200);
  });
}

/** Undefined where the session was ended since it was listed. */
async function openUnlessGone(log: SessionLog, npcId: string, id: string): Promise<Present | undefined> {
  try {
    return await log.open(npcId, id);
  } catch (error) {
    if (error instanceof SteerError && error.code === 'not_found') return undefined;
    throw error;
  }
}

/** A session that begins where the two left off, with the greeting said. Throws what `checkFits` does where the character leaves no room for lines. */
async function begin(
  c: RequestContext,
  context: AppContext,
  log: SessionLog,
  npcId: string,
  body: z.infer<typeof NewSessionBody>,
) {
  const db = databaseOf(context);
  const { character } = await findNpc(db, npcId);
  const { player_id: player, player_name: playerName, seed = randomInt(2 ** 32), relationship, at } = body;
  const model = await chatModel(c, context.models, character.model);
  await checkFits(model, character, { char: character.name, user: playerName, seed });
  const last = relationship === undefined ? await latestSession(db, npcId, player) : undefined;
  const known = relationship ?? (last === undefined ? 0 : ((await openUnlessGone(log, npcId, last))?.state.relationship ?? 0));
  const preferences = offsetsOf(model.schema, await thumbedLines(db, player));
  const made = await insertSession(db, {
    ...{ npcId, player, playerName, character, seed },
    beginning: { relationship: known, preferences, seed, ...(at === undefined ? {} : { atS: at }) },
  });
  const { greeting } = character;
  if (greeting === undefined) return await log.open(npcId, made.id);
  const text = fillMacros(greeting, speakersOf(made));
  return await log.append(npcId, made.id, ({ state }) => {
    return { kind: 'spoke', ...timeOf(state, at), text, applied: {}, fallback: false };
  });
}
