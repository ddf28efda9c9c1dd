// Labels every assistant turn of a stored dataset in the foreground. Labels are added, never replaced; content this revision has labelled already is
// answered from those labels, so that a run that was cut short goes on and a second one adds nothing.

import { learnAttributes } from '../datasets/learn-attributes.ts';
import { findDataset } from '../datasets/samples.ts';
import { appendLabels, markUnlike } from '../datasets/write.ts';
import { SteerError } from '../errors.ts';
import { counted } from '../number-text.ts';
import type { Db } from '../store/connect.ts';
import { type LabelledChunk, labelChunks } from './labelling.ts';
import type { Predictor } from './predictor.ts';

export interface LabellingProgress {
  /** Samples gone through, of all there are. */
  samples: number;
  total: number;
  /** Turns labelled so far. */
  rated: number;
}

export interface LabellingReport {
  /** Turns scored now. */
  rated: number;
  /** Turns this revision of the predictor had labelled before, here or in a sample of equal content. */
  skipped: number;
  /** Scored turns whose conversation lost its start to fit the predictor's context. */
  truncated: number;
  /** Turns, scored or known, that are unlike what the predictor was trained on. */
  unlike: number;
  /** Time of scoring and storing, divided by the turns scored; 0 when there were none. */
  secondsPerTurn: number;
}

export interface LabellingOptions {
  /** Name or id. */
  dataset: string;
  predictor: Predictor;
  onProgress?: (progress: LabellingProgress) => void;
  signal: AbortSignal;
}

/**
 * Stores for each turn and attribute the expected level, its nearest level, the probabilities and the confidence, with source `model`
 * and the predictor's id and revision. Samples without assistant turns are passed over. Throws `not_found`, `conflict` for another scale, `cancelled`,
 * or what the predictor failed with on a row; what was stored is kept.
 */
export async function labelDataset(db: Db, options: LabellingOptions): Promise<LabellingReport> {
  const { predictor, signal } = options;
  const dataset = await findDataset(db, options.dataset);
  await learnAttributes(db, dataset.id, predictor);
  const report: LabellingReport = { rated: 0, skipped: 0, truncated: 0, unlike: 0, secondsPerTurn: 0 };
  const started = performance.now();
  let samples = 0;
  try {
    for await (const chunk of labelChunks(db, predictor, { datasetId: dataset.id, signal })) {
      // A turn has all its labels or none: half-labelled ones would be labelled once more.
      await db.transaction(async (tx) => {
        await appendLabels(tx, chunk.labels);
        await markUnlike(tx, predictor, chunk.marks);
      });
      refuseFailures(chunk);
      report.rated += chunk.rated;
      report.skipped += chunk.known;
      report.truncated += chunk.truncated;
      report.unlike += chunk.unlike;
      samples += chunk.rows;
      options.onProgress?.({ samples, total: dataset.sampleCount, rated: report.rated });
    }
  } catch (error) {
    if (!(error instanceof SteerError && error.code === 'cancelled')) throw error;
    const message = `Labelling was stopped after ${counted(report.rated, 'turn')}; what was labelled is kept. Run it again to go on.`;
    throw new SteerError('cancelled', message);
  }
  const seconds = (performance.now() - started) / 1000;
  return { ...report, secondsPerTurn: report.rated > 0 ? seconds / report.rated : 0 };
}

function refuseFailures({ failures }: LabelledChunk): void {
  const broken = failures.find(({ code }) => code !== 'invalid_dataset');
  if (broken) throw new SteerError(broken.code, `Sample ${broken.row}, ${broken.message}`);
}
