// steer finetune: a language model that answers under attributes, from a base model and labelled conversations.
import type { Command } from 'commander';
import { SteerError } from '../errors.ts';
import { finetune } from '../finetuning/finetune.ts';
import type { SteeringSpec } from '../finetuning/training-run.ts';
import { readShape } from '../model/model-folder.ts';
import { findModelFolder } from './model-folders.ts';
import { between } from './option-values.ts';
import { readSchema } from './schema-option.ts';
import type { Surroundings } from './surroundings.ts';
import { rowTokensOf, type TrainingOptions, trainingCommand } from './training-options.ts';
import { concludeRun, followRun, prepareRun, sharedSpec } from './training-run.ts';

interface FinetuneOptions extends TrainingOptions {
  base: string;
  schema?: string;
  labelDropout: number;
  attributeDropout: number;
  partialLabels: number;
}

/** The command. */
export function finetuneCommand(surroundings: Surroundings): Command {
  return trainingCommand('finetune', { learningRate: 3e-4 })
    .summary('fine-tune a language model to follow attributes')
    .description(
      'Fine-tunes a language model on labelled conversations, so that its replies follow the attributes a caller sets.',
    )
    .requiredOption('--base <model>', 'model to start from: a name in MODELS_DIR or a path')
    .option('--schema <schema>', 'attributes: a built-in name, a .json file or a model (default: those of the data)')
    .option('--label-dropout <share>', 'chance that a reply is learnt without its label', between(0, 1), 0.1)
    .option('--attribute-dropout <share>', 'chance that an attribute of a label goes unsaid', between(0, 1), 0.1)
    .option('--partial-labels <share>', 'chance that only a part of a label is said, of any size', between(0, 1), 0.5)
    .addHelpText(
      'after',
      '\nExample:\n  steer finetune --name steered --base base --dataset talk --labels human,model --schema apm',
    )
    .action((options: FinetuneOptions) => train(surroundings, options));
}

async function train(surroundings: Surroundings, options: FinetuneOptions): Promise<void> {
  const config = surroundings.config();
  const base = await findModelFolder(config, options.base, ['language']);
  const { contextLength } = await readShape(base);
  const given = options.schema === undefined ? null : await readSchema(config, options.schema);
  const run = await prepareRun(surroundings, options, { base, schema: given });
  const { schema } = run;
  if (!schema) {
    throw new SteerError('invalid_dataset', 'The data has no labels to steer by. Label it first: steer label --help tells how.');
  }
  const dropout = { label: options.labelDropout, attribute: options.attributeDropout, partial: options.partialLabels };
  const shared = sharedSpec(run, options, rowTokensOf(options, contextLength));
  const spec: SteeringSpec = { ...shared, method: 'steered', base, schema, dropout };
  const outcome = await followRun(surroundings, run.runFolder, (listener) => finetune(spec, listener, surroundings.signal));
  if (outcome) await concludeRun(config, options, outcome);
}
