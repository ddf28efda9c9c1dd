// Files that are no text, told by their first bytes and refused by name with what to send instead.
import { unfit } from './formats/format.ts';

/** Bytes that tell. */
export const headLength = 16;

/** How a table becomes JSON lines. */
export function tableRemedy(read: string): string {
  return `python -c "import pandas; ${read}.to_json('rows.jsonl', orient='records', lines=True)" writes it as JSON lines.`;
}

const unpack = (command: string) => `Unpack it first (${command}), or pack it with gzip.`;
const utf8 = 'Save it as UTF-8, for instance: iconv -f UTF-16 -t UTF-8 in.jsonl > out.jsonl';

const known: [start: string, what: string, remedy: string][] = [
  ['PAR1', 'a Parquet file', tableRemedy("pandas.read_parquet('rows.parquet')")],
  ['ARROW1', 'an Arrow file', tableRemedy("pandas.read_feather('rows.arrow')")],
  ['Obj\x01', 'an Avro file', 'Send its records as JSON lines.'],
  [
    'PK\x03\x04',
    'a zip archive or an Excel workbook',
    `Unpack an archive first. For a workbook: ${tableRemedy("pandas.read_excel('rows.xlsx')")}`,
  ],
  ['\x28\xb5\x2f\xfd', 'data packed with zstd', unpack('zstd -d')],
  ['\xfd7zXZ\x00', 'data packed with xz', unpack('xz -d')],
  ['7z\xbc\xaf\x27\x1c', 'a 7z archive', unpack('7z x')],
  ['\x04\x22\x4d\x18', 'data packed with lz4', unpack('lz4 -d')],
  ['\x1f\x8b', 'data packed with gzip twice', 'Unpack it once.'],
  ['SQLite format 3', 'an SQLite database', 'Send the rows of its table as JSON lines.'],
  ['%PDF-', 'a PDF', 'Send its text, under a name that ends in .txt.'],
  ['\x89HDF', 'an HDF5 file', 'Send its rows as JSON lines.'],
  ['\xff\xfe', 'text in UTF-16', utf8],
  ['\xfe\xff', 'text in UTF-16', utf8],
];
/** Bzip2 starts with letters a text may start with; what follows them does not occur in one. */
const bzip2 = /^BZh[1-9]1AY&SY/;

/** Throws `invalid_dataset` where the bytes are the start of something that is known not to be UTF-8 text. */
export function refuseForeign(bytes: Uint8Array): void {
  const head = Buffer.from(bytes.subarray(0, headLength)).toString('latin1');
  if (bzip2.test(head)) throw unfit(`expected text, found data packed with bzip2. ${unpack('bzip2 -d')}`);
  const found = known.find(([start]) => head.startsWith(start));
  if (found) throw unfit(`expected text, found ${found[1]}. ${found[2]}`);
}
