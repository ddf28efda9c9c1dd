// Puts the curves of an evaluation on the model's card, where serving finds them: obtained level by level requested.
import { type MeasuredSteering, readModelCard, writeModelCard } from '../../model/model-folder.ts';
import type { ConditionReport, SteeringReportHead } from './report-data.ts';

/**
 * Replies at a level below which its mean is not put on a card: levels of replies scatter by about one, so that the mean of 16 is known to half a
 * level (two standard errors), and `steering.calibrated` is to be trusted no further.
 */
export const leastReplies = 16;

/** Why the curves of an evaluation are not for the card; undefined where they are. */
export function unfitForCard({ judge_shares_training }: SteeringReportHead, plain: ConditionReport): string | undefined {
  if (judge_shares_training) return 'the judge is not independent';
  const fewest = Math.min(...Object.values(plain.attributes).flatMap(({ curve }) => curve.map(({ replies }) => replies)));
  if (fewest >= leastReplies) return undefined;
  return `there are ${fewest} replies at a level, and steering.calibrated takes at least ${leastReplies}: ask for more prompts or seeds`;
}

/** Notes the curves of the plain prompt. What else was measured stays. */
export async function noteCurves(folder: string, head: SteeringReportHead, plain: ConditionReport): Promise<void> {
  const { judge, model, prompts } = head;
  const curves = Object.entries(plain.attributes).map(([name, { curve }]) => {
    const points = curve.map(({ requested, obtained, replies }) => {
      return { requested, obtained: Number(obtained.value.toFixed(4)), replies };
    });
    return [name, points] as const;
  });
  const steering: MeasuredSteering = {
    judge: `${judge.name} ${judge.revision}`,
    precision: model.precision,
    prompts: prompts.count,
    curves: Object.fromEntries(curves.filter(([, points]) => points.length > 1)),
  };
  const card = await readModelCard(folder);
  await writeModelCard(folder, { ...card, measured: { ...card.measured, steering } });
}
