// The options all three training commands share, and the settings of a run they lead to. Reads no data and no model.
import { Command, Option } from 'commander';
import type { LabelChoice } from '../datasets/samples.ts';
import type { WeightType } from '../model/shape.ts';
import { defaultAdamW } from '../tensor/adamw.ts';
import type { TrainingSettings } from '../training/training-settings.ts';
import { between, collect, labelChoice, whole } from './option-values.ts';

export interface TrainingOptions {
  dataset: string[];
  data: string[];
  labels: LabelChoice;
  maxSamples?: number;
  name: string;
  out?: string;
  runFolder?: string;
  fresh?: boolean;
  epochs: number;
  steps?: number;
  batchRows: number;
  rowTokens?: number;
  accumulation: number;
  learningRate: number;
  warmup: number;
  seed: number;
  loraRank?: number;
  evaluateEvery: number;
  checkpointEvery: number;
  dtype: WeightType;
}

/** A command with the options of a training run. */
export function trainingCommand(name: string, defaults: { learningRate: number }): Command {
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
    .option('--epochs <n>', 'passes over the data', between(0.01, 10_000), 3)
    .option('--steps <n>', 'updates, instead of epochs', whole(1))
    .option('--batch-rows <n>', 'rows of a micro-batch', whole(1), 16)
    .option('--row-tokens <n>', 'tokens of a row (default: 256, or the context of the model if that is less)', whole(8))
    .option('--accumulation <n>', 'micro-batches of one update', whole(1), 1)
    .option('--learning-rate <x>', 'highest learning rate', between(1e-9, 1), defaults.learningRate)
    .option('--warmup <share>', 'share of the updates over which the learning rate rises', between(0, 1), 0.05)
    .option('--seed <n>', 'seed of everything random', whole(0), 0)
    .option('--lora-rank <n>', 'train adapters of this rank instead of every weight', whole(1))
    .option('--evaluate-every <n>', 'updates between two looks at the held-out data', whole(1), 250)
    .option('--checkpoint-every <n>', 'updates between two checkpoints', whole(1), 250)
    .addOption(
      new Option('--dtype <type>', 'type of the weights written').choices(['float32', 'float16', 'bfloat16']).default('float32'),
    );
}

function several(flags: string, description: string): Option {
  return new Option(flags, description).argParser(collect).default([], 'none');
}

/** The settings of a run. */
export function settingsOf(options: TrainingOptions): TrainingSettings {
  const { epochs, steps, accumulation, learningRate, warmup, seed, loraRank, evaluateEvery, checkpointEvery } = options;
  return {
    epochs,
    steps: steps ?? null,
    accumulation,
    learningRate,
    floor: 0.1,
    warmup,
    adamw: defaultAdamW,
    seed,
    lora: loraRank === undefined ? null : { rank: loraRank, alpha: 2 * loraRank },
    evaluateEvery,
    checkpointEvery,
    keepCheckpoints: 2,
  };
}

/** Tokens of a row when nobody said: 256, or the whole context where that is less. */
export function rowTokensOf({ rowTokens }: TrainingOptions, contextLength: number): number {
  return rowTokens ?? Math.min(256, contextLength);
}
