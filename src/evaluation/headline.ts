// The figures of a report that its job tells: enough to see whether to open it. Pure.
import type { LikelihoodEvaluation } from './likelihood/evaluation.ts';
import type { PredictorEvaluation } from './predictor/evaluation.ts';
import { roundedDeep } from './report/report-text.ts';
import type { ConditionReport, SteeringReportHead } from './steering/report-data.ts';

type Headline = Record<string, unknown>;

const told = (figures: Headline) => roundedDeep(figures) as Headline;

function byName<Of, Told>(all: Record<string, Of>, tell: (each: Of) => Told): Record<string, Told> {
  return Object.fromEntries(Object.entries(all).map(([name, each]) => [name, tell(each)]));
}

/** How closely replies follow, condition by condition. */
export function steeringHeadline(head: SteeringReportHead, conditions: readonly ConditionReport[]): Headline {
  return told({
    judge_shares_training: head.judge_shares_training,
    ...(head.ground && { ground: head.ground }),
    seen_in_training: head.prompts.seen_in_training,
    conditions: conditions.map(({ name, attributes, leakage, text, fluency }) => ({
      name,
      within_spearman: byName(attributes, ({ figures }) => figures.within_spearman),
      anti_steerable: byName(attributes, ({ figures }) => figures.anti_steerable.value),
      leakage: leakage.rms.value,
      label_echo: text.label_echo.value,
      perplexity_cost: fluency?.cost.value ?? null,
    })),
  });
}

/** Agreement with the ratings. */
export function predictorHeadline(
  { seen_in_training }: { seen_in_training: boolean },
  { replies, attributes }: PredictorEvaluation,
): Headline {
  return told({
    seen_in_training,
    replies,
    attributes: byName(attributes, ({ n, figures, beats_baselines }) => {
      return { ratings: n, spearman: figures?.spearman ?? null, mae: figures?.mae ?? null, beats_baselines };
    }),
  });
}

/** What labels tell, how far the model moved and what that did to its probabilities, how fluent replies are. */
export function likelihoodHeadline(
  { seen_in_training }: { seen_in_training: boolean },
  { label_information: { replies, gain, attributes }, kl_to_base, calibration, fluency }: LikelihoodEvaluation,
): Headline {
  return told({
    seen_in_training,
    replies,
    gain,
    attributes: byName(attributes, (each) => ({ gain: each.gain, spearman: each.recovery.spearman })),
    kl_to_base,
    calibration_change: calibration?.change ?? null,
    perplexity: fluency.held_out.perplexity,
  });
}
