// How likely replies that follow nothing would look as steered as these: levels asked for are shuffled among the replies to each prompt.
import { randomStream } from '../../random.ts';
import { mean, ranks } from '../../statistics.ts';
import { byPrompt, type SweepReply } from './observations.ts';

/** Two-sided p-value of the mean rank correlation within prompts, (1 + shuffles as far from 0) ÷ (1 + shuffles) (Phipson and Smyth 2010). */
export function permutationP(attribute: string, replies: readonly SweepReply[], { draws = 1000, seed = 0 } = {}): number {
  const own = byPrompt(replies.filter((reply) => reply.attribute === attribute));
  const prompts = own.map((group) => ({
    requested: centred(ranks(group.map(({ requested }) => requested))),
    obtained: centred(ranks(group.map(({ obtained }) => obtained[attribute]!))),
  }));
  const random = randomStream('permutation', seed, attribute);
  const statistic = () => Math.abs(mean(prompts.map(({ requested, obtained }) => product(requested, obtained))));
  const seen = statistic();
  let asFar = 0;
  for (let draw = 0; draw < draws; draw++) {
    for (const { requested } of prompts) shuffle(requested, random);
    // Sums in another order differ in their last bits.
    if (statistic() >= seen - 1e-12) asFar++;
  }
  return (1 + asFar) / (1 + draws);
}

/** Distances from the mean, of length 1, so that products are correlations; all 0 where nothing varies. */
function centred(values: readonly number[]): number[] {
  const centre = mean(values);
  const length = Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0));
  return values.map((value) => (length > 0 ? (value - centre) / length : 0));
}

function product(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function shuffle(values: number[], random: () => number): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
}

/** P-values as they count when all of them are looked at (Holm 1979), in the same order. */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const adjusted = new Array<number>(values.length);
  let least = 0;
  order.forEach((place, rank) => {
    least = Math.max(least, Math.min(1, values[place]! * (values.length - rank)));
    adjusted[place] = least;
  });
  return adjusted;
}
