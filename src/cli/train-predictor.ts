// steer train-predictor: an attribute predictor from a base model and rated replies, with its report on held-out ones.
import type { Command } from 'commander';
import { SteerError } from '../errors.ts';
import { leastRatings, type PredictorReport } from '../predictor/report.ts';
import { trainPredictor } from '../predictor/train.ts';
import { findModelFolder } from './model-folders.ts';
import { whole } from './option-values.ts';
import { readSchema } from './schema-option.ts';
import { type Surroundings, say } from './surroundings.ts';
import { figure, formatTable } from './table.ts';
import { type TrainingOptions, trainingCommand } from './training-options.ts';
import { trainByCommand } from './training-run.ts';

interface PredictorOptions extends TrainingOptions {
  base: string;
  schema?: string;
  readingTokens?: number;
}

/** The command. */
export function trainPredictorCommand(surroundings: Surroundings): Command {
  return trainingCommand('train-predictor', 'predictor')
    .summary('train an attribute predictor on rated replies')
    .description(
      'Trains a model that rates replies, one distribution over levels per attribute, and reports on held-out conversations.',
    )
    .requiredOption('--base <model>', 'model the trunk comes from: a name in MODELS_DIR or a path')
    .option('--schema <schema>', 'attributes: a built-in name, a .json file or a model (default: those of the data)')
    .option('--reading-tokens <n>', 'most tokens read of a conversation, in training and ever after (default: a row)', whole(8))
    .addHelpText(
      'after',
      '\nExample:\n  steer import ratings.jsonl --name ratings\n  steer train-predictor --name apm --base base --dataset ratings',
    )
    .action((options: PredictorOptions) => train(surroundings, options));
}

async function train(surroundings: Surroundings, options: PredictorOptions): Promise<void> {
  const config = surroundings.config();
  const base = await findModelFolder(config, options.base, ['language']);
  const given = options.schema === undefined ? null : await readSchema(config, options.schema);
  let names: string[] = [];
  const asked = { method: 'predictor' as const, base, schema: given };
  const outcome = await trainByCommand(surroundings, options, asked, async ({ spec, schema }, listener) => {
    if (!schema) throw unrated();
    names = schema.attributes.map(({ name }) => name);
    const readingTokens = options.readingTokens ?? spec.T;
    return await trainPredictor({ ...spec, base, schema, readingTokens }, listener, surroundings.signal);
  });
  if (outcome) sayReport(outcome.report ?? {}, names, outcome.evalLoss !== null);
}

function unrated(): SteerError {
  return new SteerError(
    'invalid_dataset',
    'No reply of the data is rated. Import data with labels: steer import --help lists formats.',
  );
}

function sayReport(report: PredictorReport, names: string[], anyHeldOut: boolean): void {
  const attributes = Object.entries(report);
  const missing = names.filter((name) => !Object.hasOwn(report, name));
  if (missing.length > 0) {
    const found = anyHeldOut
      ? `Fewer than ${leastRatings} held-out replies are rated for ${missing.join(', ')}`
      : 'No held-out reply is rated';
    say(
      `${found}, so there is no report${attributes.length > 0 ? ' of it' : ''}. Hold out more: steer import --validation-share 0.2.`,
    );
  }
  if (attributes.length === 0) return;
  const heads = ['held out', 'n', 'MAE', 'MSE', 'of the mean', 'Pearson', 'Spearman', 'of length', 'AUC', 'of length'];
  const rows = attributes.map(([name, a]) => {
    const errors = [figure(a.mae), figure(a.mse), figure(a.mse_mean)];
    return [
      name,
      String(a.n),
      ...errors,
      figure(a.pearson),
      figure(a.spearman),
      figure(a.spearman_length),
      figure(a.auc),
      figure(a.auc_length),
    ];
  });
  say(`\n${formatTable(heads, rows)}\n\n${readingAid}`);
}

const readingAid =
  'n: held-out replies with a rating. Lower is better: MAE and MSE, mean distance from the rating in levels, plain and squared, beside the MSE of always answering ' +
  'the mean. Higher is better: Pearson and Spearman, correlation with the ratings (1 perfect, 0 chance), and for two levels AUC (1 perfect, 0.5 chance), each beside ' +
  'what the length of the reply reaches by itself.';
