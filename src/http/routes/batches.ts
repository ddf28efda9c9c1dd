// /v1/batches: many requests in one file, answered as a job.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { batchKind, createBatch, toBatch } from '../../batches/batch.ts';
import { type Job, listJobs } from '../../jobs/jobs.ts';
import { type AppContext, type AppEnv, databaseOf } from '../app-context.ts';
import { IdempotencyHeader, idempotencyOf } from '../idempotency.ts';
import { addJobRoutes } from '../job-routes.ts';
import { BatchBody, BatchList, BatchObject, toBatchObject } from '../schemas/batches.ts';
import { pageFields, readPage } from '../schemas/pages.ts';
import { answered, jsonBody } from '../schemas/route-parts.ts';

const tags = ['Batches'];
const path = '/v1/batches';
const kinds = [batchKind];
const toObject = (job: Job) => toBatchObject(toBatch(job));

const createBatchRoute = createRoute({
  method: 'post',
  path,
  tags,
  summary: 'Answer the requests of a file',
  description:
    'The whole file is checked before anything is answered. Answers come in the order of the file; those that failed go to the error file.',
  request: { headers: IdempotencyHeader, body: jsonBody(BatchBody) },
  responses: answered('The batch', BatchObject, 'not_found', 'conflict'),
});

const listRoute = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List the batches, newest first',
  request: { query: z.object(pageFields) },
  responses: answered('A page of batches', BatchList, 'not_found'),
});

/** Adds the routes. */
export function addBatches(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openapi(createBatchRoute, async (c) => {
    const { input_file_id: inputFileId, endpoint, metadata = null, ...rest } = c.req.valid('json');
    const idempotency = idempotencyOf(c.req.valid('header'), { inputFileId, endpoint, metadata, ...rest });
    const { job } = await createBatch(databaseOf(context), { inputFileId, endpoint, metadata, idempotency });
    return c.json(toObject(job), 200);
  });
  app.openapi(listRoute, async (c) => {
    const query = c.req.valid('query');
    return c.json(await readPage(query, (page) => listJobs(databaseOf(context), { kinds }, page), toObject), 200);
  });
  addJobRoutes(app, context, {
    ...{ path, tags, name: 'batch', kinds, schema: BatchObject, toObject, reply: 'The batch' },
    acts: { cancel: 'Answers that are there go to the output file, the requests left to the error file.' },
  });
}
