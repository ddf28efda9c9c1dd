// POST /v1/chat/completions: steered replies, whole or streamed; and /render, which shows the prompt they would start from.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { distanceFrom, keepNearest, type Measure } from '../../generation/best-of.ts';
import type { CompletionRequest } from '../../generation/language-model.ts';
import { gatherReplies, type ReplyEvent } from '../../generation/replies.ts';
import { own } from '../../own.ts';
import { spellPieces, trimReply } from '../../steerlm/prompt-layout.ts';
import type { AppContext, AppEnv, RequestContext } from '../app-context.ts';
import { askerOf } from '../caller.ts';
import { ChatBody, type ChatPrompt, toChatPrompt, toShownPrompt } from '../chat.ts';
import { type SteeredReply, steer, toChatChunks, toChatCompletion } from '../chat-replies.ts';
import { streamChunks } from '../event-stream.ts';
import { prepareMeasure } from '../measure.ts';
import { recordReplies } from '../record.ts';
import { beginReplies } from '../replies.ts';
import { ChatCompletion, Steering, toReplyHead } from '../schemas/replies.ts';
import { answered, answeredOrStreamed, jsonBody } from '../schemas/route-parts.ts';
import { toCompletionRequest } from '../schemas/sampling.ts';
import { untilBegun } from '../stopping.ts';

const failures = [
  'unknown_attribute',
  'attribute_out_of_range',
  'unknown_vector',
  'vector_out_of_range',
  'invalid_vector',
  'context_length_exceeded',
  'model_not_found',
  'overloaded',
  'cancelled',
  'not_ready',
] as const;

const RenderedPrompt = z
  .object({
    object: z.literal('chat.completion.render'),
    model: z.string(),
    prompt: z.string().openapi({ description: 'Control tokens spelled out; encoding this string would not give token_ids' }),
    token_ids: z
      .array(z.int())
      .openapi({ description: 'Empty for a model that is asked by messages: only its upstream knows them' }),
    prompt_tokens: z.int().openapi({ description: 'An estimate for such a model' }),
    context_length: z.int(),
    fits: z.boolean().openapi({ description: 'Whether the context has room for it and a token of the reply' }),
    steering: Steering,
  })
  .openapi('RenderedPrompt');

const completionRoute = createRoute({
  method: 'post',
  path: '/v1/chat/completions',
  tags: ['Completions'],
  summary: 'Reply to a conversation under the attributes asked for',
  request: { body: jsonBody(ChatBody) },
  responses: answeredOrStreamed('The replies; a stream of chunks with `stream: true`', ChatCompletion, ...failures),
});

const renderRoute = createRoute({
  method: 'post',
  path: '/v1/chat/completions/render',
  tags: ['Completions'],
  summary: 'Show the exact prompt of a chat request and its token ids, without running the model',
  request: { body: jsonBody(ChatBody) },
  responses: answered(
    'The prompt',
    RenderedPrompt,
    'unknown_attribute',
    'attribute_out_of_range',
    'unknown_vector',
    'vector_out_of_range',
    'invalid_vector',
    'model_not_found',
    'cancelled',
    'not_ready',
  ),
});

/** Adds both routes. */
export function addChatCompletions(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openapi(completionRoute, async (c) => {
    const request = c.req.valid('json');
    const prompt = await untilBegun(c, toChatPrompt(context.models, request));
    return complete(c, context, request, prompt);
  });

  app.openapi(renderRoute, async (c) => {
    const shown = await untilBegun(c, toShownPrompt(context.models, c.req.valid('json')));
    const { model, pieces, tokenIds, steering } = shown;
    return c.json(
      {
        object: 'chat.completion.render' as const,
        model: model.id,
        prompt: spellPieces(pieces),
        token_ids: model.chat === 'messages' ? [] : tokenIds,
        prompt_tokens: tokenIds.length,
        context_length: model.contextLength,
        fits: tokenIds.length < model.contextLength,
        steering,
      },
      200,
    );
  });
}

async function complete(c: RequestContext, context: AppContext, request: ChatBody, prompt: ChatPrompt) {
  const { model, tokenIds, phases, vectors } = prompt;
  const { signal } = c.get('abort');
  const topLogprobs = request.logprobs ? (request.top_logprobs ?? 0) : null;
  const wanted = { ...toCompletionRequest(request, tokenIds, model, 'messages', askerOf(c)), topLogprobs };
  const bestOf = request.steering?.best_of ?? 1;
  const measure =
    request.steering?.measure || bestOf > 1
      ? await untilBegun(
          c,
          prepareMeasure(context.models, model, prompt.conversation, {
            chosen: request.steering?.predictor,
            signal,
            caller: c.get('caller'),
          }),
        )
      : undefined;
  const head = toReplyHead('chatcmpl', model, vectors);
  const onReplies = (replies: SteeredReply[]) => recordReplies(c, context, { head, request, prompt, seed: wanted.seed, replies });
  const asked = { ...wanted, phases, vectorTokens: vectors?.tokens };
  const begun = beginReplies(begin(asked, prompt, { bestOf, measure }, signal), signal);
  const events = await untilBegun(c, begun);
  if (request.stream) {
    const includeUsage = request.stream_options?.include_usage === true;
    return streamChunks(c, toChatChunks(head, prompt, events, { n: wanted.n, includeUsage, measure, onReplies }));
  }
  const replies = await steer(await gatherReplies(events, wanted.n, trimReply), prompt, measure);
  const stored = await onReplies(replies);
  return c.json(toChatCompletion({ ...head, ...stored }, prompt, replies), 200);
}

/** The replies of the engine, or those chosen among candidates. */
function begin(
  wanted: CompletionRequest,
  { model, requested, aim }: ChatPrompt,
  { bestOf, measure }: { bestOf: number; measure: Measure | undefined },
  signal: AbortSignal,
): AsyncIterable<ReplyEvent> {
  if (bestOf === 1 || !measure) return model.complete(wanted, signal);
  const asked = Object.keys(requested).filter((name) => own(aim, name) !== undefined);
  const target = asked.length === 0 ? aim : Object.fromEntries(asked.map((name) => [name, aim[name]!]));
  const distance = distanceFrom(model.schema, target);
  return keepNearest(model.complete({ ...wanted, n: wanted.n * bestOf }, signal), { n: wanted.n, bestOf, measure, distance });
}
