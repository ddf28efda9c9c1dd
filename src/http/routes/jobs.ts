// /v1/jobs: every job whatever its kind: looked at, paused, resumed, cancelled; its events, what it did so far and what it could not do.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { batchKind, cancelBatch } from '../../batches/batch.ts';
import { SteerError } from '../../errors.ts';
import {
  cancelJob,
  findJob,
  type Job,
  type JobError,
  listErrors,
  listEvents,
  listJobs,
  pauseJob,
  resumeJob,
} from '../../jobs/jobs.ts';
import { streamLabelled } from '../../predictor/labelled-rows.ts';
import { labellingKind, readLabellingJob } from '../../predictor/labelling-job.ts';
import type { Db } from '../../store/connect.ts';
import { type AppContext, type AppEnv, databaseOf } from '../app-context.ts';
import { readEventId, streamEvents, wantsStream } from '../job-events.ts';
import { streamLines } from '../json-lines.ts';
import { failureResponses } from '../schemas/failure.ts';
import {
  FailedRow,
  JobEventList,
  JobList,
  JobObject,
  JobQuery,
  LabelledRow,
  toJobEvent,
  toJobObject,
  toLabelledRow,
} from '../schemas/jobs.ts';
import { pageFields, toPage } from '../schemas/pages.ts';

const tags = ['Jobs'];
const params = z.object({ id: z.string().max(128) });
const one = (description: string) => ({ 200: { description, content: { 'application/json': { schema: JobObject } } } });
/** A reply of JSON lines. Its media type is kept from the compiler, which takes it for one JSON value. */
const lines = (description: string, name: string) => {
  const schema = z.string().openapi({ description: `Each line is a \`${name}\`` });
  const content: Record<string, { schema: z.ZodString }> = { 'application/jsonl': { schema } };
  return { 200: { description, content } };
};

const listRoute = createRoute({
  method: 'get',
  path: '/v1/jobs',
  tags,
  summary: 'List the jobs, newest first',
  request: { query: JobQuery },
  responses: {
    200: { description: 'A page of jobs', content: { 'application/json': { schema: JobList } } },
    ...failureResponses('not_found'),
  },
});

const oneRoute = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}',
  tags,
  summary: 'Show one job',
  request: { params },
  responses: { ...one('The job'), ...failureResponses('not_found') },
});

const actRoute = (act: 'cancel' | 'pause' | 'resume', summary: string, description: string) =>
  createRoute({
    method: 'post',
    path: `/v1/jobs/{id}/${act}`,
    tags,
    summary,
    description,
    request: { params },
    responses: {
      ...one('The job; `wish` tells what is still to come'),
      ...failureResponses('not_found', 'conflict'),
    },
  });

const acts = [
  {
    route: actRoute('cancel', 'Cancel a job', 'A running job stops after the step in hand; what it has done is kept.'),
    act: async (db: Db, id: string) => ((await findJob(db, id)).kind === batchKind ? cancelBatch(db, id) : cancelJob(db, id)),
  },
  {
    route: actRoute('pause', 'Pause a job', 'A running job stops after the step in hand and waits to be resumed.'),
    act: pauseJob,
  },
  { route: actRoute('resume', 'Resume a paused job', 'It goes on after the last step.'), act: resumeJob },
];

const eventsRoute = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}/events',
  tags,
  summary: 'The events of a job, as a list or a stream',
  description:
    'As server-sent events with `Accept: text/event-stream` or `stream=true`: those there are, then each as it comes; `[DONE]` when the job has ended. Last-Event-ID is honoured.',
  request: { params, query: z.object({ ...pageFields, stream: z.stringbool().optional().openapi({ type: 'boolean' }) }) },
  responses: {
    200: {
      description: 'Events, oldest first',
      content: { 'application/json': { schema: JobEventList }, 'text/event-stream': { schema: z.string() } },
    },
    ...failureResponses('not_found'),
  },
});

const outputRoute = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}/output',
  tags,
  summary: 'What a labelling job has labelled so far',
  request: { params },
  responses: {
    ...lines('One line per reply, in the order of the dataset', 'LabelledRow'),
    ...failureResponses('not_found'),
  },
});

const errorsRoute = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}/errors',
  tags,
  summary: 'The rows a job could not do',
  request: { params },
  responses: { ...lines('One line per row, in order', 'FailedRow'), ...failureResponses('not_found') },
});

/** Adds the routes. */
export function addJobs(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openAPIRegistry.register('LabelledRow', LabelledRow);
  app.openAPIRegistry.register('FailedRow', FailedRow);
  app.openapi(listRoute, async (c) => {
    const { limit, after, kind, status } = c.req.valid('query');
    const filter = { kinds: kind === undefined ? undefined : [kind], statuses: status === undefined ? undefined : [status] };
    const found = await listJobs(databaseOf(context), filter, { after, limit });
    return c.json(
      toPage(found.map(toJobObject), limit, ({ id }) => id),
      200,
    );
  });
  app.openapi(oneRoute, async (c) => c.json(toJobObject(await findJob(databaseOf(context), c.req.valid('param').id)), 200));
  for (const { route, act } of acts) {
    app.openapi(route, async (c) => {
      const job = await act(databaseOf(context), c.req.valid('param').id);
      return c.json(toJobObject(job), 200);
    });
  }
  app.openapi(eventsRoute, async (c) => {
    const db = databaseOf(context);
    const { id } = await findJob(db, c.req.valid('param').id);
    const { limit, after: last, stream } = c.req.valid('query');
    const after = readEventId(last, 'after');
    if (wantsStream(c, stream)) return streamEvents(c, db, id, after, toJobEvent);
    const found = await listEvents(db, id, { after, limit: limit + 1 });
    return c.json(
      toPage(found.map(toJobEvent), limit, (event) => event.id),
      200,
    );
  });
  app.openapi(outputRoute, async (c) => {
    const db = databaseOf(context);
    const job = await findJob(db, c.req.valid('param').id);
    if (job.kind !== labellingKind)
      throw new SteerError('not_found', `The job ${job.id} is no labelling job; its result names what it made.`);
    return await streamLines(c, labelledRows(db, job));
  });
  app.openapi(errorsRoute, async (c) => {
    const db = databaseOf(context);
    return await streamLines(c, failedRows(db, (await findJob(db, c.req.valid('param').id)).id));
  });
}

async function* labelledRows(db: Db, job: Job): AsyncGenerator<z.infer<typeof LabelledRow>> {
  const input = readLabellingJob(job);
  for await (const reply of streamLabelled(db, job)) yield toLabelledRow(reply, input);
}

async function* failedRows(db: Db, jobId: string): AsyncGenerator<z.infer<typeof FailedRow>> {
  for (let page: JobError[] = []; ; ) {
    page = await listErrors(db, jobId, { after: page.at(-1)?.row ?? -1 });
    for (const { row, code, message } of page) yield { row, code, message };
    if (page.length === 0) return;
  }
}
