// Structured logs: one JSON line per request. Never a prompt, a reply, a query string or a header but the request id.
import type { MiddlewareHandler } from 'hono';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from '../config.ts';
import type { SteerError } from '../errors.ts';
import type { AppEnv } from './app-context.ts';
import { failureUnder } from './stopping.ts';

/** Log that writes JSON lines to standard output, or to `destination`. */
export function createLog(level: Config['logLevel'], destination: DestinationStream = openOutput(1)): Logger {
  return pino({ level }, destination);
}

const keptBytes = 2 ** 20;

/** Lines for an open file. What cannot be written, on a disk without room say, is tried again and then lost; it does not end the process. */
export function openOutput(file: number): DestinationStream {
  const output = pino.destination({ dest: file, sync: false, maxLength: keptBytes });
  output.on('error', () => {});
  return output;
}

/** Middleware that writes one line when the reply, streamed or not, is over. Health checks are only told at debug level. */
export function logRequests(log: Logger): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const startedMs = performance.now();
    await next();
    const write = (failure: SteerError | undefined) => {
      const line = {
        requestId: c.get('requestId'),
        method: c.req.method.slice(0, 16),
        // Still percent-encoded, so no character of it can act on a terminal.
        path: new URL(c.req.url).pathname.slice(0, 256),
        status: c.res.status,
        durationMs: Math.round(performance.now() - startedMs),
        ...(failure ? { code: failure.code } : {}),
      };
      // A server that is still loading is no fault.
      if (failure && failure.status >= 500 && failure.code !== 'not_ready')
        log.error({ ...line, err: describeError(failure.cause ?? failure) }, 'request failed');
      else if (line.path.startsWith('/health/')) log.debug(line, 'request');
      else log.info(line, 'request');
    };
    const streamed = c.get('streamed');
    if (streamed) void streamed.then(write);
    else write(c.error && (c.env?.givenUp?.() ?? failureUnder(c.get('abort').signal, c.error)));
  };
}

/**
 * What a log may tell of an error and its causes. Failed queries are passed over for their cause, since their message holds the values; the database's
 * own error, which may hold one in quotes, is told without.
 */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  if ('params' in error && error.cause instanceof Error) return describeError(error.cause);
  const { name: type, message, stack } = error;
  const { code } = error as NodeJS.ErrnoException;
  const told = { type, ...(typeof code === 'string' ? { code } : {}) };
  if (isOfDatabase(error)) return { ...told, message: message.replace(/".*"/s, '"…"'), stack: framesOf(error) };
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  return { ...told, message, stack, ...cause };
}

/** Whether Postgres said it: by the five characters of its codes. */
function isOfDatabase(error: Error): boolean {
  return 'params' in error || /^(?=.*\d)[0-9A-Z]{5}$/.test(String((error as NodeJS.ErrnoException).code));
}

/** The stack without the message it begins with. */
function framesOf({ stack = '' }: Error): string {
  return stack.slice(Math.max(0, stack.search(/^[ \t]+at /m)));
}
