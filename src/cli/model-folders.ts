// Finds the folder of a model somebody named on the command line: a path, a name in the models folder, or nothing for the default.
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { holdsModel } from '../model/model-folder.ts';
import { ModelRegistry } from '../registry/model-registry.ts';
import { findModel, type ModelKind } from '../registry/models.ts';
import { note } from './surroundings.ts';

/** The folder; whether what is in it loads is for whoever opens it to say. Throws model_not_found listing the names there are. */
export async function findModelFolder(config: Config, given: string | undefined, kinds: ModelKind[]): Promise<string> {
  if (given !== undefined && /[\\/]|^\.{1,2}$/.test(given)) return given;
  if (given !== undefined && (await holdsModel(join(config.modelsDir, given)))) return join(config.modelsDir, given);
  const registry = await ModelRegistry.open(config.modelsDir, {
    onBroken: (folder, reason) => note(`warning: ${folder} is passed over: ${reason}`),
  });
  return registry.folderOf(findModel(registry, given, kinds).id);
}
