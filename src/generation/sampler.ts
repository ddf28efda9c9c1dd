// From the scores of a vocabulary to one token id: temperature, then top_k, then top_p, as transformers and vLLM order them.
// Pure: randomness is handed in. Knows no text; which ids may be picked at all is told by a mask.
import { SteerError } from '../errors.ts';

export interface Sampling {
  /** 0 picks the likeliest token, the lowest id among equals. */
  temperature: number;
  /** Least probability mass of the likeliest tokens kept; 1 keeps all. */
  topP: number;
  /** Number of likeliest tokens kept; 0 keeps all. */
  topK: number;
}

/**
 * One token id. logits (V) are left as they are; `allowed` (V) is 1 where an id may be picked; `random` gives numbers in [0, 1).
 * Scores that are no finite number are never picked. Throws internal_error when none is left.
 */
export function sampleToken(logits: Float32Array, sampling: Sampling, allowed: Uint8Array, random: () => number): number {
  const { temperature, topP, topK } = sampling;
  const likeliest = findLikeliest(logits, allowed);
  if (temperature === 0) return likeliest;
  const highest = logits[likeliest]!;
  const weights = new Float64Array(logits.length);
  let ids: number[] = [];
  for (let id = 0; id < logits.length; id++) {
    if (!mayPick(logits, allowed, id)) continue;
    // Relative to the highest, so that nothing overflows and the sum is at least 1.
    weights[id] = Math.exp((logits[id]! - highest) / temperature);
    ids.push(id);
  }
  if (topK > 0) ids = likeliestFirst(ids, logits).slice(0, topK);
  if (topP < 1) ids = keepNucleus(ids, logits, weights, topP);
  return draw(ids, weights, random());
}

function mayPick(logits: Float32Array, allowed: Uint8Array, id: number): boolean {
  return allowed[id] === 1 && Number.isFinite(logits[id]);
}

function findLikeliest(logits: Float32Array, allowed: Uint8Array): number {
  let best = -1;
  for (let id = 0; id < logits.length; id++) {
    if (mayPick(logits, allowed, id) && (best < 0 || logits[id]! > logits[best]!)) best = id;
  }
  if (best < 0)
    throw new SteerError('internal_error', 'Expected a finite score for some token, found none. Are the weights sound?');
  return best;
}

/** The sort is stable: among equals the lower id stays first. */
function likeliestFirst(ids: readonly number[], logits: Float32Array): number[] {
  return ids.toSorted((a, b) => logits[b]! - logits[a]!);
}

/** The shortest run of the likeliest ids whose mass reaches `topP`; never empty. */
function keepNucleus(ids: readonly number[], logits: Float32Array, weights: Float64Array, topP: number): number[] {
  const total = mass(ids, weights);
  // Ids lighter than this hold less than 1 - topP even together, so the nucleus is reached without them; few are left to sort.
  const least = ((1 - topP) * total) / ids.length;
  const sorted = likeliestFirst(
    ids.filter((id) => weights[id]! >= least),
    logits,
  );
  let reached = 0;
  const last = sorted.findIndex((id) => {
    reached += weights[id]!;
    return reached >= topP * total;
  });
  return last < 0 ? sorted : sorted.slice(0, last + 1);
}

function draw(ids: readonly number[], weights: Float64Array, uniform: number): number {
  let rest = uniform * mass(ids, weights);
  let picked = -1;
  for (const id of ids) {
    // At low temperatures a weight can be 0; rounding must not fall through to such an id.
    if (weights[id] === 0) continue;
    picked = id;
    rest -= weights[id]!;
    if (rest < 0) break;
  }
  return picked;
}

function mass(ids: readonly number[], weights: Float64Array): number {
  let total = 0;
  for (const id of ids) total += weights[id]!;
  return total;
}
