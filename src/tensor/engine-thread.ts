// A worker thread that owns sessions, and the calls into it. Sessions block their thread, so none may live on the one that serves HTTP.
// Cooperative stop only: ending a thread inside a run aborts the whole process. Knows nothing of what is computed.
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { type FailureCode, failures, SteerError } from '../errors.ts';

// A thread only gets a copy of the environment, too late for the native library: telemetry is switched off here, before one starts.
process.env.ORT_DISABLE_TELEMETRY = '1';

interface Call {
  id: number;
  request: unknown;
}
type ToThread = Call | { id: number; abort: true } | { stop: true };
type FromThread =
  | { ready: unknown }
  | { id: number; event: unknown }
  | { id: number; done: true }
  | { id: number; failed: Failure }
  | { failed: Failure };
interface Failure {
  code: FailureCode;
  message: string;
}

function toFailure(error: unknown): Failure {
  const known = error instanceof SteerError && error.code in failures;
  return { code: known ? error.code : 'internal_error', message: (error as Error).message };
}

/** Events that came but were not read yet, and whoever waits for the next. */
class Inbox {
  readonly #items: (unknown | SteerError)[] = [];
  #wake: (() => void) | undefined;

  push(item: unknown): void {
    this.#items.push(item);
    this.#wake?.();
  }

  async next(): Promise<unknown> {
    while (this.#items.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#items.shift();
  }
}

const done = Symbol('done');

export interface EngineThreadOptions {
  /** Calls in flight above which a further one is refused with `overloaded`. */
  maxCalls: number;
}

/** The caller's end of an engine thread: Request goes in, events come out. */
export class EngineThread<Ready, Request, Event> {
  readonly ready: Ready;
  readonly #worker: Worker;
  readonly #calls: Map<number, Inbox>;
  readonly #options: EngineThreadOptions;
  #nextId = 0;
  #ended = false;

  private constructor(worker: Worker, ready: Ready, calls: Map<number, Inbox>, options: EngineThreadOptions) {
    this.#worker = worker;
    this.ready = ready;
    this.#calls = calls;
    this.#options = options;
    worker.on('exit', () => this.#end(new SteerError('internal_error', 'The engine thread ended unexpectedly.')));
    worker.on('error', (cause) => this.#end(new SteerError('internal_error', `The engine thread failed: ${cause}`, { cause })));
  }

  /** Starts the compiled module `entry`, which calls serveThread, and waits until it is ready. Throws what its opening threw. */
  static start<Ready, Request, Event>(
    entry: URL,
    data: unknown,
    options: EngineThreadOptions,
  ): Promise<EngineThread<Ready, Request, Event>> {
    const worker = new Worker(entry, { workerData: data, execArgv: [] });
    const calls = new Map<number, Inbox>();
    return new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.on('message', (message: FromThread) => {
        if ('ready' in message) resolve(new EngineThread<Ready, Request, Event>(worker, message.ready as Ready, calls, options));
        else if (!('id' in message)) reject(new SteerError(message.failed.code, message.failed.message));
        else if ('event' in message) calls.get(message.id)?.push(message.event);
        else if ('done' in message) calls.get(message.id)?.push(done);
        else calls.get(message.id)?.push(new SteerError(message.failed.code, message.failed.message));
      });
    });
  }

  /** Events of one call as they come. Aborting, or leaving the loop early, ends the work after the step in hand; then it throws `cancelled`. */
  async *call(request: Request, signal: AbortSignal): AsyncGenerator<Event> {
    if (this.#ended) throw new SteerError('not_ready', 'The model was unloaded. Try again.');
    if (this.#calls.size >= this.#options.maxCalls) {
      throw new SteerError('overloaded', `${this.#calls.size} requests are waiting for this model. Try again shortly.`, {
        details: { retryAfterS: 1 },
      });
    }
    const id = this.#nextId++;
    const inbox = new Inbox();
    this.#calls.set(id, inbox);
    const send = (message: ToThread) => this.#ended || this.#worker.postMessage(message);
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
        const item = await inbox.next();
        if (item === done) {
          finished = true;
          return;
        }
        if (item instanceof SteerError) throw item;
        yield item as Event;
      }
    } finally {
      signal.removeEventListener('abort', cancel);
      this.#calls.delete(id);
      if (!finished) send({ id, abort: true });
    }
  }

  /** Lets the step in hand finish, frees the sessions and waits for the thread to end. */
  async dispose(): Promise<void> {
    if (this.#ended) return;
    this.#end(new SteerError('not_ready', 'The model was unloaded. Try again.'));
    const exit = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.postMessage({ stop: true } satisfies ToThread);
    await exit;
  }

  #end(reason: SteerError): void {
    this.#ended = true;
    for (const inbox of this.#calls.values()) inbox.push(reason);
  }
}

export interface Engine<Ready, Request, Event> {
  /** Sent once to the caller when the thread is up. */
  ready: Ready;
  /** Answers one call; several may be in hand, each giving way to the others wherever it awaits a run. */
  handle(request: Request, emit: (event: Event) => void, signal: AbortSignal): Promise<void>;
  dispose(): Promise<void>;
}

/** The thread's end: opens the engine from the data the caller gave and serves calls until told to stop. */
export async function serveThread<Ready, Request, Event>(
  open: (data: unknown) => Promise<Engine<Ready, Request, Event>>,
): Promise<void> {
  const port = parentPort!;
  const send = (message: FromThread) => port.postMessage(message);
  const running = new Map<number, AbortController>();
  const pending = new Set<Promise<void>>();
  try {
    const engine = await open(workerData);
    const answer = async ({ id, request }: Call): Promise<void> => {
      const controller = new AbortController();
      running.set(id, controller);
      try {
        await engine.handle(request as Request, (event) => send({ id, event }), controller.signal);
        send({ id, done: true });
      } catch (error) {
        send({ id, failed: toFailure(error) });
      } finally {
        running.delete(id);
      }
    };
    port.on('message', async (message: ToThread) => {
      if ('request' in message) {
        const work = answer(message).finally(() => pending.delete(work));
        pending.add(work);
      } else if ('abort' in message) running.get(message.id)?.abort();
      else {
        for (const controller of running.values()) controller.abort();
        await Promise.allSettled(pending);
        await engine.dispose();
        port.close();
      }
    });
    send({ ready: engine.ready });
  } catch (error) {
    send({ failed: toFailure(error) });
    port.close();
  }
}
