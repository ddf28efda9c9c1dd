// Whether what was fetched is a model that is read here, asked before it takes its place.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readShape } from '../model/model-folder.ts';
import { readEntry } from '../registry/scan.ts';
import { hasChatTemplate } from './gguf-template.ts';

/** Whether one can talk with the model of that folder. Throws invalid_model in one clear line where it is none. */
export async function canChat(folder: string): Promise<boolean> {
  const gguf = (await readdir(folder)).find((name) => /\.gguf$/i.test(name));
  if (gguf !== undefined) return hasChatTemplate(join(folder, gguf));
  return (await readEntry(folder)).chat !== null;
}

/** Refuses a shape that is not read here before its weights are fetched. Throws invalid_model. */
export async function checkShape(folder: string, path: string): Promise<void> {
  if (path === 'config.json') await readShape(folder);
}
