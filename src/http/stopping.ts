// How requests hear that the server stops: those that wait and those that only watch at once, those being answered when the grace is over.
import { setMaxListeners } from 'node:events';
import { SteerError } from '../errors.ts';
import type { RequestContext, Stopping } from './app-context.ts';
import { toFailure } from './problem.ts';

/** Signals that nobody has aborted yet, and the ways to do so. */
export function createStopping(): Stopping & { begin(): void; endGrace(): void } {
  const [begun, graceOver] = [new AbortController(), new AbortController()];
  // Every request in hand listens.
  setMaxListeners(0, begun.signal, graceOver.signal);
  return {
    begun: begun.signal,
    graceOver: graceOver.signal,
    begin: () => begun.abort(serverStops()),
    endGrace: () => graceOver.abort(serverStops()),
  };
}

/** What callers are told whom a stopping server does not answer. */
export function serverStops(): SteerError {
  return new SteerError('not_ready', 'The server is stopping. Send the request again in a moment.');
}

/** Aborts `abort` with the reason of `signal` when that is aborted, until the returned function is called. */
export function follow(signal: AbortSignal | undefined, abort: AbortController): () => void {
  const end = () => abort.abort(signal?.reason);
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end, { once: true });
  return () => signal?.removeEventListener('abort', end);
}

/** Waits for what a reply begins with; when the server begins to stop meanwhile, or the caller leaves, the work is aborted and that is thrown. */
export async function untilBegun<T>(c: RequestContext, waited: Promise<T>, abort = c.get('abort')): Promise<T> {
  const { signal } = abort;
  const unfollow = follow(c.env?.stopping?.begun, abort);
  let leave = () => {};
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([waited, left]);
  } finally {
    signal.removeEventListener('abort', leave);
    unfollow();
  }
}

/** The failure that `error` means to the caller: why the work was cancelled, where that is known. */
export function failureUnder({ reason }: AbortSignal, error: unknown): SteerError {
  const failure = toFailure(error);
  return failure.code === 'cancelled' && reason instanceof SteerError ? reason : failure;
}
