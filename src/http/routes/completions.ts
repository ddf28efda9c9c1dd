// POST /v1/completions: what the model writes after a raw text, with no roles, no labels and no steering.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { CompletionEvent } from '../../generation/language-model.ts';
import type { Door, DoorEnv } from '../door.ts';
import { streamChunks } from '../event-stream.ts';
import { recordReplies } from '../record.ts';
import { beginReplies, countUsage, gatherReplies, inOrder, type Reply, toReply } from '../replies.ts';
import { findModel } from '../served-models.ts';
import { failureResponses } from '../wire/failure.ts';
import { type ReplyHead, TextCompletion, type TextCompletionChunk, toReplyHead } from '../wire/replies.ts';
import { refuseUnsupported, samplingFields, toCompletionRequest } from '../wire/sampling.ts';

const Prompt = z.union([z.string().min(1), z.array(z.string().min(1)).length(1)], {
  error: 'expected one text that is not empty; token ids and several prompts are not supported',
});

const CompletionBody = z
  .looseObject({ ...samplingFields, prompt: Prompt })
  .superRefine((body, context) => {
    refuseUnsupported(body, context);
    for (const field of ['attributes', 'steering']) {
      if (body[field] === undefined || body[field] === null) continue;
      const message = 'a raw prompt has no turn to label; send messages to POST /v1/chat/completions';
      context.addIssue({ code: 'custom', path: [field], message });
    }
  })
  .openapi('CompletionRequest', {
    description:
      'The prompt is read as plain text: whatever it spells, no control token comes of it, so it cannot carry attributes either. ' +
      'A request with `attributes` or `steering` is refused; steering is what POST /v1/chat/completions is for. max_tokens is 16 unless given.',
  });

const route = createRoute({
  method: 'post',
  path: '/v1/completions',
  tags: ['Completions'],
  summary: 'Continue a raw text, unsteered',
  request: { body: { required: true, content: { 'application/json': { schema: CompletionBody } } } },
  responses: {
    200: {
      description: 'The continuations; a stream of chunks with `stream: true`',
      content: { 'application/json': { schema: TextCompletion }, 'text/event-stream': { schema: z.string() } },
    },
    ...failureResponses(
      'invalid_request',
      'invalid_json',
      'context_length_exceeded',
      'model_not_found',
      'body_too_large',
      'unsupported_media_type',
      'overloaded',
      'cancelled',
      'not_ready',
    ),
  },
});

/** Adds the route. */
export function addCompletions(app: OpenAPIHono<DoorEnv>, door: Door): void {
  app.openapi(route, async (c) => {
    const request = c.req.valid('json');
    const model = await door.models.language(findModel(door.models, request.model, ['language']).id);
    const text = typeof request.prompt === 'string' ? request.prompt : (request.prompt[0] ?? '');
    const tokenIds = model.encode([{ text, trained: false }]);
    const wanted = toCompletionRequest(request, tokenIds, model, 'prompt');
    const head = toReplyHead('cmpl', model);
    const onReplies = (replies: Reply[]) => {
      return recordReplies(c, door, { head, request, prompt: { model, tokenIds }, seed: wanted.seed, replies });
    };
    const events = await beginReplies(model.complete(wanted, c.get('abort').signal));
    if (request.stream) {
      const includeUsage = request.stream_options?.include_usage === true;
      return streamChunks(c, toTextChunks(head, tokenIds.length, events, { n: wanted.n, includeUsage, onReplies }));
    }
    const replies = await gatherReplies(events, wanted.n);
    await onReplies(replies);
    const choices = replies.map((reply, index) => {
      return { index, text: reply.text, logprobs: null, finish_reason: reply.finishReason };
    });
    const usage = countUsage(tokenIds.length, replies);
    return c.json({ ...head, object: 'text_completion' as const, choices, usage }, 200);
  });
}

async function* toTextChunks(
  head: ReplyHead,
  promptTokens: number,
  events: AsyncIterable<CompletionEvent>,
  { n, includeUsage, onReplies }: { n: number; includeUsage: boolean; onReplies: (replies: Reply[]) => Promise<void> },
): AsyncGenerator<TextCompletionChunk> {
  const usage = includeUsage ? { usage: null } : {};
  const done = new Map<number, Reply>();
  for await (const event of events) {
    const { index } = event;
    if (event.kind === 'end')
      done.set(
        index,
        toReply(event, (text) => text),
      );
    const text = event.kind === 'delta' ? event.text : '';
    const finish_reason = event.kind === 'end' ? event.finishReason : null;
    yield { ...head, object: 'text_completion', choices: [{ index, text, logprobs: null, finish_reason }], ...usage };
  }
  const replies = inOrder(done, n);
  await onReplies(replies);
  if (includeUsage) yield { ...head, object: 'text_completion', choices: [], usage: countUsage(promptTokens, replies) };
}
