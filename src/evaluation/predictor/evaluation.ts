// The evaluation of a predictor: rated replies scored, compared with their ratings and with baselines, and probed.

import { SteerError } from '../../errors.ts';
import type { ConversationScore, Predictor } from '../../predictor/predictor.ts';
import { figuresApart } from '../figures-apart.ts';
import type { AttributeEvaluation } from './attribute-evaluation.ts';
import { type Probes, probe } from './probes.ts';
import type { RatedData, RatedReply } from './rated-data.ts';

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

const mostProbed = 500;
const batchReplies = 64;

/** Throws `cancelled`. */
export async function evaluatePredictor(
  predictor: Pick<Predictor, 'schema' | 'score'>,
  data: RatedData,
  options: EvaluationOptions,
): Promise<PredictorEvaluation> {
  const { schema } = predictor;
  const { judged, fitted } = data;
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
    attributes: await figuresApart('attributes', { schema, data, scores, seed }, signal),
    probes,
  };
}

function stopped(): SteerError {
  return new SteerError('cancelled', 'The evaluation was stopped; nothing was written.');
}
