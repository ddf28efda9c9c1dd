// steer import: a file into the database as one dataset.
import { basename } from 'node:path';
import { Command } from 'commander';
import { describeFormats, type FormatName } from '../datasets/formats/table.ts';
import { type ImportReport, importDataset } from '../datasets/import.ts';
import { between, format } from './option-values.ts';
import { readSchema } from './schema-option.ts';
import { type Surroundings, say } from './surroundings.ts';
import { withStore } from './with-store.ts';

interface ImportOptions {
  name?: string;
  format?: FormatName;
  schema?: string;
  validationShare?: number;
  newVersion?: boolean;
}

/** The command. */
export function importCommand(surroundings: Surroundings): Command {
  return new Command('import')
    .summary('import a file as a dataset')
    .description(
      `Imports a file (.gz too) or, as -, standard input, all of it or nothing. Formats, told by the first record:\n${describeFormats()}`,
    )
    .argument('<file>', 'file to read')
    .option('--name <name>', 'name of the dataset (default: that of the file)')
    .option('--format <format>', 'format, where it is not to be detected', format)
    .option('--schema <schema>', 'attributes the labels must fit: a built-in name, a .json file or a model')
    .option('--validation-share <share>', 'share of conversations held out', between(0, 1))
    .option('--new-version', 'where the name is in use, import as its next version instead of refusing')
    .addHelpText('after', '\nExample:\n  steer import helpsteer.jsonl.gz --name helpsteer')
    .action((file: string, options: ImportOptions) => run(surroundings, file, options));
}

async function run({ config, signal }: Surroundings, file: string, options: ImportOptions): Promise<void> {
  const settings = config();
  const schema = options.schema === undefined ? undefined : await readSchema(settings, options.schema);
  const report = await withStore(settings, (db) =>
    importDataset(db, {
      name: options.name ?? nameOf(file),
      input: file === '-' ? { stream: { bytes: process.stdin, name: '' } } : { path: file },
      format: options.format,
      schema,
      validationShare: options.validationShare,
      newVersion: options.newVersion,
      signal,
    }),
  );
  sayReport(report);
}

function nameOf(file: string): string {
  return file === '-'
    ? 'stdin'
    : basename(file)
        .replace(/\.gz$/i, '')
        .replace(/\.[^.]+$/, '');
}

function sayReport(report: ImportReport): void {
  const { name, version, created, format, samples, conversations, validation, duplicates, labels, schema } = report;
  if (!created) {
    say(`${name}@${version} holds the same data already; nothing was imported.`);
    return;
  }
  const called = version === 1 ? name : `${name}@${version}`;
  say(
    `Imported ${called} (${format}): ${samples} samples of ${conversations} conversations, ${validation} held out, ${duplicates} duplicates.`,
  );
  const names = schema?.attributes.map((attribute) => attribute.name).join(', ');
  say(names ? `${labels} labels of ${names}.` : 'No labels.');
}
