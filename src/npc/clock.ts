// The clock of a session: the game's own once it has told a time, the server's until then. Never runs backwards.
import { SteerError } from '../errors.ts';
import type { SessionState, When } from './session-state.ts';

/**
 * When something happens, in seconds: as told; where nothing is told, the last time told, or now by the server's clock in a session that was never told
 * any. Throws invalid_request naming `at` for a time before the last one.
 */
export function timeOf(
  { atS, toldTime }: Pick<SessionState, 'atS' | 'toldTime'>,
  told: number | undefined,
  nowMs = Date.now(),
): When {
  if (told === undefined) return { atS: toldTime ? (atS as number) : Math.max(nowMs / 1000, atS ?? 0) };
  if (atS === undefined || told >= atS) return { atS: told, told: true };
  const hint = toldTime
    ? ''
    : ' The session runs on the server’s clock, in Unix seconds; tell times from its first entry on, or never.';
  throw new SteerError('invalid_request', `at: expected at least ${atS}, the time of the last entry, found ${told}.${hint}`, {
    details: { param: 'at' },
  });
}
