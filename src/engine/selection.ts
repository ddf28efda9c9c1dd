// Finding the likeliest of many scores without sorting them all. Among equal scores the lower id counts as likelier.
import { SteerError } from '../errors.ts';

/** The likeliest allowed id; -1 where every allowed score is -Infinity. Throws invalid_model on a score that is no number. */
export function findLikeliest(scores: Float32Array, allowed: Uint8Array): number {
  // Nearly always the likeliest of all is allowed, and who looks at scores alone is twice as fast.
  const likeliest = firstHighest(scores);
  return likeliest >= 0 && allowed[likeliest] === 1 ? likeliest : findAllowed(scores, allowed);
}

/** The first of the highest scores; -1 where one on the way is no number. */
function firstHighest(scores: Float32Array): number {
  let best = -1;
  let highest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (score <= highest) continue;
    if (!(score < Number.POSITIVE_INFINITY)) return -1;
    highest = score;
    best = id;
  }
  return best;
}

function findAllowed(scores: Float32Array, allowed: Uint8Array): number {
  let best = -1;
  let highest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < scores.length; id++) {
    if (allowed[id] !== 1) continue;
    const score = scores[id]!;
    // False for NaN too, so that a sound score costs one comparison.
    if (score <= highest) continue;
    if (!(score < Number.POSITIVE_INFINITY)) throw notANumber(id, score);
    highest = score;
    best = id;
  }
  return best;
}

/**
 * Writes the `count` likeliest allowed ids to `ids`, likeliest first, and returns how many there are; an id of score -Infinity is none.
 * Throws invalid_model on a score that is no number.
 */
export function findTop(scores: Float32Array, allowed: Uint8Array, count: number, ids: Int32Array): number {
  // A heap of the likeliest so far with the least likely on top; `bar` is its score once the heap is full.
  let size = 0;
  let bar = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < scores.length; id++) {
    if (allowed[id] !== 1) continue;
    const score = scores[id]!;
    if (score <= bar) continue;
    if (!(score < Number.POSITIVE_INFINITY)) throw notANumber(id, score);
    if (size < count) {
      ids[size++] = id;
      if (size < count) continue;
      heapify(scores, ids, size);
    } else {
      ids[0] = id;
      sink(scores, ids, 0, size);
    }
    bar = scores[ids[0]!]!;
  }
  if (size < count) heapify(scores, ids, size);
  for (let end = size - 1; end > 0; end--) {
    swap(ids, 0, end);
    sink(scores, ids, 0, end);
  }
  return size;
}

/**
 * The last id of the shortest run of the likeliest whose weights add up to `mass`; of all of them where they do not reach it.
 * Reorders the first `count` (at least 1) of `ids`. Quickselect (Hoare 1961) by weight in place of rank.
 */
export function findBoundary(scores: Float32Array, weights: Float64Array, ids: Int32Array, count: number, mass: number): number {
  let first = 0;
  let end = count;
  /** Weight of all that are likelier than those from `first` to `end`. */
  let before = 0;
  while (end - first > 16) {
    medianLast(scores, ids, first, end);
    const pivot = ids[end - 1]!;
    let middle = first;
    let heavier = before;
    for (let i = first; i < end - 1; i++) {
      const id = ids[i]!;
      if (!likelier(scores, id, pivot)) continue;
      heavier += weights[id]!;
      swap(ids, i, middle++);
    }
    swap(ids, middle, end - 1);
    if (heavier >= mass) end = middle;
    else {
      before = heavier + weights[pivot]!;
      if (before >= mass) return pivot;
      first = middle + 1;
    }
  }
  sort(scores, ids, first, end);
  for (let i = first; i < end; i++) {
    before += weights[ids[i]!]!;
    if (before >= mass) return ids[i]!;
  }
  return ids[end - 1]!;
}

export function likelier(scores: Float32Array, a: number, b: number): boolean {
  return scores[a]! > scores[b]! || (scores[a] === scores[b] && a < b);
}

function medianLast(scores: Float32Array, ids: Int32Array, first: number, end: number): void {
  const last = end - 1;
  const middle = (first + last) >> 1;
  if (likelier(scores, ids[middle]!, ids[first]!)) swap(ids, first, middle);
  if (likelier(scores, ids[last]!, ids[first]!)) swap(ids, first, last);
  if (likelier(scores, ids[middle]!, ids[last]!)) swap(ids, middle, last);
}

function sort(scores: Float32Array, ids: Int32Array, first: number, end: number): void {
  for (let i = first + 1; i < end; i++) {
    for (let j = i; j > first && likelier(scores, ids[j]!, ids[j - 1]!); j--) swap(ids, j, j - 1);
  }
}

function heapify(scores: Float32Array, ids: Int32Array, size: number): void {
  for (let node = (size >> 1) - 1; node >= 0; node--) sink(scores, ids, node, size);
}

function sink(scores: Float32Array, ids: Int32Array, node: number, size: number): void {
  for (;;) {
    let least = node;
    const left = 2 * node + 1;
    if (left < size && likelier(scores, ids[least]!, ids[left]!)) least = left;
    if (left + 1 < size && likelier(scores, ids[least]!, ids[left + 1]!)) least = left + 1;
    if (least === node) return;
    swap(ids, node, least);
    node = least;
  }
}

function swap(ids: Int32Array, a: number, b: number): void {
  const held = ids[a]!;
  ids[a] = ids[b]!;
  ids[b] = held;
}

function notANumber(id: number, score: number): SteerError {
  return new SteerError('invalid_model', `Expected a finite score for token ${id}, found ${score}. Are the weights sound?`);
}
