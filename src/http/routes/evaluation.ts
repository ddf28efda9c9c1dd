// POST /v1/models/{id}/evaluate: has a model measured, as a job.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { createEvaluationJob, EvaluationRequest } from '../../evaluation/evaluation-input.ts';
import { type AppContext, type AppEnv, databaseOf } from '../app-context.ts';
import { toEvaluationInput } from '../evaluation-request.ts';
import { IdempotencyHeader, idempotencyOf } from '../idempotency.ts';
import { failureResponses } from '../schemas/failure.ts';
import { startedJob, toJobObject } from '../schemas/jobs.ts';
import { jsonBody } from '../schemas/route-parts.ts';

const Body = z.discriminatedUnion('kind', EvaluationRequest.options).openapi('EvaluationRequest');

const evaluateRoute = createRoute({
  method: 'post',
  path: '/v1/models/{id}/evaluate',
  tags: ['Models'],
  summary: 'Measure how good a model is',
  description:
    'Starts a job that does what `steer evaluate` does: a predictor against ratings, steering by the replies a model writes, or by likelihood alone. Its result holds the figures to look at first; the report is at `GET /v1/models/{id}/report` when it has succeeded, and until then the earlier one is. The curves of an evaluation of steering go on the card of the model where each level has at least 16 replies; events of the job tell where not. What would flatter is refused: a judge that learnt from the data of the model or labelled it, data that was seen in training.',
  request: {
    params: z.object({ id: z.string().max(256).openapi({ description: 'Id or alias' }) }),
    headers: IdempotencyHeader,
    body: jsonBody(Body),
  },
  responses: {
    ...startedJob,
    ...failureResponses('not_found', 'model_not_found', 'invalid_dataset', 'conflict'),
  },
});

/** Adds the route. */
export function addEvaluation(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openapi(evaluateRoute, async (c) => {
    const db = databaseOf(context);
    const input = await toEvaluationInput(db, context.models, c.req.valid('param').id, c.req.valid('json'));
    const { job, created } = await createEvaluationJob(db, input, idempotencyOf(c.req.valid('header'), input));
    return c.json(toJobObject(job), created ? 202 : 200);
  });
}
