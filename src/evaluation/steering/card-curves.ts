// Puts the curves of an evaluation on the model's card, where serving finds them: obtained level by level requested.
import { type MeasuredSteering, readModelCard, writeModelCard } from '../../model/model-folder.ts';
import type { ConditionReport, SteeringReportHead } from './report-data.ts';

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
