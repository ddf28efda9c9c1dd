// GET and DELETE under /v1/chat/completions: remembered completions, so that reviewers find what to rate.
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { findRemembered, findRequest, forget, listRemembered } from '../../feedback/remembered.ts';
import { type AppContext, type AppEnv, databaseOf } from '../app-context.ts';
import { toDate } from '../schemas/feedback.ts';
import { readPage, toPage } from '../schemas/pages.ts';
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
import { answered, idParams } from '../schemas/route-parts.ts';

const tags = ['Completions'];

const listRoute = createRoute({
  method: 'get',
  path: '/v1/chat/completions',
  tags,
  summary: 'List remembered completions',
  request: { query: StoredCompletionQuery },
  responses: answered('A page of completions', StoredCompletionList, 'not_found'),
});

const oneRoute = createRoute({
  method: 'get',
  path: '/v1/chat/completions/{id}',
  tags,
  summary: 'Show a remembered completion',
  request: { params: idParams },
  responses: answered('The completion', StoredCompletion, 'not_found'),
});

const messagesRoute = createRoute({
  method: 'get',
  path: '/v1/chat/completions/{id}/messages',
  tags,
  summary: 'Show the conversation a remembered completion answered',
  request: { params: idParams },
  responses: answered('All of its messages', StoredMessageList, 'not_found'),
});

const deleteRoute = createRoute({
  method: 'delete',
  path: '/v1/chat/completions/{id}',
  tags,
  summary: 'Forget a completion that no feedback speaks of',
  request: { params: idParams },
  responses: answered('It is forgotten', DeletedCompletion, 'not_found', 'conflict'),
});

/** Adds the routes. */
export function addRemembered(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openapi(listRoute, async (c) => {
    const { since, until, unrated_by: unratedBy, metadata: _, ...rest } = c.req.valid('query');
    const query = { ...rest, unratedBy, metadata: metadataOf(c.req.query()), since: toDate(since), until: toDate(until) };
    return c.json(await readPage(query, (page) => listRemembered(databaseOf(context), page), toStoredCompletion), 200);
  });
  app.openapi(oneRoute, async (c) => {
    return c.json(toStoredCompletion(await findRemembered(databaseOf(context), c.req.valid('param').id)), 200);
  });
  app.openapi(messagesRoute, async (c) => {
    const { id } = c.req.valid('param');
    return c.json(toPage(toStoredMessages(id, await findRequest(databaseOf(context), id)), false), 200);
  });
  app.openapi(deleteRoute, async (c) => {
    const { id } = c.req.valid('param');
    await forget(databaseOf(context), id);
    return c.json({ id, object: 'chat.completion.deleted' as const, deleted: true as const }, 200);
  });
}
