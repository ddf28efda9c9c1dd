// States that the next few bytes cannot tell apart: of two that count the copies of a repetition, those too far from its bounds for these bytes to
// reach one.
import type { Network } from './network.ts';

/** (states): by id, the id of the state that stands for all that are like it for so many bytes, of which there is at least one. */
export function standIns({ states, counted, fewest }: Network, bytes: number): Uint16Array {
  const standIn = Uint16Array.from(states, (_, id) => id);
  for (const { copy, states: own } of counted) {
    const shortest = copy ? fewest[copy.start.id]! : 1;
    if (shortest === 0) continue;
    // With j copies read, the next byte may only begin another below the upper bound, and leave from the lower one on.
    const most = Math.floor((bytes - 1) / shortest) + 1;
    const found = new Map<number, number>();
    for (const { id, must, may } of own) {
      const bounds = Math.min(must, most) * (most + 1) + Math.min(may, most);
      standIn[id] = found.get(bounds) ?? id;
      if (standIn[id] === id) found.set(bounds, id);
    }
  }
  return standIn;
}
