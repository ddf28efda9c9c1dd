// Imports what a test has in hand, without a file.
import { type ImportOptions, type ImportReport, importDataset } from '../../src/datasets/import.ts';
import type { Db } from '../../src/store/connect.ts';

/** Imports a text, or records as JSON lines, under the name. */
export function importText(
  db: Db,
  name: string,
  content: string | unknown[],
  options: Partial<ImportOptions> = {},
): Promise<ImportReport> {
  const text = typeof content === 'string' ? content : content.map((record) => JSON.stringify(record)).join('\n');
  return importDataset(db, { name, input: { stream: { bytes: bytesOf(text), name: `${name}.jsonl` } }, ...options });
}

/** Bytes as they come in. */
export async function* bytesOf(content: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content);
}
