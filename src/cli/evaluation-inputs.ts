// What the commands of steer evaluate hand to an evaluation: models by path or name, and a stored dataset or a file as its data.

import { type Config, readKey } from '../config.ts';
import { findDataset, type LabelChoice } from '../datasets/samples.ts';
import { SteerError } from '../errors.ts';
import type { EvaluationModels } from '../evaluation/found-models.ts';
import { fileData, storedData, type WithData } from '../evaluation/open-data.ts';
import { type PrecisionChoice, precisionOf } from '../model/precision.ts';
import { openPredictor } from '../predictor/open.ts';
import { engineOptions, openLanguage } from '../registry/open.ts';
import { isUpstream } from '../upstream/settings.ts';
import { findModelFolder } from './model-folders.ts';
import { note } from './surroundings.ts';
import { withStore } from './with-store.ts';

/** Models each in memory only while the evaluation has it open. */
export function evaluationModels(config: Config, choice: PrecisionChoice = config.engine.precision): EvaluationModels {
  const { executionProvider: provider, upstreamApiKey: apiKey } = config;
  const { packed } = config.engine;
  return {
    threads: engineOptions.threads,
    async language(name) {
      const folder = await findModelFolder(config, name, ['language']);
      const precision = (await isUpstream(folder)) ? 'fp32' : await precisionOf(choice, folder);
      const here = { ...engineOptions, precision, provider, packed, onNote: note };
      return { folder, precision, open: () => openLanguage(folder, here, { apiKey, keyOf: readKey, onFault: note }) };
    },
    async predictor(name) {
      const folder = await findModelFolder(config, name, ['predictor']);
      return { folder, open: () => openPredictor(folder, engineOptions) };
    },
  };
}

/** The database is open only while data is read. Throws invalid_request, saying `expected`, unless exactly one of the two is named. */
export function evaluationData(
  config: () => Config,
  { dataset, file }: { dataset: string | undefined; file: string | undefined },
  labels: LabelChoice,
  expected: string,
): WithData {
  if (file !== undefined && dataset === undefined) return (read) => read(fileData(file));
  if (dataset === undefined || file !== undefined) throw new SteerError('invalid_request', `Expected either ${expected}.`);
  return (read) => withStore(config(), async (db) => await read(storedData(db, await findDataset(db, dataset), labels)));
}
