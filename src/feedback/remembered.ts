// Remembered completions as reviewers find them: one by id, or pages of them. Keeping them is completions.ts's work.
import { and, asc, desc, eq, getTableColumns, gte, inArray, lt, or, type SQL, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db } from '../store/connect.ts';
import { feedback } from '../store/feedback-schema.ts';
import { completions } from '../store/schema.ts';
import { storable } from '../store/storable.ts';

/** Everything but the request, which may be as large as a body may be and is only read where the conversation is asked for. */
const { request, ...columns } = getTableColumns(completions);
const replyColumns = { ...columns, metadata: sql<unknown>`${request} -> 'metadata'`.mapWith(request) };

export type Reply = Omit<typeof completions.$inferSelect, 'request'> & {
  /** What the caller noted of the request. */
  metadata: Record<string, unknown> | null;
};
/** The replies of one request, in order; never empty. */
export type Remembered = [Reply, ...Reply[]];

export interface RememberedQuery {
  model?: string | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
  /** Leaves out what this rater has said something about. */
  unratedBy?: string | undefined;
  /** What the metadata of the request must say; it may say more. */
  metadata?: Record<string, string> | undefined;
  after?: string | undefined;
  order: 'asc' | 'desc';
  limit: number;
}

/** Answers to chats, by time and id. Throws `not_found` for an unknown `after`. */
export async function listRemembered(db: Db, query: RememberedQuery): Promise<Remembered[]> {
  const { order, limit, after } = query;
  const last = after === undefined ? undefined : (await findRemembered(db, after))[0];
  const direction = order === 'asc' ? asc : desc;
  const page = await db
    .select({ id: completions.id, at: completions.createdAt })
    .from(completions)
    .where(and(eq(completions.choice, 0), isChat, last && beyond(last, order), ...conditionsOf(query)))
    .orderBy(direction(completions.createdAt), direction(completions.id))
    .limit(limit);
  const ids = page.map(({ id }) => id);
  if (ids.length === 0) return [];
  const replies = await db
    .select(replyColumns)
    .from(completions)
    .where(inArray(completions.id, ids))
    .orderBy(asc(completions.choice));
  return ids.map((id) => replies.filter((reply) => reply.id === id) as Remembered);
}

/** The answer to a chat of that id. Throws `not_found`. */
export async function findRemembered(db: Db, id: string): Promise<Remembered> {
  const [first, ...rest] = await db
    .select(replyColumns)
    .from(completions)
    .where(and(eq(completions.id, id), isChat))
    .orderBy(asc(completions.choice));
  if (first) return [first, ...rest];
  throw unknown(id);
}

/** The body of the request that a chat of that id answered. Throws `not_found`. */
export async function findRequest(db: Db, id: string): Promise<Record<string, unknown>> {
  const [found] = await db
    .select({ request })
    .from(completions)
    .where(and(eq(completions.id, id), isChat))
    .limit(1);
  if (found) return found.request;
  throw unknown(id);
}

function unknown(id: string): SteerError {
  return new SteerError('not_found', `No completion ${JSON.stringify(id.slice(0, 128))} is remembered.`);
}

/** Forgets a completion. Throws `not_found`, or `conflict` while feedback speaks of it. */
export async function forget(db: Db, id: string): Promise<void> {
  await findRemembered(db, id);
  await db.transaction(async (tx) => {
    await tx.select({ id: completions.id }).from(completions).where(eq(completions.id, id)).for('update');
    const [spoken] = await tx
      .select({ id: feedback.id })
      .from(feedback)
      .where(or(eq(feedback.completionId, id), eq(feedback.againstId, id)))
      .limit(1);
    if (spoken) {
      throw new SteerError('conflict', `Feedback such as ${spoken.id} speaks of the completion ${id}, so it stays.`);
    }
    await tx.delete(completions).where(eq(completions.id, id));
  });
}

const isChat = sql`${completions.request} -> 'messages' is not null`;

/** Compares in the database: its clock is finer than a Date. */
function beyond({ id }: Reply, order: 'asc' | 'desc'): SQL {
  const last = sql`(select inner_row.created_at, inner_row.id from completions as inner_row where inner_row.id = ${id} and inner_row.choice = 0)`;
  const place = sql`(${completions.createdAt}, ${completions.id})`;
  return order === 'asc' ? sql`${place} > ${last}` : sql`${place} < ${last}`;
}

function conditionsOf({ model, since, until, unratedBy, metadata }: RememberedQuery): (SQL | undefined)[] {
  const rated = sql`exists (select 1 from ${feedback} where ${feedback.completionId} = ${completions.id} and ${feedback.rater} = ${unratedBy})`;
  return [
    model === undefined ? undefined : eq(completions.model, model),
    since && gte(completions.createdAt, since),
    until && lt(completions.createdAt, until),
    unratedBy === undefined ? undefined : sql`not ${rated}`,
    metadata && sql`${completions.request} -> 'metadata' @> ${JSON.stringify(storable(metadata))}::jsonb`,
  ];
}
