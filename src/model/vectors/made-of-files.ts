// What is made of files, once for as long as they do not change.
import { stat } from 'node:fs/promises';

/** So many things are kept, those that were asked for last. */
const mostKept = 64;

export class MadeOfFiles<Made> {
  readonly #kept = new Map<string, { stamp: string; made: Promise<Made> }>();

  /** What `make` makes of the files, under a name of it. What it throws is not kept. */
  async get(name: string, paths: readonly string[], make: () => Promise<Made>): Promise<Made> {
    const stamp = (await Promise.all(paths.map(stampOf))).join('/');
    const known = this.#kept.get(name);
    const entry = known?.stamp === stamp ? known : { stamp, made: make() };
    this.#kept.delete(name);
    this.#kept.set(name, entry);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept) this.#kept.delete(oldest!);
    try {
      return await entry.made;
    } catch (cause) {
      if (this.#kept.get(name) === entry) this.#kept.delete(name);
      throw cause;
    }
  }
}

async function stampOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found ? `${found.size} ${found.mtimeMs} ${found.ino}` : 'none';
}
