// steer evaluate predictor: how well a predictor follows ratings it was not trained on.
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { openPredictor } from '../attributes/open-predictor.ts';
import type { Predictor } from '../attributes/predictor.ts';
import { findDataset, type LabelChoice } from '../datasets/samples.ts';
import { datasetSource, fileSource, type TrainingSource } from '../datasets/training-data.ts';
import { SteerError } from '../errors.ts';
import { evaluatePredictor } from '../evaluation/predictor-evaluation.ts';
import { type PredictorReportHead, predictorReportFiles } from '../evaluation/predictor-report.ts';
import { gatherRated, type RatedData } from '../evaluation/rated-data.ts';
import { openReportFolder, writeReport } from '../evaluation/report-files.ts';
import { refuseSeen, seenInTraining } from '../evaluation/seen-data.ts';
import { readModelCard } from '../llama/model-folder.ts';
import { engineOptions } from '../model-registry/open.ts';
import { maxLevel } from '../steerlm.ts';
import { type Split, splits } from '../store/schema.ts';
import { findModelFolder } from './model-folders.ts';
import { labelChoice, whole } from './option-values.ts';
import { bar, openProgressLine } from './progress.ts';
import { note, type Surroundings, say } from './surroundings.ts';
import { withStore } from './with-store.ts';

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
        .default(['human', 'import', 'rule'], 'human,import,rule'),
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

async function evaluate(surroundings: Surroundings, options: EvaluateOptions): Promise<void> {
  if ((options.dataset === undefined) === (options.data === undefined)) {
    throw new SteerError('invalid_request', 'Expected either --dataset NAME or --data FILE with rated replies.');
  }
  const folder = await findModelFolder(surroundings.config(), options.model, ['predictor']);
  const out = options.out ?? join(folder, 'evaluation');
  const predictor = await openPredictor(folder, engineOptions);
  try {
    await openReportFolder(out);
    const { head, rated } = await gather(surroundings, options, folder, predictor);
    const line = openProgressLine();
    try {
      const evaluation = await evaluatePredictor(predictor, rated, {
        seed: options.seed,
        signal: surroundings.signal,
        onProgress: (done, total) => line.show(`${bar(done / total)} reply ${done}/${total}`, done === total),
      });
      line.close();
      const files = predictorReportFiles(head, predictor.schema, evaluation);
      await writeReport(out, files);
      say(files['predictor.md'].trimEnd());
      note(`Wrote ${Object.keys(files).join(', ')} to ${out}.`);
    } finally {
      line.close();
    }
  } finally {
    await predictor.dispose();
  }
}

interface Gathered {
  head: PredictorReportHead;
  rated: RatedData;
}

/** Reads the data; the database is free again before anything is scored. */
async function gather(
  { config, signal }: Surroundings,
  options: EvaluateOptions,
  folder: string,
  predictor: Predictor,
): Promise<Gathered> {
  const { labels, split, limit, seed, force = false } = options;
  const { schema, id, revision } = predictor;
  const card = await readModelCard(folder);
  const read = async (source: TrainingSource, asTrained: TrainingSource, labels: LabelChoice | null): Promise<Gathered> => {
    refuseScales(predictor, source);
    const seen = await seenInTraining(asTrained, card, schema);
    const seenNow = refuseSeen(seen, { model: id, data: source.name, split, force });
    const rated = await gatherRated(source, schema, { split, limit, seed, signal });
    const head = {
      model: { name: id, revision },
      data: { name: source.name, hash: seen.hash, split, labels },
      seen_in_training: seenNow,
      settings: { seed, limit: limit ?? null },
      created_at: new Date().toISOString(),
    };
    return { head, rated };
  };
  const { data, dataset } = options;
  if (data !== undefined) return await read(fileSource(data), fileSource(data), null);
  return await withStore(config(), async (db) => {
    const stored = await findDataset(db, dataset!);
    return await read(datasetSource(db, stored, labels), datasetSource(db, stored, 'latest'), labels);
  });
}

/** A rating of 4 is another thing on a scale to 9. */
function refuseScales({ id, schema }: Predictor, { name: data, schema: its }: TrainingSource): void {
  for (const attribute of schema.attributes) {
    const theirs = its?.attributes.find(({ name, aliases }) => name === attribute.name || aliases.includes(attribute.name));
    if (!theirs || theirs.levels.length === attribute.levels.length) continue;
    throw new SteerError(
      'invalid_dataset',
      `${data} rates ${attribute.name} from 0 to ${maxLevel(theirs)}, ${id} from 0 to ${maxLevel(attribute)}. Bring the data to the scale of the predictor and import it again.`,
    );
  }
}
