// The one border where a failure becomes a reply. Knows every way a request can go wrong before and after its route.
import type { OpenAPIHono } from '@hono/zod-openapi';
import { accepts } from 'hono/accepts';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ZodError } from 'zod';
import { failures, SteerError } from '../errors.ts';
import { faultsOf } from '../shape-faults.ts';
import { interruptionOf, isDatabaseFull } from '../store/interruption.ts';
import type { AppEnv, RequestContext } from './app-context.ts';
import { toEnvelope, toProblem } from './schemas/failure.ts';

/** Any thrown thing as a SteerError; what was not foreseen becomes internal_error with its cause kept. */
export function toFailure(error: unknown): SteerError {
  if (error instanceof SteerError) return error;
  if (error instanceof HTTPException && error.status === 415) {
    return new SteerError('unsupported_media_type', 'Expected a body with Content-Type application/json.');
  }
  if (error instanceof HTTPException && error.status === 400) {
    return new SteerError('invalid_json', 'Expected a JSON body, found text that does not parse as JSON.');
  }
  if (isUnstorable(error)) {
    return new SteerError('invalid_request', 'Expected text without the character U+0000 and half surrogate pairs.');
  }
  if (error instanceof Error && error.name === 'AbortError') return new SteerError('cancelled', 'The caller went away.');
  return interrupted(error) ?? new SteerError('internal_error', 'Unforeseen failure', { cause: error });
}

function interrupted(cause: unknown): SteerError | null {
  const interruption = interruptionOf(cause);
  if (interruption === 'database') return databaseAway(cause);
  if (interruption === null) return null;
  const disk = isDatabaseFull(cause) ? 'the disk of the database' : 'a disk of the server';
  return new SteerError('disk_full', `There is no room left on ${disk}. Make room there, then send the request again.`, {
    cause,
  });
}

/** What a caller is told while the database does not answer. */
export function databaseAway(cause?: unknown): SteerError {
  const message =
    'The database does not answer. Start it or wait for it, then send the request again; GET /health/ready says when.';
  return new SteerError('database_unavailable', message, { cause });
}

/** Postgres refuses U+0000, and in JSON half a surrogate pair, wherever a caller put it: an id in the path, a name in the body. */
function isUnstorable(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code, detail } = cause as NodeJS.ErrnoException & { detail?: unknown };
    if (['22021', '22P05'].includes(String(code)) || (code === '22P02' && /Unicode (?:high|low) surrogate/.test(String(detail))))
      return true;
  }
  return false;
}

/** The first thing wrong with a request, as invalid_request naming the field. */
export function toInvalidRequest(error: ZodError): SteerError {
  const [{ path, words }] = faultsOf(error);
  return new SteerError('invalid_request', `${path === '' ? 'Body' : path}: ${words.slice(0, 500)}.`, {
    details: path === '' ? {} : { param: path },
  });
}

/** Far deeper than any schema or conversation goes, and far from where functions that call themselves run out of room. */
const deepest = 200;

/** Longer lists are not checked entry by entry: the checks themselves would run out of room. */
const longest = 100_000;

/** A shorter text has no room for one. */
export function mayHoldLongList(text: string): boolean {
  return text.length > 2 * longest;
}

/** Throws `invalid_request` for a value nested too deep, or a list too long: what checks, hashes, stores or compiles it would fail halfway. */
export function refuseUnwieldy(value: unknown): void {
  let layer: unknown[] = [value];
  for (let depth = 0; layer.length > 0; depth++) {
    if (depth > deepest) {
      throw new SteerError('invalid_request', `Body: expected values nested at most ${deepest} deep, found deeper ones.`);
    }
    const long = layer.find((each) => Array.isArray(each) && each.length > longest) as unknown[] | undefined;
    if (long) {
      throw new SteerError('invalid_request', `Body: expected lists of at most ${longest} entries, found one of ${long.length}.`);
    }
    layer = layer.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []));
  }
}

/** Reply that tells the failure, in the form the caller's Accept header asks for. */
export function renderFailure(c: RequestContext, failure: SteerError): Response {
  const { retryAfterS } = failure.details;
  if (retryAfterS !== undefined || failures[failure.code].retryable) c.header('Retry-After', String(Math.ceil(retryAfterS ?? 1)));
  if (failure.status === 401) c.header('WWW-Authenticate', 'Bearer');
  const status = failure.status as ContentfulStatusCode;
  const form = accepts(c, {
    header: 'Accept',
    supports: ['application/json', 'application/problem+json'],
    default: 'application/json',
  });
  if (form === 'application/json') return c.json(toEnvelope(failure, c.get('requestId')), status);
  return c.json(toProblem(failure, c.get('requestId')), status, { 'content-type': 'application/problem+json' });
}

/** Handler of addresses no route answers: 405 with Allow where another method would be, 404 elsewhere. */
export function renderUnknownRoute(app: OpenAPIHono<AppEnv>) {
  return (c: RequestContext): Response => {
    const found = app.openAPIRegistry.definitions.flatMap((definition) =>
      definition.type === 'route' && matches(definition.route.path, c.req.path) ? [definition.route.method.toUpperCase()] : [],
    );
    // An address may be that of two routes: /v1/models/aliases is also /v1/models/{id}.
    const methods = [...new Set(found)];
    if (methods.length === 0) {
      return renderFailure(
        c,
        new SteerError('not_found', 'Nothing is at this address. /openapi.json lists the routes, /docs shows them.'),
      );
    }
    c.header('Allow', methods.join(', '));
    return renderFailure(c, new SteerError('method_not_allowed', `Expected ${methods.join(' or ')} at this address.`));
  };
}

function matches(template: string, path: string): boolean {
  const parts = template.split('/');
  const found = path.split('/');
  return parts.length === found.length && parts.every((part, i) => (part.startsWith('{') ? found[i] !== '' : part === found[i]));
}
