// steer evaluate predictor: how well a predictor follows ratings it was not trained on.
import { Command, Option } from 'commander';
import type { LabelChoice } from '../datasets/samples.ts';
import { measurePredictor, predictorDefaults } from '../evaluation/predictor/measure.ts';
import { writeReport } from '../evaluation/report/report-files.ts';
import { type Split, splits } from '../store/schema.ts';
import { labelChoice } from './dataset-options.ts';
import { evaluationData, evaluationModels } from './evaluation-inputs.ts';
import { whole } from './option-values.ts';
import { bar, openProgressLine } from './progress.ts';
import { note, type Surroundings, say } from './surroundings.ts';

interface EvaluateOptions {
  model?: string;
  dataset?: string;
  data?: string;
  split: Split | 'all';
  labels: LabelChoice;
  limit?: number;
  out?: string;
  force?: boolean;
  seed: number;
}

/** The command. */
export function evaluatePredictorCommand(surroundings: Surroundings): Command {
  return new Command('predictor')
    .summary('compare a predictor with ratings')
    .description(
      'Compares what a predictor says of replies with how they are rated, beside baselines fitted on the training split, and changes replies to see what it makes of that.',
    )
    .option('--model <model>', 'predictor: a name in MODELS_DIR or a path (default: the first there)')
    .option('--dataset <name>', 'dataset in the database with rated replies')
    .option('--data <file>', 'file with rated replies, without a database, in any format import reads')
    .addOption(new Option('--split <split>', 'replies that are judged').choices([...splits, 'all']).default('validation'))
    .addOption(
      new Option('--labels <choice>', 'ratings that count: latest, or sources by preference (human,model,import,rule)')
        .argParser(labelChoice)
        .default([...predictorDefaults.labels], predictorDefaults.labels.join()),
    )
    .option('--limit <n>', 'most replies judged, drawn by whole conversations', whole(1))
    .option('--out <folder>', 'where the report is written (default: evaluation/ in the folder of the model)')
    .option('--force', 'evaluate even on data the predictor was trained on, and mark the report')
    .option('--seed <n>', 'seed of everything random', whole(0), 0)
    .addHelpText(
      'after',
      '\nExample:\n  steer evaluate predictor --model apm --dataset ratings\n  steer evaluate predictor --model apm --data held-out.jsonl --split all --out report',
    )
    .action((options: EvaluateOptions) => evaluate(surroundings, options));
}

async function evaluate({ config, signal }: Surroundings, options: EvaluateOptions): Promise<void> {
  const { dataset, data: file, labels, force = false } = options;
  const withData = evaluationData(config, { dataset, file }, labels, '--dataset NAME or --data FILE with rated replies');
  const line = openProgressLine();
  try {
    const { files, out } = await measurePredictor(
      { ...options, model: options.model, force },
      {
        models: evaluationModels(config()),
        withData,
        out: options.out,
        onProgress: (done, total) => line.show(`${bar(done / total)} reply ${done}/${total}`, done === total),
        signal,
      },
    );
    await writeReport(out, files);
    line.close();
    say(files['predictor.md'].trimEnd());
    note(`Wrote ${Object.keys(files).join(', ')} to ${out}.`);
  } finally {
    line.close();
  }
}
