// steer evaluate likelihood: what a steered model makes of labels, its base and its training data, told from likelihoods alone.
import { Command, Option } from 'commander';
import type { LabelChoice } from '../datasets/samples.ts';
import { fileSource } from '../datasets/training-data.ts';
import { likelihoodDefaults, measureLikelihood } from '../evaluation/likelihood/measure.ts';
import { writeReport } from '../evaluation/report/report-files.ts';
import { type Split, splits } from '../store/schema.ts';
import { labelChoice } from './dataset-options.ts';
import { evaluationData, evaluationModels } from './evaluation-inputs.ts';
import { noteLabels } from './label-lines.ts';
import { whole } from './option-values.ts';
import { bar, openProgressLine } from './progress.ts';
import { note, type Surroundings, say } from './surroundings.ts';

interface LikelihoodOptions {
  model?: string;
  base?: string;
  dataset?: string;
  data?: string;
  trainingData?: string;
  replies?: string;
  split: Split | 'all';
  labels: LabelChoice;
  limit: number;
  out?: string;
  force?: boolean;
  seed: number;
}

/** The command. */
export function evaluateLikelihoodCommand(surroundings: Surroundings): Command {
  return new Command('likelihood')
    .summary('measure steering without generating')
    .description(
      'Reads held-out replies under their own labels and under others: what each attribute tells the model, and which level it takes a reply for. Beside that, its distance from the base, what it remembers of its training data, and how fluent replies are to the base.',
    )
    .option('--model <model>', 'steered model: a name in MODELS_DIR or a path (default: the default model)')
    .option('--base <model>', 'model that never saw a label (default: the one the card names)')
    .option('--dataset <name>', 'dataset in the database with labelled conversations')
    .option('--data <file>', 'file with labelled conversations, without a database, in any format import reads')
    .addOption(new Option('--split <split>', 'replies that are read').choices([...splits, 'all']).default('validation'))
    .option('--labels <choice>', 'labels that count: latest, or sources by preference', labelChoice, 'latest')
    .option(
      '--training-data <file>',
      'what the model was trained on, to see what it remembers; its training split counts (default: that of the data, where the model was trained on it)',
    )
    .option('--replies <file>', 'conversations that end with replies the model wrote, for their fluency and novelty')
    .option('--limit <n>', 'most replies, drawn by the seed', whole(2), likelihoodDefaults.limit)
    .option('--out <folder>', 'where the report is written (default: evaluation/ in the folder of the model)')
    .option('--force', 'evaluate even on data the model was trained on, and mark the report')
    .option('--seed <n>', 'seed of everything random', whole(0), 0)
    .addHelpText(
      'after',
      '\nExample:\n  steer evaluate likelihood --model npc --base npc-base --dataset talk\n  steer evaluate likelihood --model npc --data held-out.jsonl --split all --limit 200 --out report',
    )
    .action((options: LikelihoodOptions) => evaluate(surroundings, options));
}

async function evaluate({ config, signal }: Surroundings, options: LikelihoodOptions): Promise<void> {
  const { dataset, data: file, labels, trainingData, replies, force = false } = options;
  const withData = evaluationData(config, { dataset, file }, labels, '--dataset NAME or --data FILE with labelled conversations');
  const line = openProgressLine();
  try {
    const { files, out } = await measureLikelihood(
      { ...options, model: options.model, force },
      {
        models: evaluationModels(config()),
        withData,
        trainingData: trainingData === undefined ? undefined : fileSource(trainingData),
        replies: replies === undefined ? undefined : fileSource(replies),
        out: options.out,
        onProgress: (what, done, total) => line.show(`${bar(done / total)} ${what} ${done}/${total}`, done === total),
        onLabels: (made) => noteLabels([made]),
        signal,
      },
    );
    await writeReport(out, files);
    line.close();
    say(files['likelihood.md'].trimEnd());
    note(`Wrote ${Object.keys(files).join(', ')} to ${out}.`);
  } finally {
    line.close();
  }
}
