// Whether what was fetched is a model that is read here, asked before it takes its place.
import { readShape } from '../model/model-folder.ts';
import { readEntry } from '../registry/scan.ts';

/** Whether one can talk with the model of that folder. Throws invalid_model in one clear line where it is none. */
export async function canChat(folder: string): Promise<boolean> {
  return (await readEntry(folder)).chat !== null;
}

/** Refuses a shape that is not read here before its weights are fetched. Throws invalid_model. */
export async function checkShape(folder: string, path: string): Promise<void> {
  if (path === 'config.json') await readShape(folder);
}
