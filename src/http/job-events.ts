// The events of a job as server-sent events: those there are, then each as it comes, until the job has ended.
import { setTimeout as sleep } from 'node:timers/promises';
import { streamSSE } from 'hono/streaming';
import { SteerError } from '../errors.ts';
import { endedStatuses, findJob, type JobEvent, listEvents } from '../jobs/jobs.ts';
import { jsonLine } from '../json-line.ts';
import type { Db } from '../store/connect.ts';
import type { RequestContext } from './app-context.ts';
import { toFailure } from './problem.ts';
import { toEnvelope } from './schemas/failure.ts';

/** Events read at once. */
const pageEvents = 100;
/** Between two looks for new events. */
const lookMs = 500;
/** Without an event for so long, a comment tells proxies that the stream lives. */
const pingMs = 15_000;

/** Whether the caller wants a stream rather than a list. */
export function wantsStream(c: RequestContext, stream: boolean | undefined): boolean {
  return stream ?? /\btext\/event-stream\b/i.test(c.req.header('accept') ?? '');
}

/** Id of the event after which a caller goes on; 0 begins at the first. Throws `invalid_request`. */
export function readEventId(id: string | undefined, param: string): number {
  if (id === undefined || id === '') return 0;
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw new SteerError('invalid_request', `${param}: expected the id of an event, found ${JSON.stringify(id.slice(0, 64))}.`, {
    details: { param },
  });
}

/** Streams the events after `after`, or after the Last-Event-ID of a caller who comes back; `[DONE]` when the job has ended. */
export function streamEvents(
  c: RequestContext,
  db: Db,
  jobId: string,
  after: number,
  toWire: (event: JobEvent) => { id: string },
): Response {
  let seen = readEventId(c.req.header('last-event-id'), 'Last-Event-ID') || after;
  let settle: (failure: SteerError | undefined) => void = () => {};
  c.set('streamed', new Promise((resolve) => (settle = resolve)));
  c.header('X-Accel-Buffering', 'no');
  const { signal } = c.get('abort');
  return streamSSE(c, async (stream) => {
    stream.onAbort(() => c.get('abort').abort());
    let told = performance.now();
    try {
      while (!stream.aborted) {
        // Looked at before the events: what comes between the two is told in the next round.
        const ended = endedStatuses.includes((await findJob(db, jobId)).status);
        const events = await listEvents(db, jobId, { after: seen, limit: pageEvents });
        for (const event of events) await stream.writeSSE({ id: String(event.id), data: jsonLine(toWire(event)) });
        seen = events.at(-1)?.id ?? seen;
        if (events.length === pageEvents) continue;
        if (ended) break;
        if (events.length > 0) told = performance.now();
        else if (performance.now() - told > pingMs) {
          await stream.write(': still here\n\n');
          told = performance.now();
        }
        await sleep(lookMs, undefined, { signal });
      }
      await stream.writeSSE({ data: '[DONE]' });
      settle(undefined);
    } catch (error) {
      const failure = toFailure(error);
      await stream.writeSSE({ data: jsonLine(toEnvelope(failure, c.get('requestId'))) });
      settle(failure);
    }
  });
}
