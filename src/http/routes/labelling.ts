// POST /v1/datasets/{id}/label: has every reply of a dataset rated, as a job.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { findDataset } from '../../datasets/samples.ts';
import { createLabellingJob } from '../../predictor/labelling-job.ts';
import { type AppContext, type AppEnv, databaseOf } from '../app-context.ts';
import { IdempotencyHeader, idempotencyOf } from '../idempotency.ts';
import { predictorModel } from '../loaded-models.ts';
import { DatasetParams } from '../schemas/datasets.ts';
import { failureResponses } from '../schemas/failure.ts';
import { startedJob, toJobObject } from '../schemas/jobs.ts';
import { jsonBody } from '../schemas/route-parts.ts';
import { ModelName } from '../schemas/sampling.ts';

const LabelBody = z.strictObject({ model: ModelName }).openapi('LabelRequest');

const labelRoute = createRoute({
  method: 'post',
  path: '/v1/datasets/{id}/label',
  tags: ['Datasets'],
  summary: 'Rate every reply of a dataset with a predictor',
  description:
    'Starts a job that adds the labels to the dataset. Content that this revision of the predictor has rated before is answered from those labels.',
  request: {
    params: DatasetParams,
    headers: IdempotencyHeader,
    body: jsonBody(LabelBody),
  },
  responses: {
    ...startedJob,
    ...failureResponses('not_found', 'model_not_found', 'conflict', 'not_ready'),
  },
});

/** Adds the route. */
export function addLabelling(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openapi(labelRoute, async (c) => {
    const db = databaseOf(context);
    const body = c.req.valid('json');
    const dataset = await findDataset(db, c.req.valid('param').id);
    const predictor = await predictorModel(c, context.models, body.model);
    const idempotency = idempotencyOf(c.req.valid('header'), { dataset: dataset.id, ...body });
    const { job, created } = await createLabellingJob(db, dataset, predictor, idempotency);
    return c.json(toJobObject(job), created ? 202 : 200);
  });
}
