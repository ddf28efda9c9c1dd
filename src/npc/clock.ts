// The clock of a session: the game's own once it has told a time, the server's until then. Never runs backwards, but for a greeting that was said
// before the game told any: nothing has happened by then, so the game's clock may begin anywhere.
import { SteerError } from '../errors.ts';
import type { SessionState, When } from './session-state.ts';

/**
 * When something happens, in seconds: as told; where nothing is told, the last time told, or now by the server's clock in a session that was never told
 * any. Throws invalid_request naming `at` for a time before the last one.
 */
export function timeOf(
  { atS, toldTime, begun }: Pick<SessionState, 'atS' | 'toldTime' | 'begun'>,
  told: number | undefined,
  nowMs = Date.now(),
): When {
  if (told === undefined) return { atS: toldTime ? (atS as number) : Math.max(nowMs / 1000, atS ?? 0) };
  if (atS === undefined || told >= atS || (!toldTime && !begun)) return { atS: told, told: true };
  const hint = toldTime
    ? ''
    : ' The session runs on the server’s clock, in Unix seconds; tell times from the first thing that happens on, or never.';
  throw new SteerError('invalid_request', `at: expected at least ${atS}, the time of the last entry, found ${told}.${hint}`, {
    details: { param: 'at' },
  });
}
