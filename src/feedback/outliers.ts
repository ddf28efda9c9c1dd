// Tells raters who do not read what they rate from raters who merely see it differently: a sequential test that may be looked at after
// every rating. Knows numbers only. The figures behind its constants: bench "raters".
//
// As in Chatbot Arena's test of voters (FastChat), evidence is a product M = Π alternative ÷ honest, and M > 1/α flags: if a rater is honest,
// that ever happens with probability at most α (Ville's inequality), however often one looks. What "honest" means is made wide on purpose:
//
// 1. Order. An attentive rating y of a reply with consensus c has probability ∝ h(y)·exp(y·c/σ²): any habit h (harsh, mild, fond of the middle or
//    of the ends), and σ the spread of others around the consensus. Given which five ratings a rater gave to five replies, h cancels, and what
//    remains is their order. An honest rater attends so to at least two blocks of five in three, and may see the third however they like; the
//    alternatives attend to none, or to the opposite. Whoever is far off in level or scale, or against all others now and then, loses nothing.
// 2. Sameness. Who always says the lowest (or the highest) level has no order to test. An honest rater says it with at most eight times the odds
//    of the others, or half of the time; the alternative is 99 %.
import { mean, variance } from '../statistics.ts';
import { groupBy } from './group.ts';

/** One rating beside what the other raters said of the same reply to the same question. */
export interface JudgedRating {
  /** Attribute, or kind of judgement; each has a scale of its own. */
  question: string;
  value: number;
  others: readonly number[];
}

export interface OutlierOptions {
  /** Highest chance of ever flagging an honest rater. */
  alpha: number;
  /** Ratings of one question that are looked at, the first ones. */
  firstRatings: number;
}

export interface Suspicion {
  /** Highest value M reached; 1 is none. */
  evidence: number;
  /** Ratings that could be judged. */
  ratings: number;
  flagged: boolean;
}

export const outlierDefaults: OutlierOptions = { alpha: 0.05, firstRatings: 200 };

const leastRatings = 5;
const leastOthers = 2;
const attentiveShare = 2 / 3;
const samenessOdds = 8;
const samenessFloor = 0.5;
const sameness = 0.99;
const orders = permutations(5);

/** The evidence against a rater whose ratings are given in the order they were made. Ratings that fewer than two others judged say nothing. */
export function suspect(ratings: readonly JudgedRating[], options: OutlierOptions = outlierDefaults): Suspicion {
  const judged = ratings.filter(({ others }) => others.length >= leastOthers);
  const questions = new Map<string, QuestionTest>();
  for (const [question, asked] of groupBy(judged, ({ question }) => question)) {
    questions.set(question, new QuestionTest(asked.slice(0, options.firstRatings)));
  }
  let evidence = 1;
  let seen = 0;
  for (const { question } of judged) {
    // Judgements of one reply hang together, so evidence of several questions is averaged, never multiplied.
    if (questions.get(question)!.takeNext()) seen++;
    if (seen >= leastRatings) evidence = Math.max(evidence, mean([...questions.values()].map((test) => test.evidence())));
  }
  return { evidence, ratings: seen, flagged: evidence > 1 / options.alpha };
}

/** Logarithms of the products M of one question. */
class QuestionTest {
  readonly #ratings: JudgedRating[];
  readonly #scale: Scale;
  #next = 0;
  #block: [rating: number, consensus: number][] = [];
  readonly #log = { indifferent: 0, inverted: 0, lowest: 0, highest: 0 };

  constructor(ratings: JudgedRating[]) {
    this.#ratings = ratings;
    this.#scale = scaleOf(ratings);
  }

  /** Takes the next rating in; false when there is none. */
  takeNext(): boolean {
    const rating = this.#ratings[this.#next++];
    if (!rating) return false;
    const { lowest, highest } = this.#scale;
    this.#log.lowest += samenessEvidence(rating, this.#scale, 0, lowest);
    this.#log.highest += samenessEvidence(rating, this.#scale, this.#scale.top, highest);
    this.#block.push(this.#scale.place(rating));
    if (this.#block.length === orders[0]!.length) this.#closeBlock();
    return true;
  }

  evidence(): number {
    const { indifferent, inverted, lowest, highest } = this.#log;
    return mean([indifferent, inverted, lowest, highest].map(Math.exp));
  }

  #closeBlock(): void {
    const chance = 1 / orders.length;
    const reading = (attention: 1 | -1) => {
      return attentiveShare * orderProbability(this.#block, attention) + (1 - attentiveShare) * chance;
    };
    this.#log.indifferent += Math.log(chance / reading(1));
    this.#log.inverted += Math.log(reading(-1) / reading(1));
    this.#block = [];
  }
}

interface Scale {
  top: number;
  /** How strongly the consensus of a few is drawn to that of all: variance within replies ÷ variance between them. */
  shrinkage: number;
  /** Share of the others' ratings at either end. */
  lowest: number;
  highest: number;
  /** Rating and consensus in units of the others' spread around the consensus. */
  place(rating: JudgedRating): [number, number];
}

function scaleOf(ratings: readonly JudgedRating[]): Scale {
  const groups = ratings.map(({ others }) => others);
  const all = groups.flat();
  const centre = mean(all);
  const top = Math.max(1, ...all.map(Math.round), ...ratings.map(({ value }) => Math.round(value)));
  const freedom = all.length - groups.length;
  // Even where all agree, half a level off on a scale of five is no disagreement.
  const within = Math.max(sum(groups.map((group) => group.length * variance(group))) / freedom, (0.15 * top) ** 2);
  const size = all.length / groups.length;
  const between = Math.max(variance(groups.map(mean)) - within / size, within / 10);
  const shrinkage = within / between;
  const spread = Math.sqrt(within + between / (1 + size / shrinkage));
  const share = (level: number) => (all.filter((value) => Math.round(value) === level).length + 0.5) / (all.length + 1);
  const consensus = (others: readonly number[]) => (sum(others) + shrinkage * centre) / (others.length + shrinkage);
  const place = ({ value, others }: JudgedRating): [number, number] => [value / spread, (consensus(others) - centre) / spread];
  return { top, shrinkage, lowest: share(0), highest: share(top), place };
}

/** P(these ratings went to these replies in this order | which ratings they were), for a rater who follows the consensus or its opposite. */
function orderProbability(block: readonly (readonly [number, number])[], attention: 1 | -1): number {
  const matches = orders.map((order) => attention * sum(order.map((from, to) => block[from]![0] * block[to]![1])));
  const highest = Math.max(...matches);
  return Math.exp(matches[0]! - highest) / sum(matches.map((match) => Math.exp(match - highest)));
}

function samenessEvidence({ value, others }: JudgedRating, { shrinkage }: Scale, level: number, share: number): number {
  const agreeing = others.filter((other) => Math.round(other) === level).length;
  const expected = (agreeing + shrinkage * share) / (others.length + shrinkage);
  const odds = (samenessOdds * expected) / (1 - expected);
  const honest = Math.max(samenessFloor, odds / (1 + odds));
  if (honest >= sameness) return 0;
  return Math.round(value) === level ? Math.log(sameness / honest) : Math.log((1 - sameness) / (1 - honest));
}

/** All orders of 0 … n − 1, the natural one first. */
function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  const shorter = permutations(n - 1);
  return Array.from({ length: n }, (_, i) => n - 1 - i).flatMap((place) =>
    shorter.map((order) => [...order.slice(0, place), n - 1, ...order.slice(place)]),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
