// A worker thread that owns sessions, and the calls into it. Sessions block their thread, so none may live on the one that serves HTTP. Cooperative
// stop only: ending a thread inside a run aborts the whole process.
import { Worker } from 'node:worker_threads';
// Every thread started here shares the turn on the graphics device.
import './device-turn.ts';
import { SteerError } from '../errors.ts';
import { awaitRoom } from '../event-loop.ts';
import { anyCaller, Shares } from '../turns.ts';
import type { FromThread, Told, ToThread } from './thread-messages.ts';

// A thread only gets a copy of the environment, too late for the native library: telemetry is switched off here, before one starts.
process.env.ORT_DISABLE_TELEMETRY = '1';

/** Events that came but were not read yet, and whoever waits for the next. */
class Inbox {
  readonly #items: (unknown | SteerError)[] = [];
  #wake: (() => void) | undefined;

  push(item: unknown): void {
    this.#items.push(item);
    this.#wake?.();
  }

  /** All there is, at least one. */
  async take(): Promise<(unknown | SteerError)[]> {
    while (this.#items.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    // What a thread tells many callers in one message would be read, told and written in one turn.
    await awaitRoom();
    return this.#items.splice(0);
  }
}

const done = Symbol('done');

function deliver(inbox: Inbox | undefined, told: Told): void {
  if ('event' in told) inbox?.push(told.event);
  else if ('done' in told) inbox?.push(done);
  else inbox?.push(new SteerError(told.failed.code, told.failed.message, { details: told.failed.details ?? {} }));
}

export interface EngineThreadOptions {
  /** Calls of one caller in flight above which a further one is refused with `overloaded`; what the engine itself bounds needs none. */
  maxCalls?: number;
  /** What the thread is told once it is known, so that it opens meanwhile. The thread does not start where it fails. */
  later?: Promise<unknown>;
}

/** A worker that is up, and the calls it has in hand. */
interface Running<Ready> {
  worker: Worker;
  ready: Ready;
  calls: Map<number, Inbox>;
  /** Why it takes no more calls. */
  ended: SteerError | undefined;
}

const unloaded = () => new SteerError('not_ready', 'The model was unloaded. Try again.');

/** The caller's end of an engine thread: Request goes in, events come out. A thread that ends unexpectedly is started again for the next call. */
export class EngineThread<Ready, Request, Event> {
  readonly ready: Ready;
  readonly #start: () => Promise<Running<Ready>>;
  readonly #inHand: Shares;
  #running: Promise<Running<Ready>>;
  #nextId = 0;
  #disposed = false;

  private constructor(running: Running<Ready>, start: () => Promise<Running<Ready>>, options: EngineThreadOptions) {
    this.ready = running.ready;
    this.#running = Promise.resolve(running);
    this.#start = start;
    this.#inHand = new Shares(options.maxCalls ?? Number.POSITIVE_INFINITY);
  }

  /** Starts the compiled module `entry`, which calls serveThread, and waits until it is ready. Throws what its opening threw. */
  static async start<Ready, Request, Event>(
    entry: URL,
    data: unknown,
    options: EngineThreadOptions = {},
  ): Promise<EngineThread<Ready, Request, Event>> {
    const start = () => startWorker<Ready>(entry, data, options.later);
    return new EngineThread(await start(), start, options);
  }

  /**
   * Events of one call as they come, together what came while the caller was busy: a slow reader costs less for each.
   * Aborting, or leaving the loop early, ends the work after the step in hand; then it throws `cancelled`.
   */
  async *call(request: Request, signal: AbortSignal, caller = anyCaller): AsyncGenerator<Event[]> {
    this.#inHand.enter(caller);
    try {
      yield* this.#callOn(await this.#up(), request, signal);
    } finally {
      this.#inHand.give(caller, 1);
    }
  }

  async *#callOn({ worker, calls, ended }: Running<Ready>, request: Request, signal: AbortSignal): AsyncGenerator<Event[]> {
    if (ended) throw ended;
    const id = this.#nextId++;
    const inbox = new Inbox();
    calls.set(id, inbox);
    const send = (message: ToThread) => worker.postMessage(message);
    const cancel = () => {
      send({ id, abort: true });
      inbox.push(new SteerError('cancelled', 'The request was cancelled.'));
    };
    signal.addEventListener('abort', cancel, { once: true });
    let finished = false;
    try {
      if (signal.aborted) throw new SteerError('cancelled', 'The request was cancelled.');
      send({ id, request });
      for (;;) {
        const items = await inbox.take();
        const end = items.findIndex((item) => item === done || item instanceof SteerError);
        const events = (end < 0 ? items : items.slice(0, end)) as Event[];
        if (events.length > 0) yield events;
        if (end < 0) continue;
        finished = items[end] === done;
        if (finished) return;
        throw items[end];
      }
    } finally {
      signal.removeEventListener('abort', cancel);
      calls.delete(id);
      if (!finished) send({ id, abort: true });
    }
  }

  /** Lets the step in hand finish, frees the sessions and waits for the thread to end. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    const running = await this.#running.catch(() => undefined);
    if (!running || running.ended) return;
    end(running, unloaded());
    const exit = new Promise((resolve) => running.worker.once('exit', resolve));
    running.worker.postMessage({ stop: true } satisfies ToThread);
    await exit;
  }

  async #up(): Promise<Running<Ready>> {
    if (this.#disposed) throw unloaded();
    const known = this.#running;
    const running = await known.catch(() => undefined);
    if (running && !running.ended) return running;
    if (this.#disposed) throw unloaded();
    // Whoever comes first starts it again; the others wait for the same start.
    if (this.#running === known) this.#running = this.#start();
    return await this.#running;
  }
}

/** Says to everyone who waits why nothing more will come. */
function end(running: Running<unknown>, reason: SteerError): void {
  running.ended ??= reason;
  for (const inbox of running.calls.values()) inbox.push(running.ended);
}

function startWorker<Ready>(entry: URL, data: unknown, later?: Promise<unknown>): Promise<Running<Ready>> {
  const worker = new Worker(entry, { workerData: data, execArgv: [] });
  const calls = new Map<number, Inbox>();
  return new Promise((resolve, reject) => {
    let running: Running<Ready> | undefined;
    const send = (message: ToThread) => worker.postMessage(message);
    later?.then(
      (known) => send({ later: known }),
      (cause) => {
        reject(cause);
        send({ stop: true });
      },
    );
    const stop = (why: string, cause?: unknown) => {
      const reason = new SteerError(
        'not_ready',
        `The engine of this model ended unexpectedly (${why}) and starts again. Try again.`,
        {
          cause,
          details: { retryAfterS: 1 },
        },
      );
      if (running) end(running, reason);
      else reject(cause ?? reason);
    };
    worker.on('error', (cause) => stop((cause as Error).message, cause));
    worker.on('exit', (code) => stop(`exit code ${code}`));
    worker.on('message', (message: FromThread) => {
      if ('ready' in message) {
        running = { worker, ready: message.ready as Ready, calls, ended: undefined };
        resolve(running);
      } else if ('failed' in message) reject(new SteerError(message.failed.code, message.failed.message));
      else for (const told of message.told) deliver(calls.get(told.id), told);
    });
  });
}
