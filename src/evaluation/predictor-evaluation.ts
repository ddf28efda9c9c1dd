// The evaluation of a predictor: rated replies scored, compared with their ratings and with baselines, and probed. Knows no files and no command.
import { setImmediate } from 'node:timers/promises';
import type { ConversationScore, Predictor } from '../attributes/predictor.ts';
import { SteerError } from '../errors.ts';
import { mean, variance } from '../statistics.ts';
import type { Attribute, AttributeSchema } from '../steerlm.ts';
import { predictBaselines } from './baselines.ts';
import { type ReliabilityPoint, reliability } from './calibration.ts';
import { type AttributeFigures, attributeFigures, type Judgement } from './predictor-figures.ts';
import { type Probes, probe } from './probes.ts';
import type { RatedData, RatedReply } from './rated-data.ts';

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

export interface PredictorEvaluation {
  replies: number;
  groups: number;
  /** Replies whose conversation lost its start to fit the predictor's context. */
  truncated: number;
  fitted_replies: number;
  attributes: Record<string, AttributeEvaluation>;
  probes: Probes;
}

export interface EvaluationOptions {
  seed: number;
  /** Replies scored, of all there are to score. */
  onProgress?: (done: number, total: number) => void;
  signal: AbortSignal;
}

/** Ratings an attribute needs for its figures to say anything. */
export const leastRatings = 10;
const mostProbed = 500;
const batchReplies = 64;

/** Throws `cancelled`. */
export async function evaluatePredictor(
  predictor: Pick<Predictor, 'schema' | 'score'>,
  { judged, fitted }: RatedData,
  options: EvaluationOptions,
): Promise<PredictorEvaluation> {
  const { schema } = predictor;
  const { seed, onProgress, signal } = options;
  const every = Math.ceil(judged.length / mostProbed);
  const probed = judged.flatMap((_, i) => (i % every === 0 ? [i] : []));
  const total = judged.length + 3 * probed.length;
  let done = 0;
  const score = async (conversations: RatedReply['conversation'][]): Promise<ConversationScore[]> => {
    const scores: ConversationScore[] = [];
    for (let start = 0; start < conversations.length; start += batchReplies) {
      if (signal.aborted) throw stopped();
      scores.push(...(await predictor.score(conversations.slice(start, start + batchReplies), signal)));
      done += Math.min(batchReplies, conversations.length - start);
      onProgress?.(done, total);
    }
    return scores;
  };
  const scores = await score(judged.map(({ conversation }) => conversation));
  const probes = await probe(
    schema,
    { replies: probed.map((i) => judged[i]!), before: probed.map((i) => scores[i]!) },
    score,
    seed,
  );
  return {
    replies: judged.length,
    groups: new Set(judged.map(({ group }) => group)).size,
    truncated: scores.filter(({ truncated }) => truncated).length,
    fitted_replies: fitted.length,
    attributes: await evaluateAttributes(schema, { judged, fitted }, scores, options),
    probes,
  };
}

/** Looks up between attributes, so that an interrupt is heard. */
async function evaluateAttributes(
  schema: AttributeSchema,
  data: RatedData,
  scores: readonly ConversationScore[],
  { seed, signal }: EvaluationOptions,
): Promise<Record<string, AttributeEvaluation>> {
  const evaluated: [string, AttributeEvaluation][] = [];
  for (const attribute of schema.attributes) {
    await setImmediate();
    if (signal.aborted) throw stopped();
    evaluated.push([attribute.name, evaluateAttribute(attribute, data, scores, seed)]);
  }
  return Object.fromEntries(evaluated);
}

function stopped(): SteerError {
  return new SteerError('cancelled', 'The evaluation was stopped; nothing was written.');
}

function evaluateAttribute(
  attribute: Attribute,
  { judged, fitted }: RatedData,
  scores: readonly ConversationScore[],
  seed: number,
): AttributeEvaluation {
  const known = judged.flatMap((reply, i) => (reply.label[attribute.name] === undefined ? [] : [{ reply, score: scores[i]! }]));
  const ratings = known.map(({ reply }) => reply.label[attribute.name]!);
  const facts = {
    n: known.length,
    groups: new Set(known.map(({ reply }) => reply.group)).size,
    rated: known.length > 0 ? { mean: mean(ratings), std: Math.sqrt(variance(ratings)) } : null,
  };
  const few = `rated ${facts.n} times, and figures need ${leastRatings} ratings`;
  if (known.length < leastRatings)
    return { ...facts, figures: null, baselines: null, beats_baselines: null, reliability: [], note: few };
  const replies = known.map(({ reply }) => reply);
  const baselines = predictBaselines(attribute, fitted, replies);
  const judgements = known.map(({ reply, score }, i): Judgement => {
    const { value, level, probabilities, confidence } = score.attributes[attribute.name]!;
    const { words, prompt, group } = reply;
    const said = Object.entries(baselines ?? {}).map(([name, predictions]) => [name, predictions[i]!]);
    return {
      rated: ratings[i]!,
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
  const notes = [
    ...(variance(ratings) > 0 ? [] : ['every rating is the same, so there is nothing to rank']),
    ...(facts.groups < leastRatings ? [`only ${facts.groups} separate prompts, so intervals are rough`] : []),
    ...(baselines ? [] : [`the training split rates it fewer than ${leastRatings} times, so there are no baselines`]),
  ];
  return {
    ...facts,
    ...attributeFigures(judgements, attribute, seed),
    ...(baselines ? {} : { baselines: null }),
    reliability: reliability(judgements),
    note: notes.length > 0 ? notes.join('; ') : null,
  };
}
