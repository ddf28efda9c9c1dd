// /v1/feedback: what people say of replies comes in, is found again, and is harvested into datasets.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { findDataset } from '../../datasets/samples.ts';
import { checkRater } from '../../feedback/check-raters.ts';
import { addFeedback, findFeedback, listFeedback } from '../../feedback/feedback.ts';
import { harvest } from '../../feedback/harvest.ts';
import { streamPairs } from '../../feedback/pairs.ts';
import { type AppContext, type AppEnv, databaseOf, type RequestContext } from '../app-context.ts';
import { streamLines } from '../json-lines.ts';
import { knownModels } from '../known-models.ts';
import { describeError } from '../log.ts';
import {
  FeedbackBody,
  FeedbackList,
  FeedbackObject,
  FeedbackQuery,
  HarvestBody,
  HarvestObject,
  PreferencePair,
  toDate,
  toFeedbackObject,
  toHarvestObject,
  toHarvestOptions,
  toNewFeedback,
} from '../schemas/feedback.ts';
import { readPage } from '../schemas/pages.ts';
import { answered, answeredInLines, idParams, jsonBody } from '../schemas/route-parts.ts';

const tags = ['Feedback'];

const giveRoute = createRoute({
  method: 'post',
  path: '/v1/feedback',
  tags,
  summary: 'Rate a remembered reply, or say how it fares against another',
  request: { body: jsonBody(FeedbackBody) },
  responses: answered(
    'The feedback as stored',
    FeedbackObject,
    'unknown_attribute',
    'attribute_out_of_range',
    'not_found',
    'conflict',
  ),
});

const listRoute = createRoute({
  method: 'get',
  path: '/v1/feedback',
  tags,
  summary: 'List feedback, newest first',
  request: { query: FeedbackQuery },
  responses: answered('A page of feedback', FeedbackList, 'not_found'),
});

const pairsRoute = createRoute({
  method: 'get',
  path: '/v1/feedback/pairs',
  tags,
  summary: 'Download the preference pairs of a harvested dataset',
  description: 'JSON lines `{"prompt", "chosen", "rejected", "agreement"}` with messages, as TRL trains on them.',
  request: { query: z.object({ dataset: z.string().max(256).openapi({ description: 'Id, name, or `name@version`' }) }) },
  responses: answeredInLines('The pairs, one a line', 'PreferencePair', 'not_found'),
});

const oneRoute = createRoute({
  method: 'get',
  path: '/v1/feedback/{id}',
  tags,
  summary: 'Show one piece of feedback',
  request: { params: idParams },
  responses: answered('The feedback', FeedbackObject, 'not_found'),
});

const harvestRoute = createRoute({
  method: 'post',
  path: '/v1/feedback/harvest',
  tags,
  summary: 'Make a version of a dataset of what raters agree on',
  request: { body: jsonBody(HarvestBody) },
  responses: answered('What came of it', HarvestObject, 'invalid_dataset', 'conflict'),
});

/** Adds the routes. */
export function addFeedbackRoutes(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  const models = knownModels(context.models);
  app.openAPIRegistry.register('PreferencePair', PreferencePair);
  app.openapi(giveRoute, async (c) => {
    const given = await addFeedback(databaseOf(context), toNewFeedback(c.req.valid('json')), models);
    if (given.created) await testRater(c, context, given.feedback.rater);
    return c.json(toFeedbackObject(given.feedback), 200);
  });
  app.openapi(listRoute, async (c) => {
    const { since, until, completion_id: completionId, ...rest } = c.req.valid('query');
    const query = { ...rest, completionId, since: toDate(since), until: toDate(until) };
    return c.json(await readPage(query, (page) => listFeedback(databaseOf(context), page), toFeedbackObject), 200);
  });
  app.openapi(pairsRoute, async (c) => {
    const db = databaseOf(context);
    const { id } = await findDataset(db, c.req.valid('query').dataset);
    return await streamLines(c, streamPairs(db, id));
  });
  app.openapi(harvestRoute, async (c) => {
    const report = await harvest(databaseOf(context), toHarvestOptions(c.req.valid('json')), models);
    return c.json(toHarvestObject(report), 200);
  });
  app.openapi(oneRoute, async (c) => {
    return c.json(toFeedbackObject(await findFeedback(databaseOf(context), c.req.valid('param').id)), 200);
  });
}

/** The feedback is stored whatever comes of the test; POST /v1/raters/check runs it again. */
async function testRater(c: RequestContext, context: AppContext, rater: string): Promise<void> {
  try {
    await checkRater(databaseOf(context), rater);
  } catch (error) {
    context.log.warn({ requestId: c.get('requestId'), err: describeError(error) }, 'rater not tested');
  }
}
