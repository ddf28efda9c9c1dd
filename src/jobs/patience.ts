// How work that nobody waits for asks an engine: it gives way where the engine is full, and waits for a model that is being loaded.
import { setTimeout as sleep } from 'node:timers/promises';
import { SteerError } from '../errors.ts';

const waitMs = 250;
const longestLoadMs = 300_000;

/** Asks until the engine takes it. Throws `cancelled` once the signal is aborted, `not_ready` after five minutes of that, and what else is thrown. */
export async function patiently<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  for (let loadingSince: number | null = null; ; ) {
    try {
      return await ask();
    } catch (error) {
      const code = error instanceof SteerError ? error.code : undefined;
      if (code !== 'overloaded' && code !== 'not_ready') throw error;
      loadingSince = code === 'not_ready' ? (loadingSince ?? performance.now()) : null;
      if (loadingSince !== null && performance.now() - loadingSince >= longestLoadMs) throw error;
      await sleep(waitMs, undefined, { signal }).catch((cause) => {
        throw new SteerError('cancelled', 'Stopped while waiting for a model.', { cause });
      });
    }
  }
}
