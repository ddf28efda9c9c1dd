// /v1/models: what may be named in a request, what of it is loaded, and the aliases by which a model is replaced under running traffic.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { chatForms } from '../../generation/language-model.ts';
import { methodOf, steeringMethods } from '../../generation/steered-prompt.ts';
import { precisions } from '../../model/loaded-network.ts';
import { findModel, type ModelCard, modelStatuses } from '../../registry/models.ts';
import type { AppContext, AppEnv } from '../app-context.ts';
import { listOf } from '../schemas/pages.ts';
import { answered, jsonBody } from '../schemas/route-parts.ts';
import { untilBegun } from '../stopping.ts';

const Model = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: z.int().openapi({ description: 'Unix seconds' }),
    owned_by: z.literal('steer'),
    description: z
      .string()
      .nullable()
      .openapi({ description: 'What it is for, in one line of its card; null where the card has none' }),
    kind: z.enum(['language', 'predictor']).openapi({ description: 'A language model writes, a predictor rates' }),
    status: z.enum(modelStatuses).openapi({ description: 'A model that is not loaded is when it is first asked for' }),
    parent: z.string().nullable().openapi({ description: 'Name of the model it was trained from' }),
    aliases: z.array(z.string()),
    context_length: z.int(),
    precision: z.enum(precisions).openapi({ description: 'Of its weights, as they are loaded or will be' }),
    attributes: z.array(z.string()).openapi({ description: 'Names only; GET /v1/attributes tells their scales' }),
    bad_words: z
      .record(z.string(), z.object({ below: z.number(), words: z.array(z.string()) }))
      .optional()
      .openapi({
        description:
          'By attribute: words that its card keeps out of replies of which less than `below` is asked. Absent where it keeps none out',
      }),
    vectors: z
      .array(z.object({ name: z.string(), range: z.tuple([z.number(), z.number()]) }))
      .optional()
      .openapi({ description: 'Its steering vectors with their lowest and highest weights. Absent where it has none' }),
    chat: z.enum(chatForms).nullable().openapi({
      description:
        'How it reads conversations: `labels`, the layout it was trained in here, `template`, the chat template it came with, or `messages`, an upstream lays them out; null for one that only continues texts',
    }),
    attribute_method: z.enum(steeringMethods).nullable().openapi({
      description: 'How attributes reach it where a request names no `steering.method`; null for a predictor',
    }),
  })
  .openapi('Model');

const Figures = z.record(z.string(), z.unknown());
const Report = z
  .object({
    object: z.literal('model.report'),
    model: z.string(),
    measured: Figures.openapi({ description: 'Of `steerlm.json`; empty where nothing was measured' }),
    evaluations: z
      .object({ predictor: Figures.optional(), steering: Figures.optional(), likelihood: Figures.optional() })
      .openapi({ description: 'By kind; a kind that was not run is absent' }),
  })
  .openapi('ModelReport');

const Alias = z.object({ object: z.literal('model.alias'), alias: z.string(), model: z.string() }).openapi('ModelAlias');

const tags = ['Models'];
const params = z.object({ id: z.string() });
const aliasParams = z.object({ alias: z.string() });

const listRoute = createRoute({
  method: 'get',
  path: '/v1/models',
  tags,
  summary: 'List the models',
  responses: answered('Every model', listOf(Model).openapi('ModelList')),
});

const oneRoute = createRoute({
  method: 'get',
  path: '/v1/models/{id}',
  tags,
  summary: 'Show one model, by id or alias',
  request: { params },
  responses: answered('The model', Model, 'model_not_found'),
});

const reportRoute = createRoute({
  method: 'get',
  path: '/v1/models/{id}/report',
  tags,
  summary: 'Show what was measured of a model',
  description: 'The figures on its card, and the reports of `steer evaluate` as it wrote them',
  request: { params },
  responses: answered('The report', Report, 'model_not_found', 'invalid_model'),
});

const loadRoute = createRoute({
  method: 'post',
  path: '/v1/models/{id}/load',
  tags,
  summary: 'Load a model before it is asked for',
  description:
    'With another precision than it has, it is loaded anew: requests in hand end on the weights they began on. ' +
    "What each precision costs stands on the model's card, steerlm.json.",
  request: {
    params,
    body: {
      required: false,
      content: {
        'application/json': {
          schema: z
            .strictObject({ precision: z.enum(precisions).nullish().openapi({ description: 'Absent leaves it as it is' }) })
            .openapi('ModelLoadRequest'),
        },
      },
    },
  },
  responses: answered('The model, loaded', Model, 'model_not_found', 'invalid_model', 'not_ready'),
});

const unloadRoute = createRoute({
  method: 'post',
  path: '/v1/models/{id}/unload',
  tags,
  summary: 'Take a model out of memory',
  description: 'Its requests in hand are answered to their end, then it is freed. Who asks for it next has it loaded again.',
  request: { params },
  responses: answered('The model, which takes no new requests until it is loaded again', Model, 'model_not_found'),
});

const aliasesRoute = createRoute({
  method: 'get',
  path: '/v1/models/aliases',
  tags,
  summary: 'List the aliases that were set',
  responses: answered('Every alias', listOf(Alias).openapi('ModelAliasList')),
});

const setAliasRoute = createRoute({
  method: 'put',
  path: '/v1/models/aliases/{alias}',
  tags,
  summary: 'Let an alias mean a model from now on',
  description:
    'The model is loaded first. Requests in hand end on the model they began on; every process of the database follows within seconds. ' +
    'The alias `default` is the model of requests that name none.',
  request: {
    params: aliasParams,
    body: jsonBody(
      z.strictObject({ model: z.string().max(256).openapi({ description: 'Id or alias' }) }).openapi('ModelAliasRequest'),
    ),
  },
  responses: answered('What the alias means', Alias, 'model_not_found', 'conflict', 'invalid_model', 'not_ready'),
});

const removeAliasRoute = createRoute({
  method: 'delete',
  path: '/v1/models/aliases/{alias}',
  tags,
  summary: 'Forget an alias',
  description:
    'Without its alias `default` is what the models folder says: the name in its file `default`, or the first steered model.',
  request: { params: aliasParams },
  responses: answered(
    'The alias is gone',
    z.object({ object: z.literal('model.alias'), alias: z.string(), deleted: z.literal(true) }).openapi('DeletedModelAlias'),
    'not_found',
  ),
});

/** Adds the routes. */
export function addModels(app: OpenAPIHono<AppEnv>, { models }: AppContext): void {
  const cardOf = (id: string) => findModel(models, id, ['language', 'predictor']);
  const toAlias = (alias: string, model: string) => ({ object: 'model.alias' as const, alias, model });
  app.openapi(listRoute, (c) => c.json({ object: 'list' as const, data: models.list().map(toModel) }, 200));
  app.openapi(aliasesRoute, (c) => {
    const data = [...models.aliases()].map(([alias, model]) => toAlias(alias, model));
    return c.json({ object: 'list' as const, data }, 200);
  });
  app.openapi(oneRoute, (c) => c.json(toModel(cardOf(c.req.valid('param').id)), 200));
  app.openapi(reportRoute, async (c) => {
    const { id } = cardOf(c.req.valid('param').id);
    return c.json({ object: 'model.report' as const, model: id, ...(await models.report(id)) }, 200);
  });
  app.openapi(loadRoute, async (c) => {
    const { id } = cardOf(c.req.valid('param').id);
    const { precision } = c.req.valid('json') ?? {};
    await untilBegun(c, models.load(id, precision ?? undefined));
    return c.json(toModel(cardOf(id)), 200);
  });
  app.openapi(unloadRoute, (c) => {
    const { id } = cardOf(c.req.valid('param').id);
    models.unload(id);
    return c.json(toModel(cardOf(id)), 200);
  });
  app.openapi(setAliasRoute, async (c) => {
    const { alias } = c.req.valid('param');
    const { id } = await untilBegun(c, models.setAlias(alias, c.req.valid('json').model));
    return c.json(toAlias(alias, id), 200);
  });
  app.openapi(removeAliasRoute, async (c) => {
    const { alias } = c.req.valid('param');
    await models.removeAlias(alias);
    return c.json({ object: 'model.alias' as const, alias, deleted: true as const }, 200);
  });
}

function toModel(card: ModelCard): z.infer<typeof Model> {
  return {
    id: card.id,
    object: 'model',
    created: card.created,
    owned_by: 'steer',
    description: card.description,
    kind: card.kind,
    status: card.status,
    parent: card.base,
    aliases: card.aliases,
    context_length: card.contextLength,
    precision: card.precision,
    attributes: card.schema.attributes.map((attribute) => attribute.name),
    ...(card.badWords ? { bad_words: card.badWords } : {}),
    ...(card.vectors
      ? { vectors: card.vectors.map(({ name, range: [lowest, highest] }) => ({ name, range: [lowest, highest] })) }
      : {}),
    chat: card.chat,
    attribute_method: card.kind === 'language' ? methodOf(card) : null,
  };
}
