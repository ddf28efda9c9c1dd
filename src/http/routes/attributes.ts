// GET /v1/attributes: the scales a model knows. POST /v1/attributes/score: a predictor's ratings of assistant turns.

import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import { own } from '../../own.ts';
import type { ConversationScore } from '../../predictor/predictor.ts';
import { findModel } from '../../registry/models.ts';
import { type Attribute, maxLevel } from '../../steerlm/attributes.ts';
import type { Curves } from '../../steerlm/calibration.ts';
import type { Conversation } from '../../steerlm/conversation.ts';
import type { AppContext, AppEnv } from '../app-context.ts';
import { predictorModel, scoreConversations } from '../loaded-models.ts';
import { Messages, toConversation } from '../schemas/messages.ts';
import { Ground, Measured } from '../schemas/replies.ts';
import { answered, jsonBody } from '../schemas/route-parts.ts';
import { ModelName } from '../schemas/sampling.ts';

const AttributeScale = z
  .object({
    name: z.string(),
    aliases: z.array(z.string()),
    description: z.string(),
    min: z.int(),
    max: z.int(),
    default: z.int().nullable().openapi({ description: 'Applied when a request says nothing; null leaves the attribute open' }),
    cap: z.int().openapi({ description: 'Higher requests are lowered to it' }),
    levels: z.array(z.string()).openapi({ description: 'What each level means, lowest first' }),
    instructions: z.array(z.string()).optional().openapi({
      description: 'What is said to a model that was not trained on the levels, one text for each; an empty one says nothing',
    }),
    obtained: z
      .array(z.object({ requested: z.number(), obtained: z.number(), replies: z.int() }))
      .nullable()
      .openapi({
        description: 'Mean level a predictor read in replies for which each level was asked; null where nobody measured it',
      }),
  })
  .openapi('Attribute');

const listRoute = createRoute({
  method: 'get',
  path: '/v1/attributes',
  tags: ['Attributes'],
  summary: 'List the attributes of a model and their scales',
  request: { query: z.object({ model: z.string().max(256).optional() }) },
  responses: answered(
    'The attributes, in the order labels list them',
    z.object({ object: z.literal('list'), model: z.string(), data: z.array(AttributeScale) }).openapi('AttributeList'),
    'model_not_found',
  ),
});

const ScoreBody = z
  .looseObject({
    model: ModelName,
    messages: Messages.optional(),
    inputs: z
      .array(z.object({ messages: Messages }))
      .min(1)
      .optional(),
    turns: z
      .enum(['last', 'all'])
      .default('last')
      .openapi({ description: '`last` rates the last assistant turn of each conversation, `all` every one' }),
  })
  .superRefine((body, context) => {
    if ((body.messages === undefined) !== (body.inputs === undefined)) return;
    context.addIssue({ code: 'custom', path: [], message: 'expected either messages or inputs' });
  })
  .openapi('ScoreRequest');

const Scores = z
  .object({
    object: z.literal('list'),
    model: z.string(),
    data: z.array(
      z.object({
        index: z.int().openapi({ description: 'Place of the conversation in inputs' }),
        turn: z.int().optional().openapi({ description: 'With `turns: "all"`: place of the rated message in messages' }),
        attributes: z.record(z.string(), Measured.extend({ probabilities: z.array(z.number()) })),
        truncated: z.boolean().openapi({ description: 'Whether the start of the conversation was cut to fit the context' }),
        ground: Ground.optional(),
      }),
    ),
    usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
  })
  .openapi('ScoreList');

const scoreRoute = createRoute({
  method: 'post',
  path: '/v1/attributes/score',
  tags: ['Attributes'],
  summary: 'Rate assistant turns with the attribute predictor',
  request: { body: jsonBody(ScoreBody) },
  responses: answered('One rating per turn', Scores, 'model_not_found', 'overloaded', 'cancelled', 'not_ready'),
});

/** Adds both routes. */
export function addAttributes(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openapi(listRoute, (c) => {
    const card = findModel(context.models, c.req.valid('query').model, ['language', 'predictor']);
    return c.json(
      {
        object: 'list' as const,
        model: card.id,
        data: card.schema.attributes.map((attribute) => toScale(attribute, card.curves)),
      },
      200,
    );
  });
  app.openapi(scoreRoute, async (c) => {
    const body = c.req.valid('json');
    const predictor = await predictorModel(c, context.models, body.model);
    const rated = toRatedTurns(body, context.config.limits.scoredTurns);
    const conversations = rated.map((turn) => turn.conversation);
    const scores = await scoreConversations(c, predictor, conversations);
    const data = rated.map(({ index, turn }, i) => {
      const { attributes, truncated, ground } = scores[i] as ConversationScore;
      return { index, ...(body.turns === 'all' ? { turn } : {}), attributes, truncated, ...(ground && { ground }) };
    });
    const tokens = scores.reduce((sum, score) => sum + score.tokens, 0);
    return c.json(
      { object: 'list' as const, model: predictor.id, data, usage: { prompt_tokens: tokens, total_tokens: tokens } },
      200,
    );
  });
}

interface RatedTurn {
  index: number;
  turn: number;
  /** Ends with the turn to rate. */
  conversation: Conversation;
}

function toRatedTurns(body: z.infer<typeof ScoreBody>, most: number): RatedTurn[] {
  const inputs = body.inputs ?? [{ messages: body.messages ?? [] }];
  const rated = inputs.flatMap(({ messages }, index) => {
    const places = messages.flatMap((message, i) => (message.role === 'assistant' ? [i] : []));
    if (places.length === 0) {
      const param = body.inputs ? `inputs.${index}.messages` : 'messages';
      throw new SteerError('invalid_request', `${param}: expected at least one assistant message to rate, found none.`, {
        details: { param },
      });
    }
    return (body.turns === 'all' ? places : places.slice(-1)).map((turn) => ({
      index,
      turn,
      messages: messages.slice(0, turn + 1),
    }));
  });
  if (rated.length > most) {
    throw new SteerError(
      'invalid_request',
      `Expected at most ${most} turns to rate in one request, found ${rated.length}. Send fewer.`,
      {
        details: { param: body.inputs ? 'inputs' : 'messages' },
      },
    );
  }
  return rated.map(({ index, turn, messages }) => ({ index, turn, conversation: toConversation(messages) }));
}

function toScale(attribute: Attribute, curves: Curves): z.infer<typeof AttributeScale> {
  const { name, aliases, description, levels, instructions, cap } = attribute;
  const obtained = own(curves, name)?.map((point) => ({ ...point })) ?? null;
  return {
    name,
    aliases,
    description,
    min: 0,
    max: maxLevel(attribute),
    default: attribute.default,
    cap,
    levels,
    ...(instructions && { instructions }),
    obtained,
  };
}
