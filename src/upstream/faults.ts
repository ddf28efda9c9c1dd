// Everything that can go wrong between this server and an upstream, each told twice: to the caller without the upstream's words or address,
// and to the log with both.
//
// what happened                          code              unwell   asked again before the first token
// nothing answers, connection lost       not_ready         yes      yes
// 5xx                                    not_ready         yes      yes
// silent for too long                    not_ready         yes      no: the caller has waited long enough
// the reply breaks off                   not_ready         yes      no
// no completion in the answer            internal_error    yes      no
// 429                                    overloaded        no       no: its queue is bounded for a reason
// 401, 403                               invalid_config    no       no
// 404                                    invalid_model     no       no
// 400, for the length of the prompt      context_length_exceeded   no   no
// other 4xx                              invalid_request   no       no
// the reply was withheld, or cut for what it says   invalid_request   no   no
import { type FailureCode, type FailureDetails, SteerError } from '../errors.ts';

interface FaultOptions {
  /** With the upstream's words and address; for the log only. */
  reason: string;
  unwell?: boolean;
  passing?: boolean;
  cause?: unknown;
  details?: FailureDetails;
}

/** A failure of the upstream, or its refusal. */
export class UpstreamFault extends SteerError {
  readonly reason: string;
  /** Whether it counts against the upstream. */
  readonly unwell: boolean;
  /** Whether asking again at once may help. */
  readonly passing: boolean;

  constructor(code: FailureCode, message: string, { reason, unwell = false, passing = false, cause, details }: FaultOptions) {
    super(code, message, { cause, details: details ?? {} });
    this.reason = reason;
    this.unwell = unwell;
    this.passing = passing;
  }
}

const later = 'Send the request again in a moment.';

/** No connection, or one that was lost before the reply began. */
export function away(url: string, cause: unknown): UpstreamFault {
  return new UpstreamFault('not_ready', `The upstream that runs this model does not answer. ${later}`, {
    reason: `${url} does not answer (${describe(cause)}). Check that it runs there, or correct url in upstream.json.`,
    unwell: true,
    passing: true,
    cause,
  });
}

export function silent(url: string, timeoutMs: number): UpstreamFault {
  return new UpstreamFault('not_ready', `The upstream that runs this model was silent for ${timeoutMs} ms. ${later}`, {
    reason: `${url} was silent for ${timeoutMs} ms. Check its load, or raise timeout_ms in upstream.json.`,
    unwell: true,
  });
}

export function brokeOff(url: string, cause: unknown): UpstreamFault {
  return new UpstreamFault('not_ready', `The upstream that runs this model broke the reply off. ${later}`, {
    reason: `${url} broke a reply off (${describe(cause)}).`,
    unwell: true,
    cause,
  });
}

/** The answer is not what the protocol promises. */
export function garbled(url: string, found: string): UpstreamFault {
  const reason = `Expected completions of the OpenAI protocol from ${url}, found ${found}. Is url in upstream.json right, with its /v1?`;
  return new UpstreamFault('internal_error', reason, { reason, unwell: true });
}

/** An answer with a status that is no success. */
export function refused(
  { url, keyVariable = 'UPSTREAM_API_KEY' }: { url: string; keyVariable?: string | undefined },
  status: number,
  retryAfter: string | null,
  words: string,
): UpstreamFault {
  const told = `${url} answered ${status}: ${words.trim().slice(0, 1000) || 'nothing more'}`;
  const seconds = secondsOf(retryAfter);
  const details = seconds === undefined ? {} : { retryAfterS: seconds };
  if (status === 429) {
    return new UpstreamFault('overloaded', `The upstream that runs this model has too much waiting. ${later}`, {
      reason: told,
      details: { retryAfterS: seconds ?? 1 },
    });
  }
  if (status >= 500) {
    return new UpstreamFault('not_ready', `The upstream that runs this model failed. ${later}`, {
      reason: told,
      unwell: true,
      passing: true,
      details,
    });
  }
  if (status === 401 || status === 403) {
    const reason = `${told}. Set ${keyVariable} to a key it takes.`;
    return new UpstreamFault('invalid_config', reason, { reason });
  }
  if (status === 404) {
    const reason = `${told}. Check url and model in upstream.json.`;
    return new UpstreamFault('invalid_model', reason, { reason });
  }
  if (status === 400 && /context.{0,3}(length|size|window)/i.test(words)) {
    const message =
      'The conversation, or the reply asked for, is longer than the upstream that runs this model takes. Shorten one of them.';
    return new UpstreamFault('context_length_exceeded', message, { reason: `${told}. Correct context_length in upstream.json.` });
  }
  return new UpstreamFault(
    'invalid_request',
    'The upstream that runs this model refused the request: a field of it is beyond what is supported there. ' +
      "Leave out what is unusual, or ask whoever runs this server: its log has the upstream's words.",
    { reason: told },
  );
}

/** The upstream ended the reply for a reason of its own, such as `content_filter`. */
export function withheld(url: string, finishReason: string): UpstreamFault {
  const message = `The upstream that runs this model gave no whole reply (${finishReason}). Say it in other words.`;
  return new UpstreamFault('invalid_request', message, { reason: `${url} ended a reply with finish_reason ${finishReason}.` });
}

/** Told of a reply that is cut here, since its upstream does not; for the log. */
export function writesOn(url: string, maxTokens: number): string {
  return `${url} wrote far more than the ${maxTokens} tokens it was asked for at most, and was cut off. Does it know max_tokens_field of upstream.json?`;
}

/** A reply that is none of the choices it was to be one of. */
export function noChoice(found: string): UpstreamFault {
  const message =
    'The upstream that runs this model answered with none of the choices. Send the request again, or leave the choices out.';
  const reason = `Expected one of the choices of a request as JSON, found ${found.slice(0, 200)}. Does the upstream know response_format json_schema?`;
  return new UpstreamFault('not_ready', message, { reason });
}

/** Seconds in a Retry-After header, which may be a date. */
function secondsOf(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined;
  const seconds = /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : undefined;
}

/** The innermost message of an error: fetch says "fetch failed" and keeps the reason in its cause. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return describe(error.cause);
  return error.message || String((error as NodeJS.ErrnoException).code ?? error.name);
}
