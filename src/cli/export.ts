// steer export: a dataset out of the database into a file.
import { Command, Option } from 'commander';
import { formatOfName } from '../datasets/detect.ts';
import { type ExportReport, exportDataset, roomyFormats } from '../datasets/export.ts';
import type { FormatName } from '../datasets/formats/table.ts';
import type { LabelChoice } from '../datasets/samples.ts';
import { counted } from '../number-text.ts';
import { type Split, splits } from '../store/schema.ts';
import { format, labelChoice } from './dataset-options.ts';
import { noteLabels } from './label-lines.ts';
import { refuseReplacing } from './output-file.ts';
import { note, type Surroundings } from './surroundings.ts';
import { withStore } from './with-store.ts';

interface ExportOptions {
  format?: FormatName;
  labels: LabelChoice;
  split?: Split;
  force?: true;
}

/** The command. */
export function exportCommand({ config }: Surroundings): Command {
  return new Command('export')
    .summary('export a dataset to a file')
    .description(
      'Writes a dataset as one record per line (.jsonl), an array (.json) or, where it is of texts, text (.txt), packed where the name ends in .gz.',
    )
    .argument('<dataset>', 'name of the dataset')
    .argument('<file>', 'file to write; - is standard output')
    .option('--format <format>', 'format of the records (default: text for .txt, else nemo)', format)
    .option(
      '--labels <choice>',
      'labels that count: latest, or sources by preference (human,model,import,rule)',
      labelChoice,
      'latest',
    )
    .addOption(new Option('--split <split>', 'one side of the split instead of both').choices(splits))
    .option('--force', 'replace a file that is there')
    .addHelpText('after', '\nExample:\n  steer export talk talk.jsonl --format openai --labels human,model')
    .action(async (dataset: string, file: string, { force, ...options }: ExportOptions) => {
      const output = file === '-' ? { stream: process.stdout } : { path: file };
      if (file !== '-') await refuseReplacing(file, force, 'file');
      const format = options.format ?? formatOfName(file) ?? 'nemo';
      const report = await withStore(config(), (db) => exportDataset(db, { dataset, output, ...options, format }));
      for (const line of describeExport(report, format)) note(line);
      noteLabels([report.makers]);
    });
}

/** How much was written, and what the format had no room for. */
function describeExport({ samples, rows, labels, left }: ExportReport, format: FormatName): string[] {
  const written = `Exported ${counted(samples, 'sample')} as ${counted(rows, 'record')} with ${labels === 0 ? 'no labels' : counted(labels, 'label')}.`;
  if (left.size === 0) return [written];
  const lost = [...left].map(([name, count]) => `${name} (${counted(count, 'label')})`).join(', ');
  return [written, `warning: ${format} has no room for ${lost}. Formats for any attributes: ${roomyFormats.join(', ')}.`];
}
