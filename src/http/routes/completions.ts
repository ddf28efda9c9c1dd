// POST /v1/completions: what the model writes after a raw text, with no roles, no labels and no steering.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import { awaitRoom } from '../../event-loop.ts';
import type { LanguageModel, TokenLikelihood } from '../../generation/language-model.ts';
import { gatherReplies, inOrder, type Reply, type ReplyEvent, toReply } from '../../generation/replies.ts';
import { rawPrompt } from '../../generation/steered-prompt.ts';
import { withoutMessages } from '../../upstream/chat-dialect.ts';
import type { AppContext, AppEnv } from '../app-context.ts';
import { askerOf } from '../caller.ts';
import { streamChunks } from '../event-stream.ts';
import { languageModel } from '../loaded-models.ts';
import { recordReplies, type Stored } from '../record.ts';
import { namedUnlessItIs } from '../refusals.ts';
import { beginReplies, countUsage } from '../replies.ts';
import { toTextLogprobs } from '../schemas/logprobs.ts';
import { type ReplyHead, TextCompletion, type TextCompletionChunk, toReplyHead } from '../schemas/replies.ts';
import { answeredOrStreamed, jsonBody } from '../schemas/route-parts.ts';
import { mostTopLogprobs, refuseUnsupported, samplingFields, toCompletionRequest } from '../schemas/sampling.ts';
import { untilBegun } from '../stopping.ts';

const TokenIds = z.array(z.int().min(0)).min(1);
const Prompt = z.union([z.string().min(1), z.array(z.string().min(1)).length(1), TokenIds, z.array(TokenIds).length(1)], {
  error: 'expected one text, or the token ids of one, that is not empty; several prompts are not supported',
});

const CompletionBody = z
  .looseObject({
    ...samplingFields,
    prompt: Prompt,
    logprobs: z
      .int()
      .min(0)
      .max(mostTopLogprobs)
      .nullish()
      .openapi({ description: 'Tell how likely each token was, and so many of the likeliest beside it' }),
    return_token_ids: z.boolean().nullish().openapi({ description: 'Tell the token ids of each reply, as vLLM does' }),
    return_tokens_as_token_ids: z
      .boolean()
      .nullish()
      .openapi({ description: 'With logprobs: name tokens by id, as in `token_id:12`, as vLLM does' }),
  })
  .superRefine((body, context) => {
    refuseUnsupported(body, context);
    for (const field of ['attributes', 'steering']) {
      if (body[field] === undefined || body[field] === null) continue;
      const vectors = vectorsIn(body[field]);
      const path = vectors ? [field, 'vectors'] : [field];
      const why = vectors ? 'a raw prompt is continued without steering vectors' : 'a raw prompt has no turn to label';
      context.addIssue({ code: 'custom', path, message: `${why}; send messages to POST /v1/chat/completions` });
    }
  })
  .openapi('CompletionRequest', {
    description:
      'A prompt that is text is read as plain text: whatever it spells, no control token comes of it, so it cannot carry attributes either. ' +
      "Who sends token ids says exactly what is sent, control tokens of the model's layout among it. " +
      'A request with `attributes` or `steering` is refused; steering is what POST /v1/chat/completions is for. max_tokens is 16 unless given.',
  });

function vectorsIn(steering: unknown): boolean {
  return typeof steering === 'object' && steering !== null && 'vectors' in steering;
}

const route = createRoute({
  method: 'post',
  path: '/v1/completions',
  tags: ['Completions'],
  summary: 'Continue a raw text, unsteered',
  request: { body: jsonBody(CompletionBody) },
  responses: answeredOrStreamed(
    'The continuations; a stream of chunks with `stream: true`',
    TextCompletion,
    'context_length_exceeded',
    'model_not_found',
    'overloaded',
    'cancelled',
    'not_ready',
  ),
});

/** Adds the route. */
export function addCompletions(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openapi(route, async (c) => {
    const request = c.req.valid('json');
    const model = await languageModel(c, context.models, request.model);
    await awaitRoom();
    const tokenIds = await namedUnlessItIs('prompt', () => toTokenIds(request.prompt, model));
    // A token is told of together with its likelihood.
    const topLogprobs = request.logprobs ?? (request.return_token_ids ? 0 : null);
    const wanted = { ...toCompletionRequest(request, tokenIds, model, 'prompt', askerOf(c)), topLogprobs, raw: true };
    const head = toReplyHead('cmpl', model);
    const onReplies = (replies: Reply[]) => {
      return recordReplies(c, context, { head, request, prompt: { model, tokenIds }, seed: wanted.seed, replies });
    };
    const { signal } = c.get('abort');
    const events = await untilBegun(c, beginReplies(model.complete(wanted, signal), signal));
    if (request.stream) {
      const includeUsage = request.stream_options?.include_usage === true;
      const tell = tellTokens(request, model);
      return streamChunks(c, toTextChunks(head, tokenIds, events, { n: wanted.n, includeUsage, tell, onReplies }));
    }
    const replies = await gatherReplies(events, wanted.n);
    const stored = await onReplies(replies);
    const tell = tellTokens(request, model);
    const choices = replies.map((reply, index) => {
      return { index, text: reply.text, ...tell(reply.tokens ?? [], 0), finish_reason: reply.finishReason };
    });
    const usage = countUsage(tokenIds.length, replies);
    return c.json({ ...head, ...stored, object: 'text_completion' as const, choices, usage }, 200);
  });
}

/** Token ids of the one prompt. Throws invalid_request for an id beyond the vocabulary, and where the model reads messages alone. */
function toTokenIds(prompt: z.infer<typeof Prompt>, model: LanguageModel): number[] {
  if (model.chat === 'messages') throw withoutMessages();
  const [first] = prompt;
  if (typeof prompt === 'string' || typeof first === 'string') {
    return rawPrompt(model, typeof prompt === 'string' ? prompt : String(first));
  }
  const ids = (Array.isArray(first) ? first : prompt) as number[];
  const unknown = ids.find((id) => id >= model.vocabSize);
  if (unknown === undefined) return ids;
  const message = `prompt: expected token ids from 0 to ${model.vocabSize - 1}, found ${unknown}. Use ids of this model's vocabulary.`;
  throw new SteerError('invalid_request', message, { details: { param: 'prompt' } });
}

/** What a choice says of its tokens, which begin at `offset` of its text. */
type TellTokens = (
  tokens: TokenLikelihood[],
  offset: number,
) => Pick<TextCompletionChunk['choices'][number], 'logprobs' | 'token_ids'>;

function tellTokens(request: z.infer<typeof CompletionBody>, { bytesOf }: LanguageModel): TellTokens {
  const { logprobs: wanted, return_token_ids: ids, return_tokens_as_token_ids: byId } = request;
  const asked = typeof wanted === 'number';
  return (tokens, offset) => ({
    logprobs: asked && tokens.length > 0 ? toTextLogprobs(tokens, bytesOf, { offset, byId: byId === true }) : null,
    ...(ids ? { token_ids: tokens.map(({ token }) => token) } : {}),
  });
}

interface ChunkOptions {
  n: number;
  includeUsage: boolean;
  tell: TellTokens;
  onReplies: (replies: Reply[]) => Promise<Stored>;
}

async function* toTextChunks(
  head: ReplyHead,
  tokenIds: number[],
  events: AsyncIterable<ReplyEvent>,
  { n, includeUsage, tell, onReplies }: ChunkOptions,
): AsyncGenerator<TextCompletionChunk> {
  const usage = includeUsage ? { usage: null } : {};
  const done = new Map<number, Reply>();
  const lengths = new Map<number, number>();
  let stored: Stored = {};
  for await (const event of events) {
    const { index } = event;
    if (event.kind === 'end')
      done.set(
        index,
        toReply(event, (text) => text),
      );
    if (event.kind === 'end' && done.size === n) stored = await onReplies(inOrder(done, n));
    const text = event.kind === 'delta' ? event.text : '';
    const finish_reason = event.kind === 'end' ? event.finishReason : null;
    const offset = lengths.get(index) ?? 0;
    lengths.set(index, offset + text.length);
    const told = tell((event.kind === 'delta' && event.tokens) || [], offset);
    yield { ...head, ...stored, object: 'text_completion', choices: [{ index, text, ...told, finish_reason }], ...usage };
  }
  const usageOfAll = countUsage(tokenIds.length, inOrder(done, n));
  if (includeUsage) yield { ...head, ...stored, object: 'text_completion', choices: [], usage: usageOfAll };
}
