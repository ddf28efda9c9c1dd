// A completion request in the words of POST /chat/completions, as OpenAI's protocol has them and no server beyond it. What the protocol has no word
// for is refused by name, never left out in silence.
import type { ConstraintSpec } from '../constraints/constraint.ts';
import { SteerError } from '../errors.ts';
import type { CompletionRequest } from '../generation/language-model.ts';
import { choiceSchema, mostWrapping } from './choice-text.ts';
import type { Message } from './message-tokens.ts';
import type { UpstreamSettings } from './settings.ts';

export interface ChatTarget extends Pick<UpstreamSettings, 'model' | 'maxTokensField' | 'extraBody'> {
  messages: readonly Message[];
  /** Undefined leaves the length of the reply to the upstream. */
  maxTokens: number | undefined;
}

/**
 * Settings nobody chose are left out, so that what the upstream holds best for its model stays; models that think refuse some of them in any value.
 * Stop strings are watched for where the reply is read.
 */
export function toChatBody(request: CompletionRequest, target: ChatTarget): Record<string, unknown> {
  const { model, messages, maxTokens, maxTokensField, extraBody } = target;
  const { topP, topLogprobs = null, logitBias = [], presencePenalty = 0, frequencyPenalty = 0, constraint } = request;
  refuseUnknown(request);
  // The likeliest alone, in the only word there is for it.
  const temperature = request.topK === 1 ? 0 : request.temperature;
  const wrapping = constraint?.kind === 'choice' ? mostWrapping : 0;
  return {
    ...extraBody,
    model,
    messages,
    n: 1,
    stream: true,
    stream_options: { include_usage: true },
    ...(maxTokens === undefined ? {} : { [maxTokensField]: maxTokens + wrapping }),
    ...(temperature === 1 ? {} : { temperature }),
    ...(topP === 1 ? {} : { top_p: topP }),
    ...(presencePenalty === 0 ? {} : { presence_penalty: presencePenalty }),
    ...(frequencyPenalty === 0 ? {} : { frequency_penalty: frequencyPenalty }),
    ...(logitBias.length === 0 ? {} : { logit_bias: Object.fromEntries(logitBias) }),
    ...(topLogprobs === null ? {} : { logprobs: true, top_logprobs: topLogprobs }),
    ...(constraint ? { response_format: responseFormat(constraint) } : {}),
  };
}

function refuseUnknown({
  topK,
  minP,
  repetitionPenalty,
  minTokens,
  stopTokens,
  ignoreEos,
  badWords,
  constraint,
}: CompletionRequest): void {
  const asked: [field: string, asks: boolean][] = [
    ['top_k', topK > 1],
    ['min_p', (minP ?? 0) > 0],
    ['repetition_penalty', (repetitionPenalty ?? 1) !== 1],
    ['min_tokens', (minTokens ?? 0) > 0],
    ['stop_token_ids', (stopTokens ?? []).length > 0],
    ['ignore_eos', ignoreEos === true],
    ['bad_words', (badWords ?? []).length > 0],
    ['structured_outputs.regex', constraint?.kind === 'regex'],
  ];
  const [param] = asked.find(([, asks]) => asks) ?? [];
  if (param === undefined) return;
  const message = `${param}: this model runs on an upstream that is asked by messages, and that protocol has no such field. Leave it out.`;
  throw new SteerError('invalid_request', message, { details: { param } });
}

function responseFormat(spec: ConstraintSpec): object {
  if (spec.kind === 'json_object') return { type: 'json_object' };
  const schema = spec.kind === 'json_schema' ? spec.schema : spec.kind === 'choice' ? choiceSchema(spec.choices) : {};
  return { type: 'json_schema', json_schema: { name: 'reply', schema, strict: true } };
}
