// Models ranked by head-to-head choices: gathers the votes, leaves the arithmetic to bradley-terry.ts.
import { and, asc, eq, gt, isNotNull, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Db } from '../store/connect.ts';
import { feedback, raters } from '../store/feedback-schema.ts';
import { completions } from '../store/schema.ts';
import { type Contest, comparedGroups, elo, ratingsWithIntervals, type Vote } from './bradley-terry.ts';
import type { Outcome } from './feedback.ts';

export interface RankedModel {
  model: string;
  /** 1 and the number of models that are better beyond doubt: whose interval lies above this one's. */
  rank: number;
  /** Bradley–Terry, with the 95 % interval. */
  rating: number;
  lower: number;
  upper: number;
  elo: number;
  wins: number;
  losses: number;
  ties: number;
}

export interface Leaderboard {
  models: RankedModel[];
  /** Votes that counted: the latest of each rater with weight on each two replies of different models. */
  votes: number;
  /** False where some models were never compared with others, not even through a third: their ratings say nothing of each other. */
  connected: boolean;
}

/** The leaderboard; `rounds` resamples make the intervals, and the same seed makes the same ones. */
export async function leaderboard(db: Db, options: { rounds: number; seed: number }): Promise<Leaderboard> {
  const votes = await loadVotes(db);
  const contests = tally(votes);
  const ratings = ratingsWithIntervals(contests, options);
  const elos = elo(votes);
  const models = [...ratings].map(([model, rating]) => {
    const better = [...ratings.values()].filter(({ lower }) => lower > rating.upper).length;
    return { model, rank: 1 + better, ...rating, elo: elos.get(model)!, ...record(model, votes) };
  });
  models.sort((a, b) => b.rating - a.rating);
  return { models, votes: votes.length, connected: comparedGroups(contests).length < 2 };
}

const other = alias(completions, 'other');
const pageRows = 5_000;

/** In the order they came. */
async function loadVotes(db: Db): Promise<Vote[]> {
  const latest = new Map<string, Vote>();
  for (let after = 0; ; ) {
    const page = await db
      .select({ row: feedback, weight: raters.weight, model: completions.model, otherModel: other.model })
      .from(feedback)
      .innerJoin(completions, and(eq(completions.id, feedback.completionId), eq(completions.choice, feedback.choice)))
      .innerJoin(other, and(eq(other.id, feedback.againstId), eq(other.choice, feedback.againstChoice)))
      .leftJoin(raters, eq(raters.id, feedback.rater))
      .where(and(isNotNull(feedback.outcome), gt(feedback.position, after), sql`coalesce(${raters.weight}, 1) > 0`))
      .orderBy(asc(feedback.position))
      .limit(pageRows);
    for (const { row, weight, model, otherModel } of page) {
      if (model === otherModel) continue;
      const replies = [`${row.completionId}:${row.choice}`, `${row.againstId}:${row.againstChoice}`].sort();
      const key = `${row.rater} ${replies.join(' ')}`;
      latest.delete(key);
      latest.set(key, { a: model, b: otherModel, score: scores[row.outcome!], weight: weight ?? 1 });
    }
    const last = page.at(-1);
    if (!last || page.length < pageRows) return [...latest.values()];
    after = last.row.position!;
  }
}

const scores: Record<Outcome, number> = { win: 1, tie: 0.5, loss: 0 };

function tally(votes: readonly Vote[]): Contest[] {
  const cells = new Map<string, Contest>();
  for (const vote of votes) {
    const { a, b, score } = vote.a < vote.b ? vote : { a: vote.b, b: vote.a, score: 1 - vote.score };
    const key = `${a} ${b} ${score}`;
    const cell = cells.get(key) ?? { a, b, score, votes: 0, weight: 0 };
    cells.set(key, { ...cell, votes: cell.votes + 1, weight: cell.weight + vote.weight });
  }
  return [...cells.values()];
}

function record(model: string, votes: readonly Vote[]): Pick<RankedModel, 'wins' | 'losses' | 'ties'> {
  const own = votes.flatMap(({ a, b, score }) => (a === model ? [score] : b === model ? [1 - score] : []));
  const count = (wanted: number) => own.filter((score) => score === wanted).length;
  return { wins: count(1), losses: count(0), ties: count(0.5) };
}
