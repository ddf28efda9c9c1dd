// /v1/fine_tuning/jobs: models made from data, as jobs that outlive their requests; their events, and checkpoints that can be served.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { createFinetuningJob, finetuningKind } from '../../finetuning/job-input.ts';
import { listCheckpoints, listLatestEvents } from '../../finetuning/job-records.ts';
import { cancelJob, findJob, listJobs, pauseJob, resumeJob } from '../../jobs/jobs.ts';
import type { Db } from '../../store/connect.ts';
import { type AppContext, type AppEnv, databaseOf } from '../app-context.ts';
import { toContinuation } from '../fine-tuning-continuation.ts';
import { toFinetuningInput } from '../fine-tuning-request.ts';
import { IdempotencyHeader, idempotencyOf } from '../idempotency.ts';
import { readEventId, streamEvents, wantsStream } from '../job-events.ts';
import { failureResponses } from '../schemas/failure.ts';
import {
  FineTuningCheckpointList,
  FineTuningEventList,
  FineTuningEventQuery,
  FineTuningJob,
  FineTuningJobList,
  FineTuningParams,
  FineTuningQuery,
  FineTuningRequest,
  toFineTuningCheckpoint,
  toFineTuningEvent,
  toFineTuningJob,
} from '../schemas/fine-tuning.ts';
import { toPage } from '../schemas/pages.ts';

const tags = ['Fine-tuning'];
const path = '/v1/fine_tuning/jobs';
const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  200: { description, content: { 'application/json': { schema } } },
});
const failures = failureResponses('not_found');

const createJobRoute = createRoute({
  method: 'post',
  path,
  tags,
  summary: 'Fine-tune a model',
  description:
    'The data is looked through before any compute, and the job fails where it cannot be learnt from. The finished model appears in GET /v1/models.',
  request: {
    headers: IdempotencyHeader,
    body: { required: true, content: { 'application/json': { schema: FineTuningRequest } } },
  },
  responses: {
    ...json(FineTuningJob, 'The job, waiting for a worker'),
    ...failureResponses('unknown_attribute', 'not_found', 'model_not_found', 'conflict'),
  },
});

const listRoute = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List the fine-tuning jobs, newest first',
  request: { query: FineTuningQuery },
  responses: { ...json(FineTuningJobList, 'A page of jobs'), ...failures },
});

const oneRoute = createRoute({
  method: 'get',
  path: `${path}/{id}`,
  tags,
  summary: 'Show one fine-tuning job',
  request: { params: FineTuningParams },
  responses: { ...json(FineTuningJob, 'The job'), ...failures },
});

const actRoute = (act: 'cancel' | 'pause' | 'resume', summary: string, description: string) =>
  createRoute({
    method: 'post',
    path: `${path}/{id}/${act}`,
    tags,
    summary,
    description,
    request: { params: FineTuningParams },
    responses: { ...json(FineTuningJob, 'The job'), ...failureResponses('not_found', 'conflict') },
  });

const acts = [
  {
    route: actRoute('cancel', 'Cancel a fine-tuning job', 'It stops after the step in hand; its checkpoints are kept.'),
    act: cancelJob,
  },
  { route: actRoute('pause', 'Pause a fine-tuning job', 'It stops after the step in hand with a checkpoint.'), act: pauseJob },
  { route: actRoute('resume', 'Resume a paused fine-tuning job', 'It follows the same curve from there.'), act: resumeJob },
];

const eventsRoute = createRoute({
  method: 'get',
  path: `${path}/{id}/events`,
  tags,
  summary: 'The events of a fine-tuning job, as a list or a stream',
  description:
    'A list has the newest first. As server-sent events with `Accept: text/event-stream` or `stream=true`: those there are, oldest first, then each as it comes; `[DONE]` when the job has ended.',
  request: { params: FineTuningParams, query: FineTuningEventQuery },
  responses: {
    200: {
      description: 'Events',
      content: { 'application/json': { schema: FineTuningEventList }, 'text/event-stream': { schema: z.string() } },
    },
    ...failures,
  },
});

const checkpointsRoute = createRoute({
  method: 'get',
  path: `${path}/{id}/checkpoints`,
  tags,
  summary: 'The checkpoints of a fine-tuning job, newest first',
  request: { params: FineTuningParams, query: FineTuningQuery },
  responses: { ...json(FineTuningCheckpointList, 'A page of checkpoints, each a model that can be asked for'), ...failures },
});

/** Adds the routes. */
export function addFineTuning(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  const find = (db: Db, id: string) => findJob(db, id, [finetuningKind]);
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
    const page = c.req.valid('query');
    const found = await listJobs(databaseOf(context), { kinds: [finetuningKind] }, page);
    return c.json(
      toPage(found.map(toFineTuningJob), page.limit, ({ id }) => id),
      200,
    );
  });
  app.openapi(oneRoute, async (c) => c.json(toFineTuningJob(await find(databaseOf(context), c.req.valid('param').id)), 200));
  for (const { route, act } of acts) {
    app.openapi(route, async (c) => {
      const db = databaseOf(context);
      const job = await act(db, (await find(db, c.req.valid('param').id)).id);
      return c.json(toFineTuningJob(job), 200);
    });
  }
  app.openapi(eventsRoute, async (c) => {
    const db = databaseOf(context);
    const { id } = await find(db, c.req.valid('param').id);
    const { after, limit, stream } = c.req.valid('query');
    const last = readEventId(after?.replace(/^ftevent-/, ''), 'after');
    if (wantsStream(c, stream)) return streamEvents(c, db, id, last, toFineTuningEvent);
    const found = await listLatestEvents(db, id, { before: last || undefined, limit });
    return c.json(
      toPage(found.map(toFineTuningEvent), limit, (event) => event.id),
      200,
    );
  });
  app.openapi(checkpointsRoute, async (c) => {
    const db = databaseOf(context);
    const { id } = await find(db, c.req.valid('param').id);
    const page = c.req.valid('query');
    const found = await listCheckpoints(db, id, page);
    return c.json(
      toPage(found.map(toFineTuningCheckpoint), page.limit, (checkpoint) => checkpoint.id),
      200,
    );
  });
}
