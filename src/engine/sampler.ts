// From the scores of a vocabulary to one token id. Pure: randomness is handed in. The order is that of transformers and llama.cpp: temperature,
// top_k, top_p, min_p. (vLLM puts min_p before top_k; that differs only where min_p and top_p both cut.) Runs for every token of every reply, so it
// works in arrays of its own and sorts nothing it need not.
import { findBoundary, findLikeliest, findTop, likelier } from './selection.ts';
import { softmaxWeight } from './softmax.ts';

export interface Sampling {
  /** 0 picks the likeliest token, the lowest id among equals. */
  temperature: number;
  /** Number of likeliest tokens kept; 0 keeps all. */
  topK: number;
  /** Least probability mass of the likeliest tokens kept; 1 keeps all. */
  topP: number;
  /** Tokens less likely than this share of the likeliest are dropped; 0 keeps all. */
  minP: number;
}

/** For scores of one vocabulary size; may be shared by all replies of a thread. */
export class Sampler {
  readonly #ids: Int32Array;
  readonly #order: Int32Array;
  readonly #weights: Float64Array;
  /** Of the kept ids in their order: the weight of each and of all before it. */
  readonly #sums: Float64Array;

  constructor(vocabSize: number) {
    this.#ids = new Int32Array(vocabSize);
    this.#order = new Int32Array(vocabSize);
    this.#weights = new Float64Array(vocabSize);
    this.#sums = new Float64Array(vocabSize);
  }

  /**
   * One token id, -1 where none is left. scores (V) are left as they are; `allowed` (V) is 1 where an id may be picked; a score of -Infinity is
   * never picked. `random` gives a number in [0, 1), which is laid along the kept ids: likeliest first under top_k, by id otherwise.
   * Throws invalid_model when an allowed score is NaN or Infinity.
   */
  pick(scores: Float32Array, allowed: Uint8Array, sampling: Sampling, random: () => number): number {
    const { temperature, topK, topP, minP } = sampling;
    if (temperature === 0 || topP === 0 || topK === 1) return findLikeliest(scores, allowed);
    if (topK > 0 && topK < scores.length) return this.#pickFromTop(scores, allowed, sampling, random);
    const likeliest = findLikeliest(scores, allowed);
    if (likeliest < 0) return likeliest;
    const scale = perUnit(temperature);
    if (topP < 1 || minP > 0) return this.#pickFromNucleus(scores, allowed, scores[likeliest]!, scale, sampling, random);
    this.#sumAll(scores, allowed, scores[likeliest]!, scale);
    return this.#land(scores.length, random());
  }

  /** ln Σ exp(score) over the allowed ids: a token's log-probability is its score less this. `likeliest` is one of the highest score. */
  logMass(scores: Float32Array, allowed: Uint8Array, likeliest: number): number {
    const highest = scores[likeliest]!;
    return highest + Math.log(this.#sumAll(scores, allowed, highest, 1));
  }

  #sumAll(scores: Float32Array, allowed: Uint8Array, highest: number, scale: number): number {
    const sums = this.#sums;
    let sum = 0;
    for (let id = 0; id < scores.length; id++) {
      if (allowed[id] === 1) sum += softmaxWeight((scores[id]! - highest) * scale);
      sums[id] = sum;
    }
    return sum;
  }

  #pickFromTop(scores: Float32Array, allowed: Uint8Array, sampling: Sampling, random: () => number): number {
    const [ids, sums] = [this.#ids, this.#sums];
    const count = findTop(scores, allowed, sampling.topK, ids);
    if (count === 0) return -1;
    const scale = perUnit(sampling.temperature);
    const highest = scores[ids[0]!]!;
    let sum = 0;
    let strong = 0;
    for (let i = 0; i < count; i++) {
      const weight = softmaxWeight((scores[ids[i]!]! - highest) * scale);
      if (weight >= sampling.minP) strong = i + 1;
      sum += weight;
      sums[i] = sum;
    }
    const nucleus = sampling.topP < 1 ? sampling.topP * sum : Number.POSITIVE_INFINITY;
    let kept = 1;
    while (kept < strong && sums[kept - 1]! < nucleus) kept++;
    return ids[this.#land(kept, random())]!;
  }

  #pickFromNucleus(
    scores: Float32Array,
    allowed: Uint8Array,
    highest: number,
    scale: number,
    { topP, minP }: Sampling,
    random: () => number,
  ): number {
    const [ids, order, weights, sums] = [this.#ids, this.#order, this.#weights, this.#sums];
    let total = 0;
    for (let id = 0; id < scores.length; id++) {
      const weight = allowed[id] === 1 ? softmaxWeight((scores[id]! - highest) * scale) : 0;
      weights[id] = weight;
      total += weight;
    }
    // Ids lighter than (1 - topP) · total / V hold less than 1 - topP even together, so the nucleus is reached without them; few are left.
    const least = Math.max(minP, ((1 - topP) * total) / scores.length);
    let count = 0;
    let mass = 0;
    for (let id = 0; id < scores.length; id++) {
      if (weights[id]! < least) continue;
      order[count] = id;
      ids[count++] = id;
      mass += weights[id]!;
    }
    const nucleus = topP * total;
    const boundary = mass > nucleus ? findBoundary(scores, weights, order, count, nucleus) : -1;
    let kept = 0;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const id = ids[i]!;
      if (boundary >= 0 && likelier(scores, boundary, id)) continue;
      sum += weights[id]!;
      sums[kept] = sum;
      ids[kept++] = id;
    }
    return ids[this.#land(kept, random())]!;
  }

  /** Where a number in [0, 1) falls along the first `count` sums; never on one that adds nothing. */
  #land(count: number, uniform: number): number {
    const sums = this.#sums;
    // Below the last sum in floating point too, since uniform is at most 1 - 2^-53.
    const target = uniform * sums[count - 1]!;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! > target) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** 1 / temperature, kept finite: below 1e-30 only the highest scores have any weight left. */
function perUnit(temperature: number): number {
  return 1 / Math.max(temperature, 1e-30);
}
