// steer export: a dataset out of the database into a file.
import { Command, Option } from 'commander';
import { exportDataset } from '../datasets/export.ts';
import type { FormatName } from '../datasets/formats/table.ts';
import type { LabelChoice } from '../datasets/samples.ts';
import { counted } from '../number-text.ts';
import { type Split, splits } from '../store/schema.ts';
import { noteLabels } from './label-lines.ts';
import { format, labelChoice } from './option-values.ts';
import { note, type Surroundings } from './surroundings.ts';
import { withStore } from './with-store.ts';

interface ExportOptions {
  format: FormatName;
  labels: LabelChoice;
  split?: Split;
}

/** The command. */
export function exportCommand({ config }: Surroundings): Command {
  return new Command('export')
    .summary('export a dataset to a file')
    .description(
      'Writes a dataset as one record per line (.jsonl), an array (.json) or text (.txt), packed where the name ends in .gz.',
    )
    .argument('<dataset>', 'name of the dataset')
    .argument('<file>', 'file to write; - is standard output')
    .option('--format <format>', 'format of the records', format, 'nemo')
    .option(
      '--labels <choice>',
      'labels that count: latest, or sources by preference (human,model,import,rule)',
      labelChoice,
      'latest',
    )
    .addOption(new Option('--split <split>', 'one side of the split instead of both').choices(splits))
    .addHelpText('after', '\nExample:\n  steer export talk talk.jsonl --format openai --labels human,model')
    .action(async (dataset: string, file: string, options: ExportOptions) => {
      const output = file === '-' ? { stream: process.stdout } : { path: file };
      const report = await withStore(config(), (db) => exportDataset(db, { dataset, output, ...options }));
      note(`Exported ${counted(report.samples, 'sample')} as ${counted(report.rows, 'record')}.`);
      noteLabels([report.makers]);
    });
}
