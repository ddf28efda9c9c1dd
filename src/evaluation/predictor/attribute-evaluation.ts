// Each attribute of a predictor's evaluation, from scores and ratings of the same replies. Pure arithmetic; fitting and drawing take seconds.

import { counted } from '../../number-text.ts';
import { own } from '../../own.ts';
import type { ConversationScore } from '../../predictor/predictor.ts';
import { mean, variance } from '../../statistics.ts';
import type { Attribute, AttributeSchema } from '../../steerlm/attributes.ts';
import { giveWay } from '../give-way.ts';
import { predictBaselines } from './baselines.ts';
import { type ReliabilityPoint, reliability } from './calibration.ts';
import { type AttributeFigures, attributeFigures, type Judgement } from './figures.ts';
import type { RatedData } from './rated-data.ts';

export interface AttributeEvaluation {
  /** Ratings, and the groups they come in: replies that share a prompt or a conversation count as one. */
  n: number;
  groups: number;
  /** Null without ratings. */
  rated: { mean: number; std: number } | null;
  /** Null where there are too few ratings; `note` says so. */
  figures: AttributeFigures['figures'] | null;
  baselines: AttributeFigures['baselines'] | null;
  beats_baselines: boolean | null;
  reliability: ReliabilityPoint[];
  note: string | null;
}

/** Ratings an attribute needs for its figures to say anything. */
export const leastRatings = 10;

export interface ScoredReplies {
  schema: AttributeSchema;
  data: RatedData;
  /** Of the judged replies, in order. */
  scores: readonly ConversationScore[];
  seed: number;
}

/** Throws `cancelled`. */
export async function attributeEvaluations(
  { schema, data, scores, seed }: ScoredReplies,
  signal: AbortSignal,
): Promise<Record<string, AttributeEvaluation>> {
  const evaluated: [string, AttributeEvaluation][] = [];
  for (const attribute of schema.attributes) {
    await giveWay(signal);
    evaluated.push([attribute.name, evaluateAttribute(attribute, data, scores, seed)]);
  }
  return Object.fromEntries(evaluated);
}

function evaluateAttribute(
  attribute: Attribute,
  data: RatedData,
  scores: readonly ConversationScore[],
  seed: number,
): AttributeEvaluation {
  const { judged, overlapping = false } = data;
  const known = judged.filter(({ label }) => own(label, attribute.name) !== undefined);
  const ratings = known.map(({ label }) => label[attribute.name]!);
  const facts = {
    n: known.length,
    groups: new Set(known.map(({ group }) => group)).size,
    rated: known.length > 0 ? { mean: mean(ratings), std: Math.sqrt(variance(ratings)) } : null,
  };
  const few = `rated ${counted(facts.n, 'time')}, and figures need ${leastRatings} ratings`;
  if (known.length < leastRatings)
    return { ...facts, figures: null, baselines: null, beats_baselines: null, reliability: [], note: few };
  const judgements = judgementsOf(attribute, data, scores);
  const baselines = Object.keys(judgements[0]!.baselines).length > 0;
  const notes = [
    ...(variance(ratings) > 0 ? [] : ['every rating is the same, so there is nothing to rank']),
    ...(facts.groups < leastRatings ? [`only ${counted(facts.groups, 'separate prompt')}, so intervals are rough`] : []),
    ...(baselines ? [] : [noBaselines(overlapping)]),
  ];
  return {
    ...facts,
    ...attributeFigures(judgements, attribute, seed),
    ...(baselines ? {} : { baselines: null }),
    reliability: reliability(judgements),
    note: notes.length > 0 ? notes.join('; ') : null,
  };
}

function noBaselines(overlapping: boolean): string {
  const few = `fewer than ${leastRatings} times`;
  return overlapping
    ? `the training split is judged too, and without the replies to compare on it rates this ${few}, so there are no baselines`
    : `the training split rates it ${few}, so there are no baselines`;
}

/** Each judged reply's rating beside what the predictor and the baselines, fitted on the others, say of it; unrated replies are left out. */
export function judgementsOf(
  attribute: Attribute,
  { judged, ...rest }: RatedData,
  scores: readonly ConversationScore[],
): Judgement[] {
  const known = judged.flatMap((reply, i) =>
    own(reply.label, attribute.name) === undefined ? [] : [{ reply, score: scores[i]! }],
  );
  const baselines = predictBaselines(attribute, { ...rest, judged: known.map(({ reply }) => reply) });
  return known.map(({ reply: { label, words, prompt, group }, score }, i) => {
    const { value, level, probabilities, confidence } = score.attributes[attribute.name]!;
    const said = Object.entries(baselines ?? {}).map(([name, predictions]) => [name, predictions[i]!]);
    return {
      rated: label[attribute.name]!,
      predicted: value,
      level,
      probability: probabilities[level]!,
      confidence,
      words,
      prompt,
      group,
      baselines: Object.fromEntries(said),
    };
  });
}
