// steer label: every reply of a dataset, or of a file, rated by a predictor.
import { extname } from 'node:path';
import { Command } from 'commander';
import type { FormatName } from '../datasets/formats/table.ts';
import { countMakers, describeLabels } from '../datasets/label-makers.ts';
import { findDataset } from '../datasets/samples.ts';
import { SteerError } from '../errors.ts';
import { counted } from '../number-text.ts';
import { unlikeText } from '../predictor/ground-text.ts';
import { labelDataset } from '../predictor/label-dataset.ts';
import { openPredictor } from '../predictor/open.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { engineOptions } from '../registry/open.ts';
import { format } from './dataset-options.ts';
import { labelFile } from './label-file.ts';
import { labelsOption } from './label-lines.ts';
import { findModelFolder } from './model-folders.ts';
import { refuseReplacing } from './output-file.ts';
import { bar, openProgressLine } from './progress.ts';
import { type Surroundings, say } from './surroundings.ts';
import { withStore } from './with-store.ts';

interface LabelOptions {
  model?: string;
  data?: string;
  format?: FormatName;
  out?: string;
  force?: true;
}

/** The command. */
export function labelCommand(surroundings: Surroundings): Command {
  return new Command('label')
    .summary('label a dataset with a predictor')
    .description(
      'Rates every reply of a dataset in the database; what this revision of the predictor has rated before is passed over.\n' +
        'With --data and --out a file is rated into another, without a database: NeMo records with whole levels in `label` and floats in `values`.',
    )
    .argument('[dataset]', 'name of the dataset')
    .option('--model <model>', 'predictor: a name in MODELS_DIR or a path (default: the first there)')
    .option('--data <file>', 'file to read instead, in any format import reads')
    .option('--format <format>', 'format of the file, where it is not to be detected', format)
    .option('--out <file>', 'file to write')
    .option('--force', 'replace a file that is there')
    .addHelpText(
      'after',
      '\nExample:\n  steer label talk --model apm\n  steer label --data talk.jsonl --out labelled.jsonl --model apm',
    )
    .action((dataset: string | undefined, options: LabelOptions) => label(surroundings, dataset, options));
}

async function label({ config, signal }: Surroundings, dataset: string | undefined, options: LabelOptions): Promise<void> {
  const { data, out, format } = options;
  if ((dataset === undefined) === (data === undefined) || (data === undefined) !== (out === undefined)) {
    throw new SteerError('invalid_request', 'Expected either a dataset, or both --data FILE and --out FILE.');
  }
  if (out !== undefined) {
    refuseOtherThanLines(out);
    await refuseReplacing(out, options.force, '--out');
  }
  const settings = config();
  const predictor = await openPredictor(await findModelFolder(settings, options.model, ['predictor']), engineOptions);
  try {
    if (data !== undefined && out !== undefined) {
      const { rated, samples, unlike } = await labelFile(predictor, data, out, format, signal);
      say(
        `Wrote ${out}: ${counted(samples, 'sample')}, ${counted(rated, 'reply')} rated by ${predictor.id} ${predictor.revision}.`,
      );
      if (unlike > 0) say(unlikeText(predictor.id, { replies: rated, unlike }));
    } else if (dataset !== undefined) {
      await withStore(settings, (db) => labelStored(db, dataset, predictor, signal));
    }
  } finally {
    await predictor.dispose();
  }
}

/** One record per line is all that is written, whatever the name says. */
function refuseOtherThanLines(out: string): void {
  if (['', '.jsonl', '.ndjson'].includes(extname(out).toLowerCase())) return;
  throw new SteerError(
    'invalid_request',
    `--out: expected a name that ends in .jsonl, as one record per line is written; found ${out}.`,
  );
}

async function labelStored(
  db: Parameters<typeof labelDataset>[0],
  dataset: string,
  predictor: Predictor,
  signal: AbortSignal,
): Promise<void> {
  const line = openProgressLine();
  try {
    const report = await labelDataset(db, {
      dataset,
      predictor,
      signal,
      onProgress: ({ samples, total, rated }) =>
        line.show(`${bar(samples / total)} sample ${samples}/${total}  ${counted(rated, 'reply')} rated`, samples === total),
    });
    line.close();
    const { rated, skipped, truncated, unlike, secondsPerTurn } = report;
    const pace = rated > 0 ? `, ${(1 / secondsPerTurn).toFixed(1)} a second` : '';
    say(
      `Rated ${counted(rated, 'reply')} of ${dataset} with ${predictor.id} ${predictor.revision}${pace}; ${skipped} more were known from the same words, ${truncated} cut to fit.`,
    );
    if (unlike > 0) say(unlikeText(predictor.id, { replies: rated + skipped, unlike }));
    const now = await countMakers(db, await findDataset(db, dataset), 'latest');
    if (now.passed_over.length > 0) for (const line of describeLabels(now, labelsOption)) say(line);
  } finally {
    line.close();
  }
}
