// Server-sent events: one `data:` line per chunk, `[DONE]` at the end, one error object where a reply breaks off.
import { streamSSE } from 'hono/streaming';
import { SteerError } from '../errors.ts';
import type { DoorContext } from './door.ts';
import { toFailure } from './problem.ts';
import { toEnvelope } from './wire/failure.ts';

/** Streams the chunks; a caller who goes away aborts the request and ends the iteration. */
export function streamChunks(c: DoorContext, chunks: AsyncIterable<object>): Response {
  let settle: (failure: SteerError | undefined) => void = () => {};
  c.set('streamed', new Promise((resolve) => (settle = resolve)));
  // Proxies that buffer replies would hold every token back until the end.
  c.header('X-Accel-Buffering', 'no');
  return streamSSE(c, async (stream) => {
    // JSON has no line break, so an event is one line; what looks for them costs more than all the rest.
    const send = (data: string) => stream.write(`data: ${data}\n\n`);
    stream.onAbort(() => c.get('abort').abort());
    try {
      for await (const chunk of chunks) {
        if (stream.aborted) throw new SteerError('cancelled', 'The caller went away.');
        await send(JSON.stringify(chunk));
      }
      await send('[DONE]');
      settle(undefined);
    } catch (error) {
      const failure = toFailure(error);
      await send(JSON.stringify(toEnvelope(failure, c.get('requestId'))));
      settle(failure);
    }
  });
}
