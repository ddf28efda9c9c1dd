// The thread's end of an engine: opens it, answers calls as they come and tells what it says.
import { parentPort, workerData } from 'node:worker_threads';
import { failures, SteerError } from '../errors.ts';
import type { Call, Failure, FromThread, Told, ToThread } from './thread-messages.ts';

export interface Engine<Ready, Request, Event> {
  /** Sent once to the caller when the thread is up. */
  ready: Ready;
  /** Answers one call; several may be in hand, each giving way to the others wherever it awaits a run. */
  handle(request: Request, emit: (event: Event) => void, signal: AbortSignal): Promise<void>;
  dispose(): Promise<void>;
}

/** A frame of a game: what comes faster is told together, since crossing the threads and the network costs more than making a token. */
const tellEveryMs = 16;

/** What is to be told, sent at once where somebody waits for it to begin or to end, else in pieces. */
class Outbox {
  readonly #send: (told: Told[]) => void;
  #told: Told[] = [];
  #due = false;
  #lastMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (told: Told[]) => void) {
    this.#send = send;
  }

  put(item: Told, urgent: boolean): void {
    this.#told.push(item);
    if (this.#due) return;
    if (urgent || performance.now() - this.#lastMs >= tellEveryMs) {
      // What else the same step says goes along.
      this.#due = true;
      queueMicrotask(() => this.#flush());
    } else this.#timer ??= setTimeout(() => this.#flush(), tellEveryMs);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = false;
    this.#lastMs = performance.now();
    const told = this.#told;
    this.#told = [];
    if (told.length > 0) this.#send(told);
  }
}

/**
 * The thread's end: opens the engine from the data the caller gave, and from what it says later where it was not known yet, and serves calls until told to
 * stop.
 */
export async function serveThread<Ready, Request, Event>(
  open: (data: unknown, later: Promise<unknown>) => Promise<Engine<Ready, Request, Event>>,
): Promise<void> {
  const port = parentPort!;
  const send = (message: FromThread) => port.postMessage(message);
  const outbox = new Outbox((told) => send({ told }));
  const running = new Map<number, AbortController>();
  const pending = new Set<Promise<void>>();
  let tell: ((later: unknown) => void) | undefined;
  let stop: ((cause: unknown) => void) | undefined;
  const later = new Promise<unknown>((resolve, reject) => {
    tell = resolve;
    stop = reject;
  });
  later.catch(() => {});
  const opening = (message: ToThread) => {
    if ('later' in message) tell?.(message.later);
    else if ('stop' in message) stop?.(new SteerError('not_ready', 'The model was unloaded. Try again.'));
  };
  port.on('message', opening);
  try {
    const engine = await open(workerData, later);
    port.off('message', opening);
    const answer = async ({ id, request }: Call): Promise<void> => {
      const controller = new AbortController();
      running.set(id, controller);
      let first = true;
      const emit = (event: Event) => {
        outbox.put({ id, event }, first);
        first = false;
      };
      try {
        await engine.handle(request as Request, emit, controller.signal);
        outbox.put({ id, done: true }, true);
      } catch (error) {
        outbox.put({ id, failed: toFailure(error) }, true);
      } finally {
        running.delete(id);
      }
    };
    port.on('message', async (message: ToThread) => {
      if ('request' in message) {
        const work = answer(message).finally(() => pending.delete(work));
        pending.add(work);
      } else if ('abort' in message) running.get(message.id)?.abort();
      else if ('stop' in message) {
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

function toFailure(error: unknown): Failure {
  const known = error instanceof SteerError && error.code in failures;
  if (!known) return { code: 'internal_error', message: (error as Error).message };
  return { code: error.code, message: error.message, details: error.details };
}
