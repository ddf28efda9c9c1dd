// POST /v1/models/pull: has a model of the catalogue or the hub fetched, as a job.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import { createPullJob, PullInput } from '../../pulling/pull-job.ts';
import { type AppContext, type AppEnv, databaseOf } from '../app-context.ts';
import { IdempotencyHeader, idempotencyOf } from '../idempotency.ts';
import { failureResponses } from '../schemas/failure.ts';
import { startedJob, toJobObject } from '../schemas/jobs.ts';
import { jsonBody } from '../schemas/route-parts.ts';

const Body = z.strictObject(PullInput.shape).openapi('ModelPullRequest');

const pullRoute = createRoute({
  method: 'post',
  path: '/v1/models/pull',
  tags: ['Models'],
  summary: 'Fetch a model',
  description:
    'Starts a job that does what `steer pull` does, for names of the catalogue and repositories of the hub alone. Its progress counts bytes; when it has succeeded, the model can be asked for. ' +
    'Allowed where no key guards the server, which then is reached from its own machine alone, and where ALLOW_PULL is set.',
  request: { headers: IdempotencyHeader, body: jsonBody(Body) },
  responses: { ...startedJob, ...failureResponses('forbidden', 'conflict') },
});

/** Adds the route. */
export function addModelPulls(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  const { allowPull, apiKey } = context.config;
  app.openapi(pullRoute, async (c) => {
    if (!(allowPull ?? apiKey === undefined)) {
      throw new SteerError(
        'forbidden',
        'Models are not pulled over HTTP here. Start the server with ALLOW_PULL=1, or run steer pull on its machine.',
      );
    }
    const input = c.req.valid('json');
    const { job, created } = await createPullJob(databaseOf(context), input, idempotencyOf(c.req.valid('header'), input));
    return c.json(toJobObject(job), created ? 202 : 200);
  });
}
