// The events of a job as server-sent events: those there are, then each as it comes, until the job has ended.
import { setTimeout as sleep } from 'node:timers/promises';
import { SteerError } from '../errors.ts';
import { endedStatuses, findJob, type JobEvent, listEvents } from '../jobs/jobs.ts';
import { jsonLine } from '../json-line.ts';
import type { Db } from '../store/connect.ts';
import type { RequestContext } from './app-context.ts';
import { streamPieces } from './event-stream.ts';
import { follow } from './stopping.ts';

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

/** Number of the event after which a caller goes on, bare or as fine-tuning shows it; 0 begins at the first. Throws `invalid_request`. */
export function readEventId(id: string | undefined, param: string): number {
  if (id === undefined || id === '') return 0;
  const number = /^(?:ftevent-)?(\d{1,15})$/.exec(id)?.[1];
  if (number !== undefined) return Number(number);
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
  const abort = c.get('abort');
  const { signal } = abort;
  // Whoever only watches comes back to another server; the job is not waited for.
  const unfollow = follow(c.env?.stopping?.begun, abort);
  return streamPieces(c, 'events', async (stream) => {
    let told = performance.now();
    try {
      while (!stream.aborted) {
        // Looked at before the events: what comes between the two is told in the next round.
        const ended = endedStatuses.includes((await findJob(db, jobId)).status);
        const events = await listEvents(db, jobId, { after: seen, limit: pageEvents });
        for (const event of events) await stream.write(`data: ${jsonLine(toWire(event))}\nid: ${event.id}\n\n`);
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
    } finally {
      unfollow();
    }
  });
}
