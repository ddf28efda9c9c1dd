// What happens in a session: events, moods set by hand, lines, and what the player says of them.
import { isDeepStrictEqual } from 'node:util';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import { addFeedback } from '../../feedback/feedback.ts';
import { checkChanges } from '../../npc/character.ts';
import { refusalOfLine } from '../../npc/client-tokens.ts';
import { timeOf } from '../../npc/clock.ts';
import { moodOf } from '../../npc/mood.ts';
import { offsetsOf, thumbedLines } from '../../npc/preferences.ts';
import type { Present, SessionLog } from '../../npc/session-log.ts';
import { type Entry, rulesOf } from '../../npc/session-state.ts';
import { findModel } from '../../registry/models.ts';
import type { AttributeSchema } from '../../steerlm/attributes.ts';
import { type AppContext, type AppEnv, databaseOf } from '../app-context.ts';
import { streamChunks, streamJsonLines } from '../event-stream.ts';
import { knownModels } from '../known-models.ts';
import { chatModel } from '../loaded-models.ts';
import { type NpcService, sayLine } from '../npc-lines.ts';
import { beginReplies } from '../replies.ts';
import { failureResponses } from '../schemas/failure.ts';
import { MoodObject, MoodQuery, toMoodObject } from '../schemas/npc-moods.ts';
import {
  CancelObject,
  EventBody,
  LineObject,
  SayBody,
  SceneBody,
  SessionParams,
  ThumbBody,
  ThumbObject,
  WarmObject,
} from '../schemas/npc-sessions.ts';
import { answered, jsonBody } from '../schemas/route-parts.ts';
import { untilBegun } from '../stopping.ts';

const tags = ['Character sessions'];
const params = SessionParams;
const session = '/v1/npcs/{id}/sessions/{sid}' as const;
const failures = ['not_found', 'conflict', 'model_not_found'] as const;

const eventRoute = createRoute({
  method: 'post',
  path: `${session}/events`,
  tags,
  summary: 'Tell what happened in the game',
  description: 'What it does to the character stands in the rules; nothing is said.',
  request: { params, body: jsonBody(EventBody) },
  responses: answered('The new mood', MoodObject, ...failures),
});

const sceneRoute = createRoute({
  method: 'post',
  path: `${session}/mood`,
  tags,
  summary: 'Set a mood by hand',
  description: 'Levels are added to what the rules give, and fade or end when told to; nothing is said.',
  request: { params, body: jsonBody(SceneBody) },
  responses: answered('The new mood', MoodObject, ...failures, 'unknown_attribute', 'attribute_out_of_range'),
});

const moodRoute = createRoute({
  method: 'get',
  path: `${session}/mood`,
  tags,
  summary: 'Show the mood, and everything it is made of',
  request: { params, query: MoodQuery },
  responses: answered('The mood', MoodObject, 'not_found', 'model_not_found'),
});

const sayRoute = createRoute({
  method: 'post',
  path: `${session}/say`,
  tags,
  summary: 'Say something to the character and hear its line',
  description: 'Under a client token `fallback` is refused, and `at` where the token does not allow `events`.',
  request: { params, body: jsonBody(SayBody) },
  responses: {
    200: {
      description: 'The line; with `stream: true` its sentences before it',
      content: {
        'application/json': { schema: LineObject },
        'text/event-stream': { schema: z.string() },
        'application/x-ndjson': {
          schema: z.string().openapi({ description: 'Each line is an `NpcSentence`, the last an `NpcLine`' }),
        },
      },
    },
    ...failureResponses(
      ...failures,
      'unknown_vector',
      'vector_out_of_range',
      'invalid_vector',
      'context_length_exceeded',
      'overloaded',
      'cancelled',
      'not_ready',
    ),
  },
});

const cancelRoute = createRoute({
  method: 'post',
  path: `${session}/cancel`,
  tags,
  summary: 'Break off the line that is being said',
  description: 'What was said by then stays in the log.',
  request: { params },
  responses: answered('Whether there was one', CancelObject, 'not_found'),
});

const warmRoute = createRoute({
  method: 'post',
  path: `${session}/warm`,
  tags,
  summary: 'Have the model read who the character is and what was said',
  description: 'Nothing is said; the next line begins sooner. For a scene that is about to begin.',
  request: { params },
  responses: answered(
    'What it took',
    WarmObject,
    'not_found',
    'model_not_found',
    'context_length_exceeded',
    'overloaded',
    'cancelled',
    'not_ready',
  ),
});

const feedbackRoute = createRoute({
  method: 'post',
  path: `${session}/feedback`,
  tags,
  summary: 'Say what the player thinks of a line',
  description:
    'Kept as feedback of the player on the line. From thumbs the character learns what the player likes, within a level.',
  request: { params, body: jsonBody(ThumbBody) },
  responses: answered('What is known of the player now', ThumbObject, ...failures, 'unknown_attribute', 'attribute_out_of_range'),
});

/** Adds the routes. */
export function addNpcPlay(app: OpenAPIHono<AppEnv>, context: AppContext, npcs: () => NpcService): void {
  const models = knownModels(context.models);

  app.openapi(eventRoute, async (c) => {
    const { id, sid } = c.req.valid('param');
    return c.json(toMood(context, await tellEvent(npcs().log, id, sid, c.req.valid('json'))), 200);
  });

  app.openapi(sceneRoute, async (c) => {
    const { id, sid } = c.req.valid('param');
    const { changes, name, half_life_s: halfLifeS, lasts_s: lastsS, priority, note, at } = c.req.valid('json');
    const present = await npcs().log.append(id, sid, ({ session: { character, playerName }, state }): Entry => {
      const named = checkChanges(character, schemaOf(context, character.model), 'changes', changes);
      return { kind: 'scene', ...timeOf(state, at), changes: named, name, halfLifeS, lastsS, priority, note, playerName };
    });
    return c.json(toMood(context, present), 200);
  });

  app.openapi(moodRoute, async (c) => {
    const { id, sid } = c.req.valid('param');
    return c.json(toMood(context, await npcs().log.open(id, sid), c.req.valid('query').at), 200);
  });

  app.openapi(sayRoute, async (c) => {
    const { id: npcId, sid: sessionId } = c.req.valid('param');
    const body = c.req.valid('json');
    const token = c.get('token');
    const refusal = token && refusalOfLine(token, body);
    if (refusal) throw refusal;
    const { signal } = c.get('abort');
    const line = sayLine(c, context, npcs(), { npcId, sessionId, body }, signal);
    const said = await untilBegun(c, beginReplies(line, signal));
    if (body.stream) return wantsLines(c.req.header('accept')) ? streamJsonLines(c, said) : streamChunks(c, said);
    for await (const object of said) if (object.object === 'npc.line') return c.json(object, 200);
    throw new SteerError('internal_error', 'The line ended without an end.');
  });

  app.openapi(cancelRoute, async (c) => {
    const { log, stage } = npcs();
    const { id, sid } = c.req.valid('param');
    await log.open(id, sid);
    return c.json({ object: 'npc.cancel' as const, session_id: sid, cancelled: await stage.interrupt(sid) }, 200);
  });

  app.openapi(warmRoute, async (c) => {
    const startedMs = performance.now();
    const { log, stage } = npcs();
    const { id, sid } = c.req.valid('param');
    const { character } = (await log.open(id, sid)).session;
    const model = await chatModel(c, context.models, character.model);
    const warming = { npcId: id, sessionId: sid, caller: c.get('caller') };
    const tokens = await untilBegun(c, stage.warm(model, warming, c.get('abort').signal));
    return c.json(
      { object: 'npc.warm' as const, session_id: sid, prompt_tokens: tokens, ms: performance.now() - startedMs },
      200,
    );
  });

  app.openapi(feedbackRoute, async (c) => {
    const db = databaseOf(context);
    const { log } = npcs();
    const { id, sid } = c.req.valid('param');
    const { line: named, thumb, ...said } = c.req.valid('json');
    const { session: held } = await log.open(id, sid);
    const line = await findLine(log, held, named);
    const given = { rater: held.player, completionId: line, choice: 0, ...said, thumb: thumb && thumb === 'up' };
    const { feedback } = await addFeedback(db, given, models);
    const offsets = offsetsOf(schemaOf(context, held.character.model), await thumbedLines(db, held.player));
    const { state } = await log.open(id, sid);
    if (!isDeepStrictEqual(offsets, state.preferences)) {
      await log.append(id, sid, (present) => ({ kind: 'preferences', ...timeOf(present.state, undefined), offsets }));
    }
    return c.json({ object: 'npc.feedback' as const, id: feedback.id, line, preferences: offsets }, 200);
  });
}

/** Logs an event. Throws invalid_request naming `type` for one the character has no rule for. */
export async function tellEvent(
  log: SessionLog,
  npcId: string,
  sessionId: string,
  { type, at, data }: z.infer<typeof EventBody>,
): Promise<Present> {
  return await log.append(npcId, sessionId, ({ session: { character, playerName }, state }): Entry => {
    rulesOf(character, type);
    return { kind: 'event', ...timeOf(state, at), type, data, playerName };
  });
}

/** The mood of the session as it is, at a time that is not before its last entry. */
export function toMood(context: AppContext, present: Present, at?: number): z.infer<typeof MoodObject> {
  const { session: held, state } = present;
  const { atS } = timeOf(state, at);
  return toMoodObject(present, atS, moodOf(schemaOf(context, held.character.model), held.character, state, atS));
}

function schemaOf(context: AppContext, model: string | undefined): AttributeSchema {
  return findModel(context.models, model, ['language']).schema;
}

/** Id of a line of the session that can be rated: the one named, or the last. Throws not_found naming `line`. */
async function findLine(log: SessionLog, held: Present['session'], named: string | undefined): Promise<string> {
  const ids = (await log.entries(held)).flatMap(({ entry }) => (entry.kind === 'spoke' && entry.completionId) || []);
  const found = named === undefined ? ids.at(-1) : ids.find((id) => id === named);
  if (found !== undefined) return found;
  const message = named === undefined ? 'no line of this session can be rated yet' : 'no line of this session has that id';
  throw new SteerError('not_found', `line: ${message}. Fallbacks, greetings and lines with "store": false cannot be rated.`, {
    details: { param: 'line' },
  });
}

function wantsLines(accept: string | undefined): boolean {
  return /\bapplication\/(x-ndjson|ndjson|jsonl)\b/i.test(accept ?? '');
}
