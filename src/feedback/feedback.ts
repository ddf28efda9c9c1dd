// Takes in what people say of remembered replies, and finds it again. A word once given never changes; the latest of a rater counts.
// Which models there are and what their attributes are called is told by the caller.

import { createHash } from 'node:crypto';
import { and, desc, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import { counted } from '../number-text.ts';
import { own } from '../own.ts';
import { type AttributeSchema, findAttribute, type Label, maxLevel } from '../steerlm/attributes.ts';
import type { Db, Tx } from '../store/connect.ts';
import { feedback, type outcomes } from '../store/feedback-schema.ts';
import { newId } from '../store/new-id.ts';
import { completions } from '../store/schema.ts';
import { storable } from '../store/storable.ts';
import { promptIdentity } from './conversation.ts';

export type Outcome = (typeof outcomes)[number];

export interface NewFeedback {
  /** Names it for good: given twice, it is stored once. */
  id?: string | undefined;
  rater: string;
  completionId: string;
  choice: number;
  /** Value by name or alias of an attribute. */
  ratings?: Label | undefined;
  thumb?: boolean | undefined;
  comment?: string | undefined;
  against?: { completionId: string; choice: number; outcome: Outcome } | undefined;
}

/** What of a reply is needed to take feedback on it. Its request, which may be as large as a body may be, is not. */
const replyColumns = {
  id: completions.id,
  choice: completions.choice,
  model: completions.model,
  applied: completions.applied,
};
type Reply = Pick<typeof completions.$inferSelect, keyof typeof replyColumns>;

/** What the room must be told of models. */
export interface KnownModels {
  /** Attributes of the model that made a completion. */
  schemaOf(completion: { model: string; applied: Label }): AttributeSchema;
  /** Whether a model is called so; models do not rate. */
  isModel(name: string): boolean;
}

export type Feedback = typeof feedback.$inferSelect & {
  /** The model that made the reply. */
  model: string;
};

/**
 * Stores feedback, or answers what was stored under the same id. Throws `not_found` for an unknown reply, `unknown_attribute` or
 * `attribute_out_of_range`, `invalid_request` where a model rates or two replies have different prompts, `conflict` for an id used otherwise.
 */
export async function addFeedback(
  db: Db,
  given: NewFeedback,
  models: KnownModels,
): Promise<{ feedback: Feedback; created: boolean }> {
  const id = given.id ?? newId('fb_');
  const bodyHash = hashOf(given);
  const known = given.id === undefined ? undefined : await lookUp(db, id);
  if (known) return { feedback: sameBody(known, bodyHash), created: false };
  const created = await db.transaction(async (tx) => {
    const reply = await findReply(tx, given, '');
    const other = given.against && (await findReply(tx, given.against, 'against.'));
    checkRater(given.rater, models, [reply, other]);
    if (other) await checkComparable(tx, reply, other);
    const ratings = given.ratings && canonicalRatings(models.schemaOf(reply), given.ratings);
    const row = {
      id,
      bodyHash,
      rater: given.rater,
      completionId: given.completionId,
      choice: given.choice,
      ratings: ratings ?? null,
      thumb: given.thumb ?? null,
      comment: given.comment === undefined ? null : storable(given.comment),
      againstId: given.against?.completionId ?? null,
      againstChoice: given.against?.choice ?? null,
      outcome: given.against?.outcome ?? null,
    };
    const [stored] = await tx.insert(feedback).values(row).onConflictDoNothing().returning();
    return stored && { ...stored, model: reply.model };
  });
  if (created) return { feedback: created, created: true };
  return { feedback: sameBody(await findFeedback(db, id), bodyHash), created: false };
}

/** The feedback of that id. Throws `not_found`. */
export async function findFeedback(db: Db, id: string): Promise<Feedback> {
  const found = await lookUp(db, id);
  if (found) return found;
  throw new SteerError('not_found', `There is no feedback ${JSON.stringify(id.slice(0, 128))}.`);
}

export const feedbackKinds = ['rating', 'thumb', 'comment', 'preference'] as const;

export interface FeedbackQuery {
  rater?: string | undefined;
  completionId?: string | undefined;
  model?: string | undefined;
  /** Canonical name of an attribute that was rated. */
  attribute?: string | undefined;
  kind?: (typeof feedbackKinds)[number] | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
}

/** Feedback, newest first, after the one of id `after`, at most `limit`. */
export async function listFeedback(
  db: Db,
  { after, limit, ...query }: FeedbackQuery & { after?: string | undefined; limit: number },
): Promise<Feedback[]> {
  const last = after === undefined ? undefined : await findFeedback(db, after);
  const found = await selectFeedback(db)
    .where(and(...conditionsOf(query), last && lt(feedback.position, last.position)))
    .orderBy(desc(feedback.position))
    .limit(limit);
  return found.map(flatten);
}

const present: Record<(typeof feedbackKinds)[number], SQL> = {
  rating: sql`${feedback.ratings} is not null`,
  thumb: sql`${feedback.thumb} is not null`,
  comment: sql`${feedback.comment} is not null`,
  preference: sql`${feedback.outcome} is not null`,
};

/** What must hold of rows of `feedback` joined with the `completions` they speak of. */
export function conditionsOf({ rater, completionId, model, attribute, kind, since, until }: FeedbackQuery): (SQL | undefined)[] {
  return [
    rater === undefined ? undefined : eq(feedback.rater, rater),
    completionId === undefined ? undefined : eq(feedback.completionId, completionId),
    model === undefined ? undefined : eq(completions.model, model),
    attribute === undefined ? undefined : sql`${feedback.ratings} -> ${attribute} is not null`,
    kind && present[kind],
    since && gte(feedback.createdAt, since),
    until && lt(feedback.createdAt, until),
  ];
}

function selectFeedback(db: Db | Tx) {
  return db
    .select({ row: feedback, model: completions.model })
    .from(feedback)
    .innerJoin(completions, and(eq(completions.id, feedback.completionId), eq(completions.choice, feedback.choice)));
}

function flatten({ row, model }: { row: typeof feedback.$inferSelect; model: string }): Feedback {
  return { ...row, model };
}

async function lookUp(db: Db, id: string): Promise<Feedback | undefined> {
  const [found] = await selectFeedback(db).where(eq(feedback.id, id));
  return found && flatten(found);
}

function sameBody(stored: Feedback, bodyHash: string): Feedback {
  if (stored.bodyHash === bodyHash) return stored;
  throw new SteerError('conflict', `The id ${stored.id} was used for other feedback. Send the same body again, or another id.`, {
    details: { param: 'id' },
  });
}

function hashOf({ rater, completionId, choice, ratings, thumb, comment, against }: NewFeedback): string {
  const sorted = Object.entries(ratings ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const compared = against && [against.completionId, against.choice, against.outcome];
  const body = [rater, completionId, choice, sorted, thumb ?? null, comment ?? null, compared ?? null];
  return createHash('sha256').update(JSON.stringify(body)).digest('hex');
}

/** The reply, held with the others of its completion until the feedback on it is stored. Throws `not_found` naming the field. */
async function findReply(
  tx: Tx,
  { completionId, choice }: { completionId: string; choice: number },
  path: string,
): Promise<Reply> {
  const replies = await tx.select(replyColumns).from(completions).where(eq(completions.id, completionId)).for('key share');
  const found = replies.find((reply) => reply.choice === choice);
  if (found) return found;
  if (replies.length > 0) {
    throw new SteerError(
      'not_found',
      `${path}choice: the completion has ${counted(replies.length, 'reply')}, counted from 0; found ${choice}.`,
      {
        details: { param: `${path}choice` },
      },
    );
  }
  const name = JSON.stringify(completionId.slice(0, 128));
  throw new SteerError(
    'not_found',
    `${path}completion_id: no completion ${name} is remembered. GET /v1/chat/completions lists them.`,
    {
      details: { param: `${path}completion_id` },
    },
  );
}

function checkRater(rater: string, models: KnownModels, replies: (Reply | undefined)[]): void {
  const authors = replies.flatMap((reply) => (reply ? [reply.model.toLowerCase()] : []));
  if (!models.isModel(rater) && !authors.includes(rater.toLowerCase())) return;
  throw new SteerError(
    'invalid_request',
    `rater: ${rater} is a model, and models do not rate replies. Give the id of a person.`,
    {
      details: { param: 'rater' },
    },
  );
}

async function checkComparable(tx: Tx, reply: Reply, other: Reply): Promise<void> {
  const same = reply.id === other.id && reply.choice === other.choice;
  // Replies of one completion answer one request.
  if (!same && (reply.id === other.id || (await promptOf(tx, reply)) === (await promptOf(tx, other)))) return;
  const found = same ? 'one and the same reply' : 'replies to different ones';
  throw new SteerError('invalid_request', `against: expected two replies to the same conversation, found ${found}.`, {
    details: { param: 'against' },
  });
}

async function promptOf(tx: Tx, { id, choice }: Reply): Promise<string> {
  const [found] = await tx
    .select({ request: completions.request })
    .from(completions)
    .where(and(eq(completions.id, id), eq(completions.choice, choice)));
  return promptIdentity(found!.request);
}

/** Ratings under canonical names. Throws unknown_attribute or attribute_out_of_range naming the field. */
function canonicalRatings(schema: AttributeSchema, ratings: Label): Label {
  const canonical: Label = {};
  for (const [name, value] of Object.entries(ratings)) {
    const details = { param: `ratings.${name}` };
    const attribute = attributeNamed(schema, name);
    if (own(canonical, attribute.name) !== undefined) {
      throw new SteerError('invalid_request', `ratings: expected one value for ${attribute.name}, found two.`, { details });
    }
    if (!(value >= 0 && value <= maxLevel(attribute))) {
      throw new SteerError(
        'attribute_out_of_range',
        `Expected ${attribute.name} between 0 and ${maxLevel(attribute)}, got ${value}. GET /v1/attributes lists the scale.`,
        { details },
      );
    }
    canonical[attribute.name] = value;
  }
  return canonical;
}

function attributeNamed(schema: AttributeSchema, name: string) {
  try {
    return findAttribute(schema, name);
  } catch (error) {
    if (!(error instanceof SteerError)) throw error;
    throw new SteerError(error.code, error.message, { cause: error, details: { param: `ratings.${name.slice(0, 64)}` } });
  }
}
