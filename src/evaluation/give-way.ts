// A pause in long work, so that signals and timers of its thread are heard.
import { setImmediate } from 'node:timers/promises';
import { SteerError } from '../errors.ts';

/** Throws `cancelled` once the signal is aborted. */
export async function giveWay(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  if (signal?.aborted) throw new SteerError('cancelled', 'The evaluation was stopped; nothing was written.');
}
