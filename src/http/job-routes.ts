// What every job can be asked, under whatever path and in whatever shape it is shown: the job itself, to stop or to go on, its events.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { batchKind, cancelBatch } from '../batches/batch.ts';
import { cancelJob, findJob, type Job, type JobEvent, pauseJob, resumeJob } from '../jobs/jobs.ts';
import type { Db } from '../store/connect.ts';
import { type AppContext, type AppEnv, databaseOf } from './app-context.ts';
import { readEventId, streamEvents, wantsStream } from './job-events.ts';
import { type Page, pageFields, readPage } from './schemas/pages.ts';
import { answered, answeredOrStreamed, idParams } from './schemas/route-parts.ts';

const acts = [
  {
    verb: 'cancel',
    summary: 'Cancel a',
    act: (db: Db, { id, kind }: Job) => (kind === batchKind ? cancelBatch(db, id) : cancelJob(db, id)),
  },
  { verb: 'pause', summary: 'Pause a', act: (db: Db, { id }: Job) => pauseJob(db, id) },
  { verb: 'resume', summary: 'Resume a paused', act: (db: Db, { id }: Job) => resumeJob(db, id) },
] as const;

/** Jobs as one path shows them. */
export interface ShownJobs<Shown extends object> {
  path: string;
  tags: string[];
  /** What one is called in a sentence. */
  name: string;
  /** Kinds of the jobs that are found here; absent means all. */
  kinds?: readonly string[];
  schema: z.ZodType<Shown>;
  toObject: (job: Job) => Shown;
  /** What is said of the reply that shows one, and of the replies to acts where that is more. */
  reply: string;
  actReply?: string;
  /** What can be done to them, with what is said of it. */
  acts: Partial<Record<(typeof acts)[number]['verb'], string>>;
}

/** Adds the routes that show one job and act on it. */
export function addJobRoutes<Shown extends object>(app: OpenAPIHono<AppEnv>, context: AppContext, jobs: ShownJobs<Shown>): void {
  const { path, tags, name, kinds, schema, toObject, reply, actReply = reply, acts: descriptions } = jobs;
  const oneRoute = createRoute({
    method: 'get',
    path: `${path}/{id}`,
    tags,
    summary: `Show one ${name}`,
    request: { params: idParams },
    responses: answered(reply, schema, 'not_found'),
  });
  app.openapi(oneRoute, async (c) => c.json(toObject(await findJob(databaseOf(context), c.req.valid('param').id, kinds)), 200));
  for (const { verb, summary, act } of acts) {
    const description = descriptions[verb];
    if (description === undefined) continue;
    const actRoute = createRoute({
      method: 'post',
      path: `${path}/{id}/${verb}`,
      tags,
      summary: `${summary} ${name}`,
      description,
      request: { params: idParams },
      responses: answered(actReply, schema, 'not_found', 'conflict'),
    });
    app.openapi(actRoute, async (c) => {
      const db = databaseOf(context);
      const job = await act(db, await findJob(db, c.req.valid('param').id, kinds));
      return c.json(toObject(job), 200);
    });
  }
}

/** Events as one path shows them, in the order it lists them in. */
export interface ShownEvents<Shown extends { id: string }> {
  list: z.ZodType<Page<Shown>>;
  find: (db: Db, jobId: string, page: { after: number; limit: number }) => Promise<JobEvent[]>;
  toObject: (event: JobEvent) => Shown;
  description: string;
  reply: string;
}

/** Adds the route that lists the events of a job, or streams them. */
export function addJobEvents<Shown extends { id: string }>(
  app: OpenAPIHono<AppEnv>,
  context: AppContext,
  { path, tags, name, kinds }: Omit<ShownJobs<object>, 'schema' | 'toObject'>,
  { list, find, toObject, description, reply }: ShownEvents<Shown>,
): void {
  const route = createRoute({
    method: 'get',
    path: `${path}/{id}/events`,
    tags,
    summary: `The events of a ${name}, as a list or a stream`,
    description,
    request: {
      params: idParams,
      query: z.object({ ...pageFields, stream: z.stringbool().optional().openapi({ type: 'boolean' }) }),
    },
    responses: answeredOrStreamed(reply, list, 'not_found'),
  });
  app.openapi(route, async (c) => {
    const db = databaseOf(context);
    const { id } = await findJob(db, c.req.valid('param').id, kinds);
    const { after: last, limit, stream } = c.req.valid('query');
    const after = readEventId(last, 'after');
    if (wantsStream(c, stream)) return streamEvents(c, db, id, after, toObject);
    return c.json(await readPage({ after, limit }, (page) => find(db, id, page), toObject), 200);
  });
}
