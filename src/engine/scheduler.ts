// Who may work in the next step: bookkeeping alone, with no tensor, no text and no clock of its own.
// There are no phases of reading and writing: a sequence has tokens it needs and tokens computed, and every step lets the first catch up.
//
// Callers take turns by tokens; within a caller it is first come, first served, people before batches. A request is begun reply by reply, so that a
// large one neither waits for a gap of its whole size nor makes others wait for one.
//
// waiting ── admit: room for one reply more at its longest ──► running ── end of that reply ──► gone, with the request's last one
import { SteerError } from '../errors.ts';
import { Shares, Turns } from '../turns.ts';
import type { Priority } from './request.ts';

export interface SchedulerOptions {
  /** Of each of these one caller alone has so many; a quarter more is kept for others. Cache slots that running replies may come to hold. */
  slots: number;
  /** Sequences that run at once. */
  sequences: number;
  /** Requests that may wait. */
  waiting: number;
  /** Tokens read in one step beside those being written; at least one chunk is. */
  stepTokens: number;
  /** A batch request that has waited this long counts as interactive, so that none waits for ever. */
  agingMs: number;
}

/** A request as the scheduler knows it. */
export interface Claim {
  /** Whose it is. */
  caller: string;
  priority: Priority;
  arrivedMs: number;
  replies: number;
  /** Sequences a reply runs, and the cache slots these can come to hold: its prompts and the reply at its longest. */
  sequences: number;
  slots: number;
}

/** A sequence with more than its next token to catch up with. */
export interface Catching {
  readonly needed: number;
  readonly computed: number;
}

/** Chunks end where their position is a multiple of this, whatever else runs, so that the same prompt is always computed in the same steps. */
export const chunkTokens = 64;

/** Tokens of prompt and reply that a turn is worth: about a reply of a conversation. */
const turnTokens = 512;

/** Replies of a request: those that were not begun, and those that run. */
interface Progress {
  left: number;
  running: number;
}

export class Scheduler<Request extends Claim> {
  readonly #options: SchedulerOptions;
  readonly #slots: Shares;
  readonly #sequences: Shares;
  readonly #places: Shares;
  readonly #turns = new Turns(turnTokens);
  readonly #readTurns = new Turns(chunkTokens);
  readonly #progress = new Map<Request, Progress>();
  readonly #waiting: Request[] = [];
  readonly #running = new Set<Request>();
  /** In the order in which they are read next: who was served last goes to the end. */
  readonly #reads = new Set<Catching>();

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#slots = new Shares(options.slots);
    this.#sequences = new Shares(options.sequences);
    this.#places = new Shares(options.waiting);
  }

  /** Requests with replies that were not begun. */
  get waiting(): readonly Request[] {
    return this.#waiting;
  }

  /** Requests with replies that run. */
  get running(): ReadonlySet<Request> {
    return this.#running;
  }

  /** Throws invalid_request for one of which no reply can ever run and overloaded where too many wait. */
  enqueue(request: Request): void {
    const { slots, sequences } = this.#options;
    if (request.slots > slots || request.sequences > sequences) {
      throw new SteerError(
        'invalid_request',
        `A reply takes ${request.sequences} sequences and ${request.slots} cache slots; this model has ${sequences} and ${slots}. ` +
          'Ask for a shorter reply, or for one that is mixed from fewer prompts.',
        { details: { param: 'max_tokens' } },
      );
    }
    this.#places.enter(request.caller);
    this.#progress.set(request, { left: request.replies, running: 0 });
    this.#waiting.push(request);
  }

  /** Begins the replies that have their turn and room; answers how many of each request. */
  admit(nowMs: number): Map<Request, number> {
    const begun = new Map<Request, number>();
    for (;;) {
      const next = this.#next(nowMs);
      // Room that is too small for it is kept until there is more: nobody is overtaken for being large.
      if (!next || !this.#slots.fits(next.slots) || !this.#sequences.fits(next.sequences)) return begun;
      this.#begin(next);
      begun.set(next, (begun.get(next) ?? 0) + 1);
    }
  }

  /** A running reply is over, after so many tokens of all its sequences. */
  end(request: Request, tokens: number): void {
    const progress = this.#progress.get(request);
    if (!progress || progress.running === 0) return;
    this.#turns.spend(request.caller, tokens - request.slots);
    this.#giveBack(request, progress, 1);
  }

  /** Forgets a request, waiting or running. */
  release(request: Request): void {
    const progress = this.#progress.get(request);
    if (!progress) return;
    this.#leaveQueue(request);
    this.#giveBack(request, progress, progress.running);
    this.#progress.delete(request);
  }

  /** What this step reads: a chunk of each sequence at most, the callers in turn, while the budget lasts. */
  share<S extends Catching>(catching: ReadonlyMap<S, Request>): { sequence: S; count: number }[] {
    for (const read of this.#reads) if (!catching.has(read as S)) this.#reads.delete(read);
    for (const read of catching.keys()) this.#reads.add(read);
    const shares: { sequence: S; count: number }[] = [];
    const open = byCaller([...this.#reads] as S[], (read) => catching.get(read)!.caller);
    let left = this.#options.stepTokens;
    for (;;) {
      const caller = this.#readTurns.next(new Set(open.keys()));
      if (caller === undefined) return shares;
      const sequence = open.get(caller)![0]!;
      const count = Math.min(sequence.needed, nextBoundary(sequence.computed)) - sequence.computed;
      if (shares.length > 0 && count > left) return shares;
      shares.push({ sequence, count });
      left -= count;
      this.#readTurns.spend(caller, count);
      this.#reads.delete(sequence);
      this.#reads.add(sequence);
      const rest = open.get(caller)!.slice(1);
      if (rest.length > 0) open.set(caller, rest);
      else open.delete(caller);
    }
  }

  /** The request of which a reply is begun next, as soon as there is room. */
  #next(nowMs: number): Request | undefined {
    const { agingMs } = this.#options;
    const isUrgent = ({ priority, arrivedMs }: Request) => priority === 'interactive' || nowMs - arrivedMs >= agingMs;
    const heads = new Map<string, Request>();
    for (const request of this.#waiting) {
      const head = heads.get(request.caller);
      if (!head || (!isUrgent(head) && isUrgent(request))) heads.set(request.caller, request);
    }
    const ready = [...heads.values()].filter(({ caller, slots, sequences }) => {
      return this.#slots.allows(caller, slots) && this.#sequences.allows(caller, sequences);
    });
    const urgent = ready.filter(isUrgent);
    const callers = (urgent.length > 0 ? urgent : ready).map(({ caller }) => caller);
    const caller = this.#turns.next(new Set(callers));
    return caller === undefined ? undefined : heads.get(caller);
  }

  #begin(request: Request): void {
    const { caller, slots, sequences } = request;
    const progress = this.#progress.get(request)!;
    progress.left--;
    progress.running++;
    if (progress.left === 0) this.#leaveQueue(request);
    this.#running.add(request);
    this.#slots.take(caller, slots);
    this.#sequences.take(caller, sequences);
    this.#turns.spend(caller, slots);
  }

  #giveBack(request: Request, progress: Progress, replies: number): void {
    const { caller, slots, sequences } = request;
    progress.running -= replies;
    this.#slots.give(caller, replies * slots);
    this.#sequences.give(caller, replies * sequences);
    if (progress.running === 0) this.#running.delete(request);
  }

  #leaveQueue(request: Request): void {
    const place = this.#waiting.indexOf(request);
    if (place < 0) return;
    this.#waiting.splice(place, 1);
    this.#places.give(request.caller, 1);
  }
}

function byCaller<S>(all: readonly S[], callerOf: (one: S) => string): Map<string, S[]> {
  const groups = new Map<string, S[]>();
  for (const one of all) {
    const caller = callerOf(one);
    const group = groups.get(caller);
    if (group) group.push(one);
    else groups.set(caller, [one]);
  }
  return groups;
}

function nextBoundary(computed: number): number {
  return (Math.floor(computed / chunkTokens) + 1) * chunkTokens;
}
