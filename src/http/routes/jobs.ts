// /v1/jobs: every job whatever its kind: looked at, paused, resumed, cancelled; its events, what it did so far and what it could not do.
import { createRoute, type OpenAPIHono, type z } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import { findJob, type Job, type JobError, listErrors, listEvents, listJobs } from '../../jobs/jobs.ts';
import { streamLabelled } from '../../predictor/labelled-rows.ts';
import { labellingKind, readLabellingJob } from '../../predictor/labelling-job.ts';
import type { Db } from '../../store/connect.ts';
import { type AppContext, type AppEnv, databaseOf } from '../app-context.ts';
import { addJobEvents, addJobRoutes } from '../job-routes.ts';
import { streamLines } from '../json-lines.ts';
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
import { readPage } from '../schemas/pages.ts';
import { answered, answeredInLines, idParams } from '../schemas/route-parts.ts';

const tags = ['Jobs'];
const path = '/v1/jobs';

const listRoute = createRoute({
  method: 'get',
  path,
  tags,
  summary: 'List the jobs, newest first',
  request: { query: JobQuery },
  responses: answered('A page of jobs', JobList, 'not_found'),
});

const jobs = {
  path,
  tags,
  name: 'job',
  schema: JobObject,
  toObject: toJobObject,
  reply: 'The job',
  actReply: 'The job; `wish` tells what is still to come',
  acts: {
    cancel: 'A running job stops after the step in hand; what it has done is kept.',
    pause: 'A running job stops after the step in hand and waits to be resumed.',
    resume: 'It goes on after the last step.',
  },
};

const events = {
  list: JobEventList,
  find: listEvents,
  toObject: toJobEvent,
  description:
    'As server-sent events with `Accept: text/event-stream` or `stream=true`: those there are, then each as it comes; `[DONE]` when the job has ended. Last-Event-ID is honoured.',
  reply: 'Events, oldest first',
};

const outputRoute = createRoute({
  method: 'get',
  path: `${path}/{id}/output`,
  tags,
  summary: 'What a labelling job has labelled so far',
  request: { params: idParams },
  responses: answeredInLines('One line per reply, in the order of the dataset', 'LabelledRow', 'not_found'),
});

const errorsRoute = createRoute({
  method: 'get',
  path: `${path}/{id}/errors`,
  tags,
  summary: 'The rows a job could not do',
  request: { params: idParams },
  responses: answeredInLines('One line per row, in order', 'FailedRow', 'not_found'),
});

/** Adds the routes. */
export function addJobs(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openAPIRegistry.register('LabelledRow', LabelledRow);
  app.openAPIRegistry.register('FailedRow', FailedRow);
  app.openapi(listRoute, async (c) => {
    const { kind, status, ...query } = c.req.valid('query');
    const filter = { kinds: kind === undefined ? undefined : [kind], statuses: status === undefined ? undefined : [status] };
    return c.json(await readPage(query, (page) => listJobs(databaseOf(context), filter, page), toJobObject), 200);
  });
  addJobRoutes(app, context, jobs);
  addJobEvents(app, context, jobs, events);
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
