// /v1/raters: who rates, how far they agree, whose word counts; and GET /v1/leaderboard, what their choices say of the models.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { checkRater, checkRaters } from '../../feedback/check-raters.ts';
import { leaderboard } from '../../feedback/leaderboard.ts';
import { agreementByQuestion } from '../../feedback/rater-agreement.ts';
import { changeStanding, findRater, listRaters, removeContribution } from '../../feedback/raters.ts';
import { type AppContext, type AppEnv, databaseOf } from '../app-context.ts';
import { pageFields, readPage } from '../schemas/pages.ts';
import {
  AgreementList,
  AgreementQuery,
  CheckBody,
  CheckList,
  LeaderboardObject,
  LeaderboardQuery,
  RaterChange,
  RaterList,
  RaterObject,
  RemovedContribution,
  toAgreementList,
  toCheckList,
  toLeaderboard,
  toRaterObject,
} from '../schemas/raters.ts';
import { answered, idParams, jsonBody } from '../schemas/route-parts.ts';

const tags = ['Raters'];

const listRoute = createRoute({
  method: 'get',
  path: '/v1/raters',
  tags,
  summary: 'List the raters with what their ratings are like',
  request: { query: z.object(pageFields) },
  responses: answered('A page of raters, by id', RaterList),
});

const agreementRoute = createRoute({
  method: 'get',
  path: '/v1/raters/agreement',
  tags,
  summary: 'How far the raters with weight agree, by attribute',
  request: { query: AgreementQuery },
  responses: answered('One entry per question', AgreementList),
});

const checkRoute = createRoute({
  method: 'post',
  path: '/v1/raters/check',
  tags,
  summary: 'Run the outlier test on one rater or all',
  description: 'Each new piece of feedback runs it on its rater as well. Who is flagged has weight 0 until restored.',
  request: { body: jsonBody(CheckBody) },
  responses: answered('Who was tested, most suspect first', CheckList, 'not_found'),
});

const oneRoute = createRoute({
  method: 'get',
  path: '/v1/raters/{id}',
  tags,
  summary: 'Show one rater',
  request: { params: idParams },
  responses: answered('The rater', RaterObject, 'not_found'),
});

const changeRoute = createRoute({
  method: 'post',
  path: '/v1/raters/{id}',
  tags,
  summary: 'Change the weight of a rater, or take a flag back',
  request: { params: idParams, body: jsonBody(RaterChange) },
  responses: answered('The rater', RaterObject, 'not_found'),
});

const removeRoute = createRoute({
  method: 'delete',
  path: '/v1/raters/{id}/feedback',
  tags,
  summary: 'Remove everything a rater said',
  description: 'Versions of datasets that were harvested before stay; harvest again for one without it.',
  request: { params: idParams },
  responses: answered('It is gone', RemovedContribution, 'not_found'),
});

const leaderboardRoute = createRoute({
  method: 'get',
  path: '/v1/leaderboard',
  tags: ['Feedback'],
  summary: 'Rank the models by head-to-head choices',
  request: { query: LeaderboardQuery },
  responses: answered('Models, best first', LeaderboardObject),
});

/** Adds the routes. */
export function addRaters(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openapi(listRoute, async (c) => {
    const query = c.req.valid('query');
    return c.json(await readPage(query, (page) => listRaters(databaseOf(context), page), toRaterObject), 200);
  });
  app.openapi(agreementRoute, async (c) => {
    return c.json(toAgreementList(await agreementByQuestion(databaseOf(context), c.req.valid('query').min_shared)), 200);
  });
  app.openapi(checkRoute, async (c) => {
    const db = databaseOf(context);
    const { rater } = c.req.valid('json');
    if (rater === undefined) return c.json(toCheckList(await checkRaters(db)), 200);
    await findRater(db, rater);
    return c.json(toCheckList([await checkRater(db, rater)]), 200);
  });
  app.openapi(oneRoute, async (c) => c.json(toRaterObject(await findRater(databaseOf(context), c.req.valid('param').id)), 200));
  app.openapi(changeRoute, async (c) => {
    const { weight, flagged, reason } = c.req.valid('json');
    const change = { weight, restore: flagged === false, reason };
    return c.json(toRaterObject(await changeStanding(databaseOf(context), c.req.valid('param').id, change)), 200);
  });
  app.openapi(removeRoute, async (c) => {
    const { id } = c.req.valid('param');
    const deleted = await removeContribution(databaseOf(context), id);
    return c.json({ object: 'rater.feedback' as const, rater: id, deleted }, 200);
  });
  app.openapi(leaderboardRoute, async (c) => {
    return c.json(toLeaderboard(await leaderboard(databaseOf(context), c.req.valid('query'))), 200);
  });
}
