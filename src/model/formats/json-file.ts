// Small files of a model folder: JSON read with a clear complaint, anything written whole or not at all.
import { access, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SteerError } from '../../errors.ts';

/** The parsed content of a JSON file. Throws invalid_model when it is missing, unreadable or not JSON. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw unreadable(path, cause);
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SteerError('invalid_model', `${path} is not valid JSON. Copy the model again.`, { cause });
  }
}

/** Whether something is at the path. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Writes a value as indented JSON, whole or not at all. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeWhole(path, async (file) => {
    await file.writeFile(`${JSON.stringify(value, null, 2)}\n`);
  });
}

export type OpenFile = Awaited<ReturnType<typeof open>>;

const anybody = 0o666;

/**
 * Fills a file beside `path` and renames it there once it is complete and on disk; removes it when filling fails. Whoever may not look into the
 * folder may not read the file, wherever that goes.
 */
export async function writeWhole(path: string, fill: (file: OpenFile) => Promise<void>): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  const { mode } = await stat(dirname(path));
  const file = await open(partial, 'w', mode & anybody);
  try {
    await fill(file);
    await file.sync();
    await file.close();
    await rename(partial, path);
  } catch (cause) {
    await file.close().catch(() => {});
    await rm(partial, { force: true });
    throw cause;
  }
}

/** invalid_model for a file that cannot be opened or read, telling a missing one apart. */
export function unreadable(path: string, cause: unknown): SteerError {
  const code = (cause as NodeJS.ErrnoException).code;
  const message =
    code === 'ENOENT'
      ? `Expected the file ${path}, found nothing there. Check the model folder.`
      : `Cannot read ${path}: ${code ?? (cause as Error).message}.`;
  return new SteerError('invalid_model', message, { cause });
}
