// Answers many requests at once, one step after the other: each step reads some of the prompts that wait and one more token of every reply.
// Token ids in, token ids out: knows no text and no tokenizer. What a reply says depends on its request alone, never on who else is served.
//
// request ── enqueue ──► waiting ── admit ──► reading ── all its prompts read ──► writing ──► over
//                                               ▲────────── next phase ──────────┘
import { setImmediate } from 'node:timers/promises';
import { type ConstraintSpec, Constraints, type OpenConstraint } from '../constraints/constraint.ts';
import { type FailureCode, SteerError } from '../errors.ts';
import { anyCaller } from '../turns.ts';
import { withoutBadChoices, wordsOf } from './bad-words.ts';
import { checkRequest } from './check-request.ts';
import type { Live, Sequence } from './live-request.ts';
import { Reply } from './reply.ts';
import type { FinishReason, GenerationEvent, GenerationRequest, Vocabulary } from './request.ts';
import type { Batch, Reading, Runner } from './runner.ts';
import { Scheduler } from './scheduler.ts';

export interface EngineOptions {
  /**
   * Keys and values of the running replies of one caller, at their longest; of this, of `sequences` and of `waiting` a quarter more is kept for
   * others. Lanes that are not filled may take as much again.
   */
  cacheBytes: number;
  /** Beginnings of prompts that are kept. */
  prefixBytes: number;
  /** Sequences of one caller that run at once: replies times the prompts each is mixed from. */
  sequences: number;
  /** Requests of one caller that may wait. */
  waiting: number;
  /** Prompt tokens read in a step. */
  stepTokens: number;
  agingMs: number;
}

/** Bounds for a small machine. */
export const engineDefaults: EngineOptions = {
  cacheBytes: 2 ** 30,
  prefixBytes: 2 ** 28,
  sequences: 64,
  waiting: 256,
  stepTokens: 64,
  agingMs: 5_000,
};

export class Engine {
  readonly #runner: Runner;
  readonly #vocabulary: Vocabulary;
  readonly #constraints: Constraints | undefined;
  readonly #scheduler: Scheduler<Live>;
  #stepping: Promise<void> | undefined;

  constructor(runner: Runner, vocabulary: Vocabulary, options: EngineOptions) {
    this.#runner = runner;
    this.#vocabulary = vocabulary;
    const { tokenBytes, stopTokens } = vocabulary;
    this.#constraints = tokenBytes && new Constraints({ tokenBytes, stopTokens });
    this.#scheduler = new Scheduler({ ...options, slots: Math.floor(options.cacheBytes / runner.sizes.slotBytes) });
  }

  /** Requests and memory in hand. */
  get load(): { running: number; waiting: number; cacheBytes: number; prefixBytes: number } {
    const { running, waiting } = this.#scheduler;
    const { lanes, prefixes } = this.#runner.bytes;
    return { running: running.size, waiting: waiting.length, cacheBytes: lanes, prefixBytes: prefixes };
  }

  /**
   * Emits the tokens of all n replies as they come and the end of each. Throws `cancelled` within one step of an abort, `invalid_request` for a
   * request that can never fit, `overloaded`, and `internal_error` when a step it was part of failed.
   */
  generate(request: GenerationRequest, emit: (event: GenerationEvent) => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const live = this.#claim(request, emit, signal, (error) => (error ? reject(error) : resolve()));
      this.#scheduler.enqueue(live);
      this.#stepping ??= this.#work();
    });
  }

  #claim(
    request: GenerationRequest,
    emit: (event: GenerationEvent) => void,
    signal: AbortSignal,
    settle: (error?: SteerError) => void,
  ): Live {
    const { caller = anyCaller, phases, n, maxTokens, priority, maxMs = Number.POSITIVE_INFINITY } = request;
    const arrivedMs = performance.now();
    // Only one phase of a reply is in the cache at a time; the widest counts.
    const sequences = Math.max(...phases.map(({ branches }) => branches.length));
    const longest = Math.max(...phases.flatMap(({ branches }) => branches.map(({ prompt }) => prompt.length))) + maxTokens;
    checkRequest(request, this.#runner);
    const constraint = withoutBadChoices(request.constraint, wordsOf(request, ...phases));
    const answers = Array.from({ length: n }, (_, index) => {
      return new Reply(request, index, this.#vocabulary, this.#constrain(constraint));
    });
    return {
      ...{ request, emit, signal, settle, caller, priority, arrivedMs, replies: n, sequences },
      slots: sequences * this.#runner.sizes.fitting(longest),
      deadlineMs: arrivedMs + maxMs,
      answers,
      pending: answers.slice(),
      openings: [],
      writing: new Map(),
    };
  }

  #constrain(spec: ConstraintSpec | undefined): OpenConstraint | undefined {
    if (!spec || this.#constraints) return spec && this.#constraints?.open(spec);
    throw new SteerError(
      'invalid_request',
      'Expected no constraint: the tokenizer of this model does not tell the bytes of its tokens.',
    );
  }

  /** Steps while there is anything to do; new messages come in between two steps. */
  async #work(): Promise<void> {
    const { waiting, running } = this.#scheduler;
    while (waiting.length > 0 || running.size > 0) {
      await this.#step();
      await setImmediate();
    }
    this.#stepping = undefined;
  }

  async #step(): Promise<void> {
    this.#dropEnded();
    for (const [live, count] of this.#scheduler.admit(performance.now())) {
      this.#guard(live, () => this.#open(live, live.pending.splice(0, count), []));
    }
    for (const batch of this.#runner.batches()) await this.#write(batch);
    await this.#read();
    for (const live of [...this.#scheduler.running]) this.#guard(live, () => this.#draw(live));
  }

  /** Lets go of requests that were aborted or whose time is up. */
  #dropEnded(): void {
    const nowMs = performance.now();
    for (const live of new Set([...this.#scheduler.waiting, ...this.#scheduler.running])) {
      if (live.signal.aborted) this.#fail(live, new SteerError('cancelled', 'The request was cancelled.'));
      else if (nowMs >= live.deadlineMs) {
        for (const reply of live.answers) if (!reply.over) this.#end(live, reply, 'length', true);
        this.#settle(live);
      }
    }
  }

  /** Starts reading the prompts of the replies' phase, each followed by what is already said. */
  #open(live: Live, replies: Reply[], said: readonly number[]): void {
    const [first] = replies as [Reply];
    const reads = first.branches.map(({ prompt }) => {
      const tokens = said.length === 0 ? prompt : [...prompt, ...said];
      return this.#runner.read(tokens, first.sumsAfter(prompt.length), live.request.adapter);
    });
    live.openings.push({ reads, replies });
  }

  async #read(): Promise<void> {
    const owners = new Map<Reading, Live>();
    for (const live of this.#scheduler.running) {
      for (const { reads } of live.openings) for (const read of reads) if (!read.scores) owners.set(read, live);
    }
    for (const { sequence: read, count } of this.#scheduler.share(owners)) {
      const live = owners.get(read)!;
      if (!this.#scheduler.running.has(live)) continue;
      try {
        await this.#runner.advance(read, count);
      } catch (cause) {
        this.#fail(live, stepFailed(cause));
      }
    }
    for (const live of new Set(owners.values())) if (this.#scheduler.running.has(live)) this.#hold(live);
  }

  /** Gives the replies whose prompts are all read their lanes. */
  #hold(live: Live): void {
    const read = live.openings.filter(({ reads }) => reads.every(({ scores }) => scores));
    live.openings = live.openings.filter((opening) => !read.includes(opening));
    for (const { reads, replies } of read) {
      for (const reply of replies) {
        if (reply.over) continue;
        const sequences = reads.map((reading): Sequence => {
          const { scores, needed } = reading;
          const held = { slot: undefined, computed: needed, vectorSum: reply.vectorSum };
          const sequence: Sequence = { reply, owner: live, scores: scores!.slice(), ...held };
          this.#runner.hold(sequence, reading);
          return sequence;
        });
        live.writing.set(reply, sequences);
      }
      for (const reading of reads) this.#runner.drop(reading);
    }
  }

  /** Reads the newest token of every sequence of the batch. */
  async #write(batch: Batch): Promise<void> {
    const members = batch.members.slice() as Sequence[];
    if (members.length === 0) return;
    try {
      const scores = await this.#runner.run(
        batch,
        members.map(({ reply }) => reply.tokens.at(-1)!),
      );
      for (const [i, sequence] of members.entries()) sequence.scores = scores[i];
    } catch (cause) {
      for (const live of new Set(members.map(({ owner }) => owner))) this.#fail(live, stepFailed(cause));
    }
  }

  #draw(live: Live): void {
    for (const [reply, sequences] of live.writing) {
      if (Atomics.load(live.request.ended, reply.index) === 1) this.#end(live, reply, 'stop');
      else if (sequences.every(({ scores }) => scores)) this.#continue(live, reply, sequences);
    }
    if (live.answers.every(({ over }) => over)) this.#settle(live);
  }

  #continue(live: Live, reply: Reply, sequences: Sequence[]): void {
    const { token, likelihood } = reply.draw(sequences.map(({ scores }) => scores!));
    if (reply.ends(token)) {
      this.#end(live, reply, 'stop');
      return;
    }
    const otherPrompts = reply.add(token);
    live.emit(likelihood ? { index: reply.index, token, likelihood } : { index: reply.index, token });
    const { ending } = reply;
    if (ending) {
      this.#end(live, reply, ending);
      return;
    }
    for (const sequence of sequences) {
      sequence.scores = undefined;
      sequence.vectorSum = reply.vectorSum;
    }
    if (!otherPrompts) return;
    this.#vacate(live, reply);
    this.#open(live, [reply], reply.tokens.slice());
  }

  #end(live: Live, reply: Reply, finished: FinishReason, deadline = false): void {
    reply.over = true;
    this.#vacate(live, reply);
    if (!live.pending.includes(reply)) this.#scheduler.end(live, reply.readTokens);
    live.emit(deadline ? { index: reply.index, finished, deadline } : { index: reply.index, finished });
  }

  #vacate(live: Live, reply: Reply): void {
    for (const sequence of live.writing.get(reply) ?? []) this.#runner.leave(sequence);
    live.writing.delete(reply);
  }

  #settle(live: Live, error?: SteerError): void {
    for (const reply of live.answers) {
      this.#vacate(live, reply);
      if (!reply.over && !live.pending.includes(reply)) this.#scheduler.end(live, reply.readTokens);
    }
    for (const { reads } of live.openings) for (const reading of reads) this.#runner.drop(reading);
    live.openings = [];
    this.#scheduler.release(live);
    live.settle(error);
  }

  #fail(live: Live, error: SteerError): void {
    this.#settle(live, error);
  }

  #guard(live: Live, act: () => void): void {
    try {
      act();
    } catch (cause) {
      this.#fail(live, stepFailed(cause));
    }
  }
}

function stepFailed(cause: unknown): SteerError {
  if (cause instanceof SteerError) return cause;
  const code: FailureCode = 'internal_error';
  return new SteerError(code, `The engine's step failed: ${(cause as Error).message}`, { cause });
}
