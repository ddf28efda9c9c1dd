// /v1/batches: many requests in one file, answered as a job.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { batchKind, cancelBatch, createBatch, toBatch } from '../../batches/batch.ts';
import { findJob, listJobs } from '../../jobs/jobs.ts';
import { type AppContext, type AppEnv, databaseOf } from '../app-context.ts';
import { IdempotencyHeader, idempotencyOf } from '../idempotency.ts';
import { BatchBody, BatchList, BatchObject, toBatchObject } from '../schemas/batches.ts';
import { failureResponses } from '../schemas/failure.ts';
import { pageFields, toPage } from '../schemas/pages.ts';

const tags = ['Batches'];
const params = z.object({ id: z.string().max(128) });
const one = (description: string) => ({ 200: { description, content: { 'application/json': { schema: BatchObject } } } });

const createBatchRoute = createRoute({
  method: 'post',
  path: '/v1/batches',
  tags,
  summary: 'Answer the requests of a file',
  description:
    'The whole file is checked before anything is answered. Answers come in the order of the file; those that failed go to the error file.',
  request: { headers: IdempotencyHeader, body: { required: true, content: { 'application/json': { schema: BatchBody } } } },
  responses: {
    ...one('The batch'),
    ...failureResponses('not_found', 'conflict'),
  },
});

const listRoute = createRoute({
  method: 'get',
  path: '/v1/batches',
  tags,
  summary: 'List the batches, newest first',
  request: { query: z.object(pageFields) },
  responses: {
    200: { description: 'A page of batches', content: { 'application/json': { schema: BatchList } } },
    ...failureResponses('not_found'),
  },
});

const oneRoute = createRoute({
  method: 'get',
  path: '/v1/batches/{id}',
  tags,
  summary: 'Show one batch',
  request: { params },
  responses: { ...one('The batch'), ...failureResponses('not_found') },
});

const cancelRoute = createRoute({
  method: 'post',
  path: '/v1/batches/{id}/cancel',
  tags,
  summary: 'Cancel a batch',
  description: 'Answers that are there go to the output file, the requests left to the error file.',
  request: { params },
  responses: { ...one('The batch'), ...failureResponses('not_found', 'conflict') },
});

/** Adds the routes. */
export function addBatches(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openapi(createBatchRoute, async (c) => {
    const { input_file_id: inputFileId, endpoint, metadata = null, ...rest } = c.req.valid('json');
    const idempotency = idempotencyOf(c.req.valid('header'), { inputFileId, endpoint, metadata, ...rest });
    const { job } = await createBatch(databaseOf(context), { inputFileId, endpoint, metadata, idempotency });
    return c.json(toBatchObject(toBatch(job)), 200);
  });
  app.openapi(listRoute, async (c) => {
    const { after, limit } = c.req.valid('query');
    const found = await listJobs(databaseOf(context), { kinds: [batchKind] }, { after, limit });
    const data = found.map((job) => toBatchObject(toBatch(job)));
    return c.json(
      toPage(data, limit, ({ id }) => id),
      200,
    );
  });
  app.openapi(oneRoute, async (c) => {
    const job = await findJob(databaseOf(context), c.req.valid('param').id, [batchKind]);
    return c.json(toBatchObject(toBatch(job)), 200);
  });
  app.openapi(cancelRoute, async (c) => {
    const db = databaseOf(context);
    const { id } = await findJob(db, c.req.valid('param').id, [batchKind]);
    const job = await cancelBatch(db, id);
    return c.json(toBatchObject(toBatch(job)), 200);
  });
}
