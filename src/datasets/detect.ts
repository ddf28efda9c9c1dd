// Which format a file is in, from its name or its first record. Knows only what each format says of itself.
import { unfit } from './formats/format.ts';
import { describeFormats, type FormatName, formatNames, formats } from './formats/table.ts';
import { writeJson } from './numerals.ts';

/** Format a file name settles by itself: .txt is plain text. */
export function formatOfName(name: string): FormatName | null {
  return /\.txt(\.gz)?$/i.test(name) ? 'text' : null;
}

/** Format of a record. Throws `invalid_dataset` listing the formats when it is none of them. */
export function detectFormat(record: unknown): FormatName {
  const fields = typeof record === 'object' && record !== null && !Array.isArray(record) ? record : null;
  const found = fields && formatNames.find((name) => formats[name].matches(fields as Record<string, unknown>));
  if (found) return found;
  const seen = fields ? `fields ${Object.keys(fields).slice(0, 8).join(', ')}` : writeJson(record)?.slice(0, 60);
  throw unfit(
    `expected a record of a known format, found ${seen}. Convert it to one of these, or name the format:\n${describeFormats()}`,
  );
}
