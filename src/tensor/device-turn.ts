// One graphics device serves every thread of a process, and the runtime aborts the process when two threads use it at once (onnxruntime issues 32561
// and 27592). So whoever is about to use it takes the turn.
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

const place = 'steer: turn on the graphics device';
/** Threads are born with the environment data of the thread that starts them, so all see the same memory: 1 while somebody has the turn. */
const turn = shared();

function shared(): Int32Array<SharedArrayBuffer> {
  const known = getEnvironmentData(place) as SharedArrayBuffer | undefined;
  const memory = known ?? new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  if (!known) setEnvironmentData(place, memory);
  return new Int32Array(memory);
}

/** Does `work` while no other thread of the process has the turn. Waiting leaves the thread free for its messages. */
export async function takingTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  while (Atomics.compareExchange(turn, 0, 0, 1) !== 0) {
    // Such a wait alone would not keep a thread from ending.
    const alive = setInterval(() => {}, 60_000);
    await Atomics.waitAsync(turn, 0, 1).value;
    clearInterval(alive);
  }
  try {
    return await work();
  } finally {
    Atomics.store(turn, 0, 0);
    Atomics.notify(turn, 0, 1);
  }
}
