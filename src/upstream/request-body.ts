// A completion request in the words of POST /v1/completions as vLLM reads it. Every dial is said, neutral ones too: vLLM takes the defaults of
// the model's generation_config.json for those that are left out.
import { createHash } from 'node:crypto';
import type { ConstraintSpec } from '../constraints/constraint.ts';
import { SteerError } from '../errors.ts';
import type { CompletionRequest } from '../generation/language-model.ts';

export interface Target {
  /** Name of the model at the upstream. */
  model: string;
  /** What ends a reply of this model. */
  stopTokens: readonly number[];
}

/** Stop strings are not in it: they are watched for where the reply is read, so that all upstreams treat them alike. */
export function toBody(request: CompletionRequest, maxTokens: number, { model, stopTokens }: Target): Record<string, unknown> {
  const { topLogprobs = null, ignoreEos = false, stopTokens: asked = [], badWords = [], constraint, priority, caller } = request;
  return {
    model,
    prompt: promptOf(request),
    max_tokens: maxTokens,
    temperature: request.temperature,
    top_p: request.topP,
    top_k: request.topK === 0 ? -1 : request.topK,
    min_p: request.minP ?? 0,
    repetition_penalty: request.repetitionPenalty ?? 1,
    presence_penalty: request.presencePenalty ?? 0,
    frequency_penalty: request.frequencyPenalty ?? 0,
    min_tokens: request.minTokens ?? 0,
    ignore_eos: ignoreEos,
    stop_token_ids: [...new Set(ignoreEos ? asked : [...stopTokens, ...asked])],
    logit_bias: biasOf(request, stopTokens),
    // As the upstream finds them: vLLM by their tokens.
    ...(badWords.length === 0 ? {} : { bad_words: badWords }),
    n: 1,
    stream: true,
    stream_options: { include_usage: true },
    return_token_ids: true,
    // A second instance of this server need not remember what the first does.
    store: false,
    ...(topLogprobs === null ? {} : { logprobs: topLogprobs, return_tokens_as_token_ids: true }),
    ...(constraint ? { structured_outputs: structuredOutputs(constraint) } : {}),
    ...(priority === 'batch' ? { service_tier: 'flex' } : {}),
    ...(caller === undefined ? {} : { user: nameAbroad(caller) }),
  };
}

const nameLetters = 16;

/** The same caller has the same name each time, and nobody's address is told. */
function nameAbroad(caller: string): string {
  return createHash('sha256').update(caller).digest('hex').slice(0, nameLetters);
}

/** vLLM's ignore_eos only knows the model's own end of text; the other tokens that end a reply are barred. */
function biasOf({ ignoreEos, logitBias = [], stopTokens: asked = [] }: CompletionRequest, own: readonly number[]) {
  const barred = ignoreEos ? own.filter((id) => !asked.includes(id)) : [];
  return Object.fromEntries([...logitBias, ...barred.map((id) => [id, -100] as const)]);
}

function structuredOutputs(spec: ConstraintSpec): object {
  switch (spec.kind) {
    case 'json_schema':
      return { json: spec.schema };
    case 'json_object':
      return { json_object: true };
    case 'regex':
      return { regex: spec.pattern };
    case 'choice':
      return { choice: spec.choices };
  }
}

/** The one prompt of a request. Throws invalid_request where the scores of several would have to be mixed: an upstream tells none. */
export function promptOf({ prompt, phases }: CompletionRequest): number[] {
  if (!phases) return prompt;
  const refuse = (param: string | undefined, found: string) => {
    const message =
      `This model runs on an upstream, which draws tokens from one prompt by itself; ${found} needs the scores of several. ` +
      'Leave it out, or ask a model that runs on this server.';
    return new SteerError('invalid_request', message, { details: param === undefined ? {} : { param } });
  };
  const [first, ...later] = phases;
  if (later.length > 0) throw refuse('steering.schedule', 'steering.schedule');
  const branches = first?.branches ?? [];
  if (branches.some(({ weight }) => weight < 0)) throw refuse('steering.strength', 'steering.strength above 1');
  if (branches.length > 1) throw refuse(undefined, 'an attribute value between two levels, or steering.strength below 1,');
  return branches[0]?.prompt ?? prompt;
}
