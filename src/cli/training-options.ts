// The options all training commands share, and the settings of a run they lead to. Reads no data and no model.
import { Command, Option } from 'commander';
import type { LabelChoice } from '../datasets/samples.ts';
import type { WeightType } from '../model/shape.ts';
import { checkpointsOfRun, epochBounds, looksOfRun } from '../training/schedule.ts';
import { defaults, learningRates, type Method } from '../training/training-settings.ts';
import { labelChoice } from './dataset-options.ts';
import { between, collect, whole } from './option-values.ts';

export interface TrainingOptions {
  dataset: string[];
  data: string[];
  labels: LabelChoice;
  maxSamples?: number;
  name: string;
  out?: string;
  runFolder?: string;
  fresh?: boolean;
  publish?: boolean;
  epochs?: number;
  steps?: number;
  minutes?: number;
  batchRows: number;
  rowTokens?: number;
  accumulation: number;
  learningRate?: number;
  warmup: number;
  seed: number;
  loraRank?: number;
  evaluateEvery?: number;
  checkpointEvery?: number;
  heldOutReplies: number;
  dtype: WeightType;
}

/** A command with the options of a training run. */
export function trainingCommand(name: string, method: Method): Command {
  const { weights, adapters } = learningRates[method];
  return new Command(name)
    .requiredOption('--name <name>', 'name of the model that comes out')
    .addOption(several('--dataset <name>', 'dataset in the database to train on; may be repeated'))
    .addOption(several('--data <file>', 'file to train on without a database, in any format import reads; may be repeated'))
    .option(
      '--labels <choice>',
      'labels that count: latest, or sources by preference (human,model,import,rule)',
      labelChoice,
      'latest',
    )
    .option('--max-samples <n>', 'take only the first n samples of each dataset or file', whole(1))
    .option('--out <folder>', 'where the model is written (default: MODELS_DIR/NAME)')
    .option('--run-folder <folder>', 'where checkpoints are kept (default: DATA_DIR/runs/NAME)')
    .option('--fresh', 'start over: drop the checkpoints of this run, and a finished model of this name')
    .addOption(
      new Option('--publish', 'train no further: write the model of the last checkpoint of a run that was stopped').conflicts(
        'fresh',
      ),
    )
    .option(
      '--epochs <n>',
      `passes over the data (default: ${epochBounds.join(' to ')}, more of little data)`,
      between(0.01, 10_000),
    )
    .addOption(
      new Option('--steps <n>', 'updates in all, instead of epochs; more than a run was made with lengthens it')
        .argParser(whole(1))
        .conflicts(['epochs', 'minutes']),
    )
    .addOption(
      new Option(
        '--minutes <n>',
        'about how long to train, instead of epochs: up to ten steps are timed, then the number of updates is fixed',
      )
        .argParser(between(0.01, 1_000_000))
        .conflicts('epochs'),
    )
    .option('--batch-rows <n>', 'rows of a micro-batch', whole(1), 16)
    .option('--row-tokens <n>', 'tokens of a row (default: 256, or the context of the model if that is less)', whole(8))
    .option('--accumulation <n>', 'micro-batches of one update', whole(1), 1)
    .option(
      '--learning-rate <x>',
      `highest learning rate (default: ${weights}${adapters === weights ? '' : `, with --lora-rank ${adapters}`})`,
      between(1e-9, 1),
    )
    .option('--warmup <share>', 'share of the updates over which the learning rate rises', between(0, 1), defaults.warmup)
    .option('--seed <n>', 'seed of everything random', whole(0), 0)
    .option('--lora-rank <n>', 'train adapters of this rank instead of every weight', whole(1))
    .option(
      '--evaluate-every <n>',
      `updates between two looks at the held-out data (default: ${looksOfRun} looks in a run)`,
      whole(1),
    )
    .option(
      '--checkpoint-every <n>',
      `updates between two checkpoints (default: ${checkpointsOfRun} in a run, and one every ${defaults.checkpointSeconds} seconds)`,
      whole(1),
    )
    .option('--held-out-replies <n>', 'most replies read of the held-out data', whole(1), defaults.heldOutReplies)
    .addOption(
      new Option('--dtype <type>', 'type of the weights written').choices(['float32', 'float16', 'bfloat16']).default('float32'),
    );
}

function several(flags: string, description: string): Option {
  return new Option(flags, description).argParser(collect).default([], 'none');
}

/** Tokens of a row when nobody said: 256, or the whole context where that is less. */
export function rowTokensOf({ rowTokens }: TrainingOptions, contextLength: number): number {
  return rowTokens ?? Math.min(256, contextLength);
}
