// What was measured of a model: the figures on its card, and the reports that `steer evaluate` left in its folder.
import { join } from 'node:path';
import { exists, readJson } from '../model/formats/json-file.ts';
import { readModelCard } from '../model/model-folder.ts';
import type { ModelReport } from './models.ts';

const kinds = ['predictor', 'steering', 'likelihood'] as const;

/** Reads the reports anew, since a model is evaluated while it is served. Throws invalid_model when one is no JSON. */
export async function readReport(folder: string): Promise<ModelReport> {
  const report: ModelReport = { measured: (await readModelCard(folder)).measured ?? {}, evaluations: {} };
  for (const kind of kinds) {
    const path = join(folder, 'evaluation', `${kind}.json`);
    if (await exists(path)) report.evaluations[kind] = (await readJson(path)) as Record<string, unknown>;
  }
  return report;
}
