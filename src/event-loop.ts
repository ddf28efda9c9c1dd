// Keeps the turns of the event loop short where many callers want something at once. What hundreds of callers ask for in the same moment would
// otherwise be done in one turn, as a chain of microtasks, and a new connection would wait until the last of it is done.
import { setImmediate } from 'node:timers/promises';

/** What such work may fill of one turn, ms: half a frame of a game. */
const turnMs = 8;
/** Pieces of work a turn takes however long they are: where others hold the processor, milliseconds pass in which nothing is done. */
const leastPieces = 4;

/** When the first piece of this turn began, and how many there were. */
let turn: { begunMs: number; pieces: number } | undefined;

/** Those who wait to be let into a turn, first come first. */
const waiting: (() => void)[] = [];
/** Callbacks that are scheduled, each of which lets one in; so many in a turn at most, however many wait. */
let scheduled = 0;
const mostScheduled = 64;

/** For one of many callers, before work that others may want in the same moment: waits to be let into a turn. */
export function awaitRoom(): Promise<void> {
  // In a callback of its own, or all who came together would find the turn empty.
  return new Promise((resolve) => {
    waiting.push(resolve);
    schedule();
  });
}

function schedule(): void {
  for (; scheduled < Math.min(waiting.length, mostScheduled); scheduled++) globalThis.setImmediate(letIn);
}

function letIn(): void {
  scheduled--;
  if (waiting.length > 0 && !turnIsFull()) waiting.shift()!();
  if (scheduled === 0) schedule();
}

/** For one who does piece after piece: waits for the next turn once this one is full. */
export async function giveWay(): Promise<void> {
  while (turnIsFull()) await setImmediate();
}

function turnIsFull(): boolean {
  const nowMs = performance.now();
  if (turn === undefined) {
    turn = { begunMs: nowMs, pieces: 0 };
    // Runs before those who begin to wait after this.
    globalThis.setImmediate(() => {
      turn = undefined;
    });
  }
  if (turn.pieces >= leastPieces && nowMs - turn.begunMs >= turnMs) return true;
  turn.pieces++;
  return false;
}

/** Work done in one go by who reads what others sent, counted in characters, not in time: a few milliseconds of looking through text. */
const stintWork = 256 * 1024;

/** Counts the work of one who goes through a long text, and tells when it is others' turn. */
export class Stint {
  #work = 0;

  /** Takes in what was done, in characters; whether others are to have their turn now. */
  isOver(work: number): boolean {
    this.#work += work;
    if (this.#work < stintWork) return false;
    this.#work = 0;
    return true;
  }
}
