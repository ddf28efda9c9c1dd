// Failures as callers see them: OpenAI's envelope, or RFC 9457 problem details when Accept asks for it.
import { z } from '@hono/zod-openapi';
import { type FailureCode, failures, type SteerError } from '../../errors.ts';

export const ErrorEnvelope = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.enum(['invalid_request_error', 'authentication_error', 'rate_limit_error', 'server_error']),
      param: z.string().nullable().openapi({ description: 'Path of the offending field, e.g. `attributes.humor`' }),
      code: z.enum(Object.keys(failures) as [FailureCode, ...FailureCode[]]),
    }),
  })
  .openapi('Error');

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().openapi({ description: 'The request id' }),
    code: z.string(),
    param: z.string().nullable(),
  })
  .openapi('Problem');

/** The failure in OpenAI's envelope. A 500 says which request failed and nothing of why. */
export function toEnvelope(failure: SteerError, requestId: string): z.infer<typeof ErrorEnvelope> {
  return {
    error: {
      message: publicMessage(failure, requestId),
      type: errorType(failure.status),
      param: failure.details.param ?? null,
      code: failure.code,
    },
  };
}

/** The failure as RFC 9457 problem details. */
export function toProblem(failure: SteerError, requestId: string): z.infer<typeof Problem> {
  return {
    type: `urn:steer:problem:${failure.code}`,
    title: failures[failure.code].summary,
    status: failure.status,
    detail: publicMessage(failure, requestId),
    instance: `urn:steer:request:${requestId}`,
    code: failure.code,
    param: failure.details.param ?? null,
  };
}

/** Documented replies of a route for the codes that are its own; the document adds those that follow from what it takes. */
export function failureResponses(...codes: FailureCode[]) {
  const content = { 'application/json': { schema: ErrorEnvelope }, 'application/problem+json': { schema: Problem } };
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const { status, summary } = failures[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), `\`${code}\`: ${summary}`]);
  }
  return Object.fromEntries([...byStatus].map(([status, lines]) => [status, { description: lines.join('. '), content }]));
}

function publicMessage(failure: SteerError, requestId: string): string {
  if (failure.status !== 500) return failure.message;
  return `${failures[failure.code].summary}. The server's log has the cause under request id ${requestId}.`;
}

function errorType(status: number): z.infer<typeof ErrorEnvelope>['error']['type'] {
  if (status === 401 || status === 403) return 'authentication_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}
