// Finds the folder of a model somebody named on the command line: a path, a name in the models folder or among the pulled models, or nothing for the default.
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { holdsModel } from '../model/model-folder.ts';
import { pulledFolder } from '../pulling/pulled.ts';
import { findModel, type ModelKind } from '../registry/models.ts';
import { note } from './surroundings.ts';

/** The folder; whether what is in it loads is for whoever opens it to say. Throws model_not_found listing the names there are. */
export async function findModelFolder(config: Config, given: string | undefined, kinds: ModelKind[]): Promise<string> {
  if (given !== undefined && /[\\/]|^\.{1,2}$/.test(given)) return given;
  const { modelsDir } = config;
  const pulledDir = pulledFolder(config.dataDir);
  for (const folder of given === undefined ? [] : [join(modelsDir, given), join(pulledDir, given)]) {
    if (await holdsModel(folder)) return folder;
  }
  const { ModelRegistry } = await import('../registry/model-registry.ts');
  const registry = await ModelRegistry.open(modelsDir, {
    pulledDir,
    onBroken: (folder, reason) => note(`warning: ${folder} is passed over: ${reason}`),
  });
  return registry.folderOf(findModel(registry, given, kinds).id);
}
