// Replies that come in pieces: server-sent events, one `data:` line per chunk with `[DONE]` at the end, or bare JSON lines. Either way one error object
// where a reply breaks off.
import { streamSSE, stream as streamText } from 'hono/streaming';
import { SteerError } from '../errors.ts';
import { jsonLine } from '../json-line.ts';
import type { RequestContext } from './app-context.ts';
import { toFailure } from './problem.ts';
import { toEnvelope } from './schemas/failure.ts';

/** Streams the chunks as server-sent events; a caller who goes away aborts the request and ends the iteration. */
export function streamChunks(c: RequestContext, chunks: AsyncIterable<object>): Response {
  const settle = expectEnd(c);
  // The JSON is one line, so an event is one line; what looks for them costs more than all the rest.
  return streamSSE(c, (stream) =>
    sendAll(c, stream, chunks, { line: (data) => `data: ${data}\n\n`, end: 'data: [DONE]\n\n' }).then(settle),
  );
}

/** The same as JSON lines, for callers without a reader of events. */
export function streamJsonLines(c: RequestContext, chunks: AsyncIterable<object>): Response {
  const settle = expectEnd(c);
  c.header('Content-Type', 'application/x-ndjson; charset=utf-8');
  return streamText(c, (stream) => sendAll(c, stream, chunks, { line: (data) => `${data}\n`, end: '' }).then(settle));
}

interface Piping {
  readonly aborted: boolean;
  write(text: string): Promise<unknown>;
  onAbort(listener: () => void): void;
}

function expectEnd(c: RequestContext): (failure: SteerError | undefined) => void {
  let settle: (failure: SteerError | undefined) => void = () => {};
  c.set('streamed', new Promise((resolve) => (settle = resolve)));
  // Proxies that buffer replies would hold every token back until the end.
  c.header('X-Accel-Buffering', 'no');
  return (failure) => settle(failure);
}

/** The failure that cut the stream short, if one did. */
async function sendAll(
  c: RequestContext,
  stream: Piping,
  chunks: AsyncIterable<object>,
  { line, end }: { line: (data: string) => string; end: string },
): Promise<SteerError | undefined> {
  stream.onAbort(() => c.get('abort').abort());
  try {
    for await (const chunk of chunks) {
      if (stream.aborted) throw new SteerError('cancelled', 'The caller went away.');
      await stream.write(line(jsonLine(chunk)));
    }
    if (end !== '') await stream.write(end);
    return undefined;
  } catch (error) {
    const failure = toFailure(error);
    await stream.write(line(jsonLine(toEnvelope(failure, c.get('requestId')))));
    return failure;
  }
}
