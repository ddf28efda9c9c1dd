// Small files of a model folder: JSON read with a clear complaint, anything written whole or not at all.
import { access, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SteerError } from '../../errors.ts';

/** The largest vocabularies are written in some 40 MB. Parsing holds up everything else of the thread. */
const mostJsonBytes = 2 ** 26;

/** The parsed content of a JSON file. Throws invalid_model when it is missing, unreadable, far too large or not JSON. */
export async function readJson(path: string): Promise<unknown> {
  const { size } = await regularFile(path);
  if (size > mostJsonBytes) {
    throw new SteerError(
      'invalid_model',
      `Expected at most ${mostJsonBytes} bytes in ${path}, found ${size}. Copy the model again.`,
    );
  }
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw unreadable(path, cause);
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SteerError('invalid_model', `${path} is not valid JSON. Copy the model again.`, { cause });
  }
}

/** What is known of a file before it is opened: opening a pipe would wait for a writer. Throws invalid_model where there is none. */
export async function regularFile(path: string): Promise<{ size: number }> {
  const found = await stat(path).catch((cause) => {
    throw unreadable(path, cause);
  });
  if (!found.isFile()) throw new SteerError('invalid_model', `Expected the file ${path}, found something else of that name.`);
  return found;
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
