// Keeps the turns of the event loop short where many callers want something at once. What hundreds of callers ask for in the same moment would
// otherwise be done in one turn, as a chain of microtasks, and a new connection would wait until the last of it is done.
import { setImmediate } from 'node:timers/promises';

/** What callers of giveWay may fill of one turn, ms: half a frame of a game. */
const turnMs = 8;

/** When the first of them began in this turn. */
let begunMs: number | undefined;

/** Waits for a turn of the event loop with time left: at once in most cases. To be called before each piece of work that many callers may want. */
export async function giveWay(): Promise<void> {
  while (turnIsOver()) await setImmediate();
}

function turnIsOver(): boolean {
  const nowMs = performance.now();
  if (begunMs !== undefined) return nowMs - begunMs >= turnMs;
  begunMs = nowMs;
  // Runs before those who begin to wait after this.
  globalThis.setImmediate(() => {
    begunMs = undefined;
  });
  return false;
}
