// GET and DELETE under /v1/chat/completions: remembered completions, so that reviewers find what to rate.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { findRemembered, findRequest, forget, listRemembered } from '../../feedback/remembered.ts';
import { type AppContext, type AppEnv, databaseOf } from '../app-context.ts';
import { failureResponses } from '../schemas/failure.ts';
import { toDate } from '../schemas/feedback.ts';
import { toPage } from '../schemas/pages.ts';
import {
  DeletedCompletion,
  metadataOf,
  StoredCompletion,
  StoredCompletionList,
  StoredCompletionQuery,
  StoredMessageList,
  toStoredCompletion,
  toStoredMessages,
} from '../schemas/remembered.ts';

const tags = ['Completions'];
const params = z.object({ id: z.string().max(128) });

const listRoute = createRoute({
  method: 'get',
  path: '/v1/chat/completions',
  tags,
  summary: 'List remembered completions',
  request: { query: StoredCompletionQuery },
  responses: {
    200: { description: 'A page of completions', content: { 'application/json': { schema: StoredCompletionList } } },
    ...failureResponses('not_found'),
  },
});

const oneRoute = createRoute({
  method: 'get',
  path: '/v1/chat/completions/{id}',
  tags,
  summary: 'Show a remembered completion',
  request: { params },
  responses: {
    200: { description: 'The completion', content: { 'application/json': { schema: StoredCompletion } } },
    ...failureResponses('not_found'),
  },
});

const messagesRoute = createRoute({
  method: 'get',
  path: '/v1/chat/completions/{id}/messages',
  tags,
  summary: 'Show the conversation a remembered completion answered',
  request: { params },
  responses: {
    200: { description: 'All of its messages', content: { 'application/json': { schema: StoredMessageList } } },
    ...failureResponses('not_found'),
  },
});

const deleteRoute = createRoute({
  method: 'delete',
  path: '/v1/chat/completions/{id}',
  tags,
  summary: 'Forget a completion that no feedback speaks of',
  request: { params },
  responses: {
    200: { description: 'It is forgotten', content: { 'application/json': { schema: DeletedCompletion } } },
    ...failureResponses('not_found', 'conflict'),
  },
});

/** Adds the routes. */
export function addRemembered(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openapi(listRoute, async (c) => {
    const { limit, since, until, unrated_by, metadata: _, ...query } = c.req.valid('query');
    const metadata = metadataOf(c.req.query());
    const range = { metadata, since: toDate(since), until: toDate(until), unratedBy: unrated_by, limit: limit + 1 };
    const found = await listRemembered(databaseOf(context), { ...query, ...range });
    return c.json(
      toPage(found.map(toStoredCompletion), limit, ({ id }) => id),
      200,
    );
  });
  app.openapi(oneRoute, async (c) => {
    return c.json(toStoredCompletion(await findRemembered(databaseOf(context), c.req.valid('param').id)), 200);
  });
  app.openapi(messagesRoute, async (c) => {
    const { id } = c.req.valid('param');
    const messages = toStoredMessages(id, await findRequest(databaseOf(context), id));
    return c.json(
      toPage(messages, messages.length, (message) => message.id),
      200,
    );
  });
  app.openapi(deleteRoute, async (c) => {
    const { id } = c.req.valid('param');
    await forget(databaseOf(context), id);
    return c.json({ id, object: 'chat.completion.deleted' as const, deleted: true as const }, 200);
  });
}
