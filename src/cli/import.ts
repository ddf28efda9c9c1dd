// steer import: a file into the database as one dataset.
import { basename } from 'node:path';
import { Command } from 'commander';
import { describeFormats, type FormatName } from '../datasets/formats/table.ts';
import { type ImportReport, importDataset } from '../datasets/import.ts';
import { defaultValidationShare, splitMeaning } from '../datasets/split.ts';
import { counted } from '../number-text.ts';
import { maxLevel } from '../steerlm/attributes.ts';
import { format } from './dataset-options.ts';
import { between } from './option-values.ts';
import { exampleSchema, readSchema } from './schema-option.ts';
import { note, type Surroundings, say } from './surroundings.ts';
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
    .option(
      '--schema <schema>',
      'attributes the labels must fit: a built-in name, a .json file or a model (default: those that occur)',
    )
    .option(
      '--validation-share <share>',
      `share of conversations held out for validation (default: ${defaultValidationShare})`,
      between(0, 1),
    )
    .option('--new-version', 'where the name is in use, import as its next version instead of refusing')
    .addHelpText(
      'after',
      `\nAttributes of your own, as --schema FILE.json takes them, levels lowest first:\n${exampleSchema}\n` +
        '\nExample:\n  steer import helpsteer.jsonl.gz --name helpsteer\n  steer import ratings.jsonl --schema tone.json',
    )
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
  sayReport(report, options.schema !== undefined, options.validationShare ?? defaultValidationShare);
}

function nameOf(file: string): string {
  return file === '-'
    ? 'stdin'
    : basename(file)
        .replace(/\.gz$/i, '')
        .replace(/\.[^.]+$/, '');
}

function sayReport(report: ImportReport, schemaNamed: boolean, share: number): void {
  const { name, version, created, format, samples, conversations, validation, duplicates } = report;
  if (!created) {
    say(`${name}@${version} holds the same data already; nothing was imported.`);
    return;
  }
  const called = version === 1 ? name : `${name}@${version}`;
  say(
    `Imported ${called} (${format}): ${counted(samples, 'sample')} of ${counted(conversations, 'conversation')}, ${validation} held out (a share of about ${share}; ${splitMeaning}), ${counted(duplicates, 'duplicate')}.`,
  );
  if (validation === 0 && share > 0) note(nothingHeldOut(name));
  for (const line of describeAttributes(report, schemaNamed)) say(line);
}

/** Chance falls on no conversation where there are few. */
function nothingHeldOut(name: string): string {
  return `warning: nothing was held out, so there is nothing to evaluate on. Hold out more: --validation-share 0.2, as another version: --name ${name} --new-version.`;
}

/** What the labels speak of, where their scales come from, and what was taken for no label. */
function describeAttributes({ format, labels, schema, inferred, found, unread }: ImportReport, schemaNamed: boolean): string[] {
  const beside =
    unread.length > 0
      ? [
          `Kept beside the samples, not read as labels: numbers named ${unread.join(', ')}. ${
            format === 'helpsteer'
              ? 'A --schema FILE.json that has attributes of these names makes them labels.'
              : `Labels of any name stand with a reply, as in {"role": "assistant", "content": "…", "attributes": {"${unread[0]}": 3}}.`
          }`,
        ]
      : [];
  if (schema === null) return ['No labels.', ...beside];
  if (labels === 0) {
    const scales = schema.attributes.map((each) => `${each.name} 0–${maxLevel(each)}`).join(', ');
    return [`No labels; ${schema.name} says what those to come are of: ${scales}.`, ...beside];
  }
  const [occurring, absent] = [true, false].map((occurs) => schema.attributes.filter(({ name }) => found.has(name) === occurs));
  const told = occurring!.map((each) => `${each.name} 0–${maxLevel(each)} (${found.get(each.name)!.labels})`);
  const source = schemaNamed
    ? absent!.length > 0 && `No label speaks of ${absent!.map(({ name }) => name).join(', ')}, which ${schema.name} has too.`
    : inferred
      ? 'No schema was named, so these scales run to 4, or to the highest value found where that is more; --schema FILE.json says scales, names of levels and defaults.'
      : `Their scales and levels are those that ${schema.name} gives these names; --schema chooses others.`;
  return [`${counted(labels, 'label')}: ${told.join(', ')}.`, ...(source ? [source] : []), ...beside];
}
