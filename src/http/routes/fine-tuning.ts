// /v1/fine_tuning/jobs: models made from data, as jobs that outlive their requests; their events, and checkpoints that can be served.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { createFinetuningJob, finetuningKind } from '../../finetuning/job-input.ts';
import { listCheckpoints, listLatestEvents } from '../../finetuning/job-records.ts';
import { findJob, listJobs } from '../../jobs/jobs.ts';
import { type AppContext, type AppEnv, databaseOf } from '../app-context.ts';
import { toContinuation } from '../fine-tuning-continuation.ts';
import { toFinetuningInput } from '../fine-tuning-request.ts';
import { IdempotencyHeader, idempotencyOf } from '../idempotency.ts';
import { addJobEvents, addJobRoutes } from '../job-routes.ts';
import {
  FineTuningCheckpointList,
  FineTuningEventList,
  FineTuningJob,
  FineTuningJobList,
  FineTuningRequest,
  toFineTuningCheckpoint,
  toFineTuningEvent,
  toFineTuningJob,
} from '../schemas/fine-tuning.ts';
import { pageFields, readPage } from '../schemas/pages.ts';
import { answered, idParams, jsonBody } from '../schemas/route-parts.ts';

const tags = ['Fine-tuning'];
const path = '/v1/fine_tuning/jobs';
const kinds = [finetuningKind];

const createJobRoute = createRoute({
  method: 'post',
  path,
  tags,
  summary: 'Fine-tune a model',
  description:
    'The data is looked through before any compute, and the job fails where it cannot be learnt from. The finished model appears in GET /v1/models.',
  request: { headers: IdempotencyHeader, body: jsonBody(FineTuningRequest) },
  responses: answered(
    'The job, waiting for a worker',
    FineTuningJob,
    'unknown_attribute',
    'not_found',
    'model_not_found',
    'conflict',
  ),
});

const listRoute = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List the fine-tuning jobs, newest first',
  request: { query: z.object(pageFields) },
  responses: answered('A page of jobs', FineTuningJobList, 'not_found'),
});

const jobs = {
  ...{ path, tags, name: 'fine-tuning job', kinds, schema: FineTuningJob, toObject: toFineTuningJob, reply: 'The job' },
  acts: {
    cancel: 'It stops after the step in hand; its checkpoints are kept.',
    pause: 'It stops after the step in hand with a checkpoint.',
    resume: 'It follows the same curve from there.',
  },
};

const events = {
  list: FineTuningEventList,
  find: listLatestEvents,
  toObject: toFineTuningEvent,
  description:
    'A list has the newest first. As server-sent events with `Accept: text/event-stream` or `stream=true`: those there are, oldest first, then each as it comes; `[DONE]` when the job has ended.',
  reply: 'Events',
};

const checkpointsRoute = createRoute({
  method: 'get',
  path: `${path}/{id}/checkpoints`,
  tags,
  summary: 'The checkpoints of a fine-tuning job, newest first',
  request: { params: idParams, query: z.object(pageFields) },
  responses: answered('A page of checkpoints, each a model that can be asked for', FineTuningCheckpointList, 'not_found'),
});

/** Adds the routes. */
export function addFineTuning(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openapi(createJobRoute, async (c) => {
    const db = databaseOf(context);
    const request = c.req.valid('json');
    const { continue_from: continued } = request;
    const input = continued
      ? await toContinuation(db, context.models, request, continued)
      : await toFinetuningInput(db, context.models, request);
    const { job } = await createFinetuningJob(db, input, idempotencyOf(c.req.valid('header'), request));
    return c.json(toFineTuningJob(job), 200);
  });
  app.openapi(listRoute, async (c) => {
    const query = c.req.valid('query');
    return c.json(await readPage(query, (page) => listJobs(databaseOf(context), { kinds }, page), toFineTuningJob), 200);
  });
  addJobRoutes(app, context, jobs);
  addJobEvents(app, context, jobs, events);
  app.openapi(checkpointsRoute, async (c) => {
    const db = databaseOf(context);
    const { id } = await findJob(db, c.req.valid('param').id, kinds);
    return c.json(await readPage(c.req.valid('query'), (page) => listCheckpoints(db, id, page), toFineTuningCheckpoint), 200);
  });
}
