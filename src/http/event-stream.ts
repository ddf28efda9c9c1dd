// Replies that come in pieces: server-sent events, one `data:` line per chunk with `[DONE]` at the end, or bare JSON lines. Either way one error object
// where a reply breaks off. How the connection goes on is left to the server, which knows what the caller asked for and its version of HTTP.
import { stream as streamText } from 'hono/streaming';
import { SteerError } from '../errors.ts';
import { jsonLine } from '../json-line.ts';
import type { RequestContext } from './app-context.ts';
import { toEnvelope } from './schemas/failure.ts';
import { failureUnder } from './stopping.ts';

const forms = {
  // JSON has no line break, so an event is one line; what looks for them costs more than all the rest.
  events: { type: 'text/event-stream', line: (data: string) => `data: ${data}\n\n`, end: 'data: [DONE]\n\n' },
  lines: { type: 'application/x-ndjson; charset=utf-8', line: (data: string) => `${data}\n`, end: '' },
};

export interface Piping {
  readonly aborted: boolean;
  /** Settles when the caller has room for more. */
  write(text: string): Promise<unknown>;
}

/** Streams the chunks as server-sent events; a caller who goes away aborts the request and ends the iteration. */
export function streamChunks(c: RequestContext, chunks: AsyncIterable<object>): Response {
  return streamPieces(c, 'events', (stream) => sendAll(stream, chunks, forms.events.line));
}

/** The same as JSON lines, for callers without a reader of events. */
export function streamJsonLines(c: RequestContext, chunks: AsyncIterable<object>): Response {
  return streamPieces(c, 'lines', (stream) => sendAll(stream, chunks, forms.lines.line));
}

/** Streams what `tell` writes, then the end of the form, or the failure that cut it short. */
export function streamPieces(c: RequestContext, form: keyof typeof forms, tell: (stream: Piping) => Promise<void>): Response {
  const { type, line, end } = forms[form];
  let settle: (failure: SteerError | undefined) => void = () => {};
  c.set('streamed', new Promise((resolve) => (settle = resolve)));
  c.header('Content-Type', type);
  c.header('Cache-Control', 'no-cache');
  // Proxies that buffer replies would hold every token back until the end.
  c.header('X-Accel-Buffering', 'no');
  return streamText(c, async (stream) => {
    stream.onAbort(() => c.get('abort').abort());
    try {
      await tell(stream);
      if (end !== '') await stream.write(end);
      settle(undefined);
    } catch (error) {
      const failure = failureUnder(c.get('abort').signal, error);
      await stream.write(line(jsonLine(toEnvelope(failure, c.get('requestId')))));
      settle(failure);
    }
  });
}

async function sendAll(stream: Piping, chunks: AsyncIterable<object>, line: (data: string) => string): Promise<void> {
  for await (const chunk of chunks) {
    if (stream.aborted) throw new SteerError('cancelled', 'The caller went away.');
    await stream.write(line(jsonLine(chunk)));
  }
}
