// GET /v1/models and /v1/models/{id}: what may be named in a request.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Door, DoorEnv } from '../door.ts';
import { findModel, type ModelCard } from '../served-models.ts';
import { failureResponses } from '../wire/failure.ts';

const Model = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: z.int().openapi({ description: 'Unix seconds' }),
    owned_by: z.literal('steer'),
    kind: z.enum(['language', 'predictor']).openapi({ description: 'A language model writes, a predictor rates' }),
    aliases: z.array(z.string()),
    context_length: z.int(),
    attributes: z.array(z.string()).openapi({ description: 'Names only; GET /v1/attributes tells their scales' }),
  })
  .openapi('Model');

const listRoute = createRoute({
  method: 'get',
  path: '/v1/models',
  tags: ['Models'],
  summary: 'List the models',
  responses: {
    200: {
      description: 'Every model',
      content: {
        'application/json': { schema: z.object({ object: z.literal('list'), data: z.array(Model) }).openapi('ModelList') },
      },
    },
    ...failureResponses(),
  },
});

const oneRoute = createRoute({
  method: 'get',
  path: '/v1/models/{id}',
  tags: ['Models'],
  summary: 'Show one model, by id or alias',
  request: { params: z.object({ id: z.string() }) },
  responses: {
    200: { description: 'The model', content: { 'application/json': { schema: Model } } },
    ...failureResponses('model_not_found'),
  },
});

/** Adds both routes. */
export function addModels(app: OpenAPIHono<DoorEnv>, { models }: Door): void {
  app.openapi(listRoute, (c) => c.json({ object: 'list' as const, data: models.list().map(toModel) }, 200));
  app.openapi(oneRoute, (c) => c.json(toModel(findModel(models, c.req.valid('param').id, ['language', 'predictor'])), 200));
}

function toModel(card: ModelCard): z.infer<typeof Model> {
  return {
    id: card.id,
    object: 'model',
    created: card.created,
    owned_by: 'steer',
    kind: card.kind,
    aliases: card.aliases,
    context_length: card.contextLength,
    attributes: card.schema.attributes.map((attribute) => attribute.name),
  };
}
