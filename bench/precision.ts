// What fewer bits cost the shipped model, at fp32, int8 and int4, as a table; models/measure/precision.ts measures it.
import { measurePrecisions, notePrecisions, prompts } from '../models/measure/precision.ts';
import { asServed } from '../models/measure/steerability.ts';
import { heldOut } from '../models/recipes.ts';
import type { PrecisionCost } from '../src/model/model-folder.ts';
import { recordSection, table } from './results.ts';

/** A row for each precision. */
export function precisionTable(costs: Record<string, PrecisionCost>): string {
  const rows = Object.entries(costs).map(([precision, { weight_bytes: bytes, eval_loss: loss, steerability }]) => {
    const figures = Object.values(steerability);
    const mean = figures.reduce((a, b) => a + b, 0) / figures.length;
    const told = [...figures, mean].map((figure) => figure.toFixed(3));
    return [precision, (bytes / 2 ** 20).toFixed(2), loss.toFixed(4), ...told];
  });
  const names = Object.keys(Object.values(costs)[0]!.steerability);
  return table(['precision', 'weights, MiB', 'held-out loss', ...names, 'mean'], rows);
}

/** Measures every precision, writes a row each and notes the figures on the model's card. */
export async function run(): Promise<void> {
  const costs = await measurePrecisions();
  await notePrecisions(costs);
  await recordSection(
    'precision',
    `Loss in nats per trained token of ${heldOut} held-out conversations as the engine reads them, whole. Steering: Spearman of the level asked for and the level the predictor sees, ${prompts} held-out prompts at every level, one attribute at a time, temperature ${asServed.temperature}.\n\n${precisionTable(costs)}`,
  );
}
