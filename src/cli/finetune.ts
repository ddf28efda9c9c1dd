// steer finetune: a language model that answers under attributes, from a base model and labelled conversations.
import type { Command } from 'commander';
import { SteerError } from '../errors.ts';
import { schemaOver } from '../finetuning/base-schema.ts';
import { finetune } from '../finetuning/finetune.ts';
import { defaultDropout } from '../finetuning/label-dropout.ts';
import { findModelFolder } from './model-folders.ts';
import { between } from './option-values.ts';
import { readSchema } from './schema-option.ts';
import type { Surroundings } from './surroundings.ts';
import { type TrainingOptions, trainingCommand } from './training-options.ts';
import { trainByCommand } from './training-run.ts';

interface FinetuneOptions extends TrainingOptions {
  base: string;
  schema?: string;
  labelDropout: number;
  attributeDropout: number;
  partialLabels: number;
}

/** The command. */
export function finetuneCommand(surroundings: Surroundings): Command {
  return trainingCommand('finetune', 'steered')
    .summary('fine-tune a language model to follow attributes')
    .description(
      'Fine-tunes a language model on labelled conversations, so that its replies follow the attributes a caller sets.',
    )
    .requiredOption('--base <model>', 'model to start from: a name in MODELS_DIR or a path')
    .option('--schema <schema>', 'attributes: a built-in name, a .json file or a model (default: those of the data)')
    .option('--label-dropout <share>', 'chance that a reply is learnt without its label', between(0, 1), defaultDropout.label)
    .option(
      '--attribute-dropout <share>',
      'chance that an attribute of a label goes unsaid',
      between(0, 1),
      defaultDropout.attribute,
    )
    .option(
      '--partial-labels <share>',
      'chance that only a part of a label is said, of any size',
      between(0, 1),
      defaultDropout.partial,
    )
    .addHelpText(
      'after',
      '\nExample:\n  steer finetune --name steered --base base --dataset talk --labels human,model --schema apm',
    )
    .action((options: FinetuneOptions) => train(surroundings, options));
}

async function train(surroundings: Surroundings, options: FinetuneOptions): Promise<void> {
  const config = surroundings.config();
  const base = await findModelFolder(config, options.base, ['language']);
  const given = options.schema === undefined ? null : await readSchema(config, options.schema);
  const dropout = { label: options.labelDropout, attribute: options.attributeDropout, partial: options.partialLabels };
  await trainByCommand(surroundings, options, { method: 'steered', base, schema: given }, async ({ spec, schema }, listener) => {
    if (!schema)
      throw new SteerError(
        'invalid_dataset',
        'The data has no labels to steer by. Label it first: steer label --help tells how.',
      );
    const kept = given ? schema : await schemaOver(base, schema);
    return await finetune({ ...spec, method: 'steered', base, schema: kept, dropout }, listener, surroundings.signal);
  });
}
