// Sessions of a player with a character: what is asked of them, and what they tell.
import { z } from '@hono/zod-openapi';
import { permissions } from '../../npc/client-tokens.ts';
import type { LoggedEntry, Present } from '../../npc/session-log.ts';
import type { Save } from '../../npc/session-rows.ts';
import { recordOf } from '../../record-of.ts';
import { RaterId } from './feedback.ts';
import { farthest } from './npc-moods.ts';
import { Changes, EventType, Note, Priority, playerNameUnlessSaid, Seconds } from './npcs.ts';
import { listOf, pageFields, pageOf } from './pages.ts';
import { Steering, Stored } from './replies.ts';
import { vectorFields } from './steering.ts';

const mostText = 4000;
const longestLifeS = 24 * 3600;
const lifeUnlessSaidS = 600;

const At = z.number().min(-farthest).max(farthest).optional().openapi({
  description:
    "Seconds on the game's clock, never less than the last time told. A session that is told no time runs on the server's clock, in Unix seconds",
});
const PlayerId = RaterId.openapi({ description: "The game's own id of the player, under which feedback is kept as well" });
const PlayerName = z.string().trim().min(1).max(64);
const Seed = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const Place = z.union([z.string().max(128), z.int().min(0)], {
  error: 'expected the id or name of a save, or a number of entries',
});

export const NewSessionBody = z
  .strictObject({
    player_id: PlayerId,
    player_name: PlayerName.default(playerNameUnlessSaid).openapi({ description: 'What `{{user}}` stands for' }),
    seed: Seed.optional().openapi({
      description: 'The same seed, events, times and texts give the same lines; absent means a random one',
    }),
    relationship: z.number().min(-1).max(1).optional().openapi({
      description: 'Absent means as it was left when the two last met, or 0',
    }),
    at: At,
  })
  .openapi('NpcSessionRequest');

export const SessionParams = z.object({ id: z.string().max(64), sid: z.string().max(64) });
export const SessionQuery = z.object({ ...pageFields, player_id: z.string().max(128).optional() });

export const SessionObject = z
  .object({
    object: z.literal('npc.session'),
    id: z.string(),
    npc_id: z.string(),
    player_id: z.string(),
    player_name: z.string(),
    seed: z.int(),
    entries: z.int().openapi({ description: 'Entries of its log by now' }),
    at: z.number().nullable().openapi({ description: 'Time of the last entry' }),
    relationship: z.number().openapi({ description: '-1 to 1' }),
    greeting: z.string().nullable().openapi({ description: 'As it was said; null where none was' }),
    created_at: z.int().openapi({ description: 'Unix seconds' }),
  })
  .openapi('NpcSession');

export const SessionList = pageOf(SessionObject).openapi('NpcSessionList');
export const DeletedSession = z.object({ object: z.literal('npc.session'), id: z.string(), deleted: z.literal(true) });

export const EventBody = z
  .strictObject({
    type: EventType,
    at: At,
    data: recordOf(z.string().regex(/^\w{1,64}$/), z.union([z.string().max(500), z.number(), z.boolean()]))
      .optional()
      .openapi({ description: 'Kept in the log, and told in notes: `{{key}}`' }),
  })
  .openapi('NpcEvent');

export const SceneBody = z
  .strictObject({
    changes: Changes,
    name: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .openapi({ description: 'Told with the contribution; the same again is counted with it where it neither fades nor ends' }),
    half_life_s: Seconds.optional(),
    lasts_s: Seconds.optional().openapi({ description: 'Over after that' }),
    priority: Priority.default(0),
    note: Note.optional().openapi({ description: 'What the character remembers of it' }),
    at: At,
  })
  .openapi('NpcMoodChange', { description: 'A mood set by hand, with no reply' });

export const SayBody = z
  .strictObject({
    text: z.string().min(1).max(mostText),
    at: At,
    stream: z.boolean().default(false).openapi({
      description: 'Sentence by sentence: server-sent events, or JSON lines with `Accept: application/x-ndjson`',
    }),
    max_ms: z.int().min(1).max(600_000).optional().openapi({
      description:
        'Milliseconds from the arrival of the request. A line that takes longer ends after its last whole sentence; without one the fallback is said, and where there is none the line is empty, with `steering.deadline`',
    }),
    fallback: z.string().min(1).max(500).optional().openapi({ description: "Absent means one of the character's own" }),
    strength: z.number().min(0).max(5).default(1),
    steering: z
      .strictObject(vectorFields)
      .optional()
      .openapi({ description: "Steering vectors of this line; of one that the character has too the line's weight holds" }),
    measure: z.boolean().default(false).openapi({ description: 'Rate the line with the predictor' }),
    predictor: z.string().max(256).optional().openapi({
      description: 'The one to rate it; has to be named where the model was not trained on labels',
    }),
    interrupt: z.boolean().default(false).openapi({ description: 'Break off a line that is still being said' }),
    store: z.boolean().default(true).openapi({ description: 'false leaves the line unremembered: it cannot be rated' }),
  })
  .openapi('NpcSay');

export const SentenceObject = z
  .object({ object: z.literal('npc.sentence'), index: z.int(), text: z.string() })
  .openapi('NpcSentence');

export const LineObject = z
  .object({
    object: z.literal('npc.line'),
    id: z.string().nullable().openapi({ description: 'Under which it can be rated' }),
    stored: Stored,
    session_id: z.string(),
    text: z.string(),
    steering: Steering,
    action: z
      .string()
      .optional()
      .openapi({ description: 'What the character does with it, of its allowed actions; absent means nothing' }),
    fallback: z.boolean(),
    reason: z.string().optional().openapi({
      description: 'Why the fallback was said: `deadline`, `empty` where the model said nothing, or the code of a failure',
    }),
    entries: z.int(),
    left_out: z
      .object({ facts: z.int(), examples: z.int(), exchanges: z.int(), notes: z.int() })
      .optional()
      .openapi({ description: 'How many of each the context of the model had no room for; absent means that all was read' }),
    usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() }),
  })
  .openapi('NpcLine');

export const SaveBody = z.strictObject({ name: z.string().min(1).max(128).optional() }).openapi('NpcSaveRequest');
export const SaveObject = z
  .object({
    object: z.literal('npc.save'),
    id: z.string(),
    session_id: z.string(),
    name: z.string().nullable(),
    created_at: z.int().openapi({ description: 'Unix seconds' }),
  })
  .openapi('NpcSave');
export const SaveList = listOf(SaveObject).openapi('NpcSaveList');

export const RewindBody = z
  .strictObject({
    to: Place.openapi({
      description: 'Id of a save, or its name (the latest of that name), or how many entries of the log are left',
    }),
  })
  .openapi('NpcRewind');

export const ForkBody = z
  .strictObject({
    from: Place.optional().openapi({
      description: 'Id or name of a save, or a number of entries; absent means where the session is',
    }),
    player_id: PlayerId.optional(),
    player_name: PlayerName.optional(),
    seed: Seed.optional().openapi({
      description: 'Absent means that of the session, so that the same events give the same lines',
    }),
  })
  .openapi('NpcFork');

export const CancelObject = z
  .object({ object: z.literal('npc.cancel'), session_id: z.string(), cancelled: z.boolean() })
  .openapi('NpcCancel', { description: 'Whether a line was being said' });

export const WarmObject = z
  .object({ object: z.literal('npc.warm'), session_id: z.string(), prompt_tokens: z.int(), ms: z.number() })
  .openapi('NpcWarm');

export const TokenBody = z
  .strictObject({
    allow: z.array(z.enum(permissions)).min(1).default(['say', 'mood', 'feedback']),
    expires_in_s: z.int().min(1).max(longestLifeS).default(lifeUnlessSaidS),
  })
  .openapi('NpcTokenRequest');
export const TokenObject = z
  .object({
    object: z.literal('npc.token'),
    token: z.string().openapi({ description: 'Told this once. `Authorization: Bearer TOKEN`, or `?token=` of the socket' }),
    session_id: z.string(),
    allow: z.array(z.enum(permissions)),
    expires_at: z.number().openapi({ description: 'Unix seconds' }),
  })
  .openapi('NpcToken');

export const ThumbBody = z
  .strictObject({
    line: z
      .string()
      .max(128)
      .optional()
      .openapi({ description: 'Id of a line of this session; absent means the last one that has one' }),
    thumb: z.enum(['up', 'down']).optional(),
    ratings: recordOf(z.string().max(64), z.number()).optional(),
    comment: z.string().min(1).max(10_000).optional(),
  })
  .refine(({ ratings, thumb, comment }) => Object.keys(ratings ?? {}).length > 0 || thumb || comment, {
    error: 'expected at least one of thumb, ratings and comment',
  })
  .openapi('NpcFeedback');
export const ThumbObject = z
  .object({
    object: z.literal('npc.feedback'),
    id: z.string(),
    line: z.string(),
    preferences: z.record(z.string(), z.number()).openapi({ description: 'Levels by which the player is now met more or less' }),
  })
  .openapi('NpcFeedbackResult');

const LogEntry = z
  .object({
    position: z.int().openapi({ description: 'Entries before it' }),
    kind: z.string(),
    at: z.number(),
    text: z.string().optional().openapi({ description: 'Of `heard` and `spoke`' }),
    type: z.string().optional().openapi({ description: 'Of `event`' }),
    name: z.string().optional().openapi({ description: 'Of `scene`' }),
  })
  .catchall(z.unknown())
  .openapi('NpcLogEntry', {
    description: 'What happened: `event`, `scene`, `heard`, `spoke` or `preferences`, each with its fields',
  });
export const LogObject = listOf(LogEntry).openapi('NpcLog');

export function toSessionObject({ session, state, length }: Present): z.infer<typeof SessionObject> {
  const { id, npcId, player, playerName, seed, createdAt } = session;
  return {
    object: 'npc.session',
    id,
    npc_id: npcId,
    player_id: player,
    player_name: playerName,
    seed,
    entries: length,
    at: state.atS ?? null,
    relationship: state.relationship,
    greeting: state.greeting ?? null,
    created_at: Math.floor(createdAt.getTime() / 1000),
  };
}

export function toSaveObject({ id, name, createdAt }: Save, sessionId: string): z.infer<typeof SaveObject> {
  return { object: 'npc.save', id, session_id: sessionId, name, created_at: Math.floor(createdAt.getTime() / 1000) };
}

export function toLogEntry({ position, entry }: LoggedEntry): z.infer<typeof LogEntry> {
  const { kind, atS, ...rest } = entry;
  return { position, kind, at: atS, ...snakeCased(rest) };
}

function snakeCased(fields: Record<string, unknown>): Record<string, unknown> {
  const name = (field: string) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [name(field), value]));
}
