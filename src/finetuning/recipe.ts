// What a training run reads and minimises: samples packed into rows, with the next token's loss.
import type { SampleContent } from '../datasets/sample.ts';
import { readSnapshot } from '../datasets/snapshot.ts';
import type { Model } from '../model/model.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { type BatchSource, packedBatches } from '../training/batches.ts';
import { nextTokenObjective } from '../training/objective.ts';
import type { Sequence } from '../training/packing.ts';
import type { TrainingTask } from '../training/training-task.ts';
import { pretrainingSequence, steeredSequence, unlabelled } from './sequences.ts';
import type { TrainingSpec } from './training-run.ts';

/** What a run reads and minimises. */
export interface Recipe {
  training: BatchSource;
  validation: BatchSource | null;
  objective: TrainingTask['objective'];
  /** How much there is of it. */
  told: string;
}

export async function samplesOf(path: string): Promise<SampleContent[]> {
  const samples: SampleContent[] = [];
  for await (const sample of readSnapshot(path)) samples.push(sample);
  return samples;
}

export async function lessonOf(spec: TrainingSpec, { shape, tokenizer }: Model, training: SampleContent[]): Promise<Recipe> {
  const validation = await samplesOf(spec.validation);
  const sequences = sequencesOf(spec, tokenizer);
  const { B, T, settings } = spec;
  return {
    training: packedBatches((epoch) => sequences(training, epoch), { B, T, seed: settings.seed }),
    validation: validation.length > 0 ? packedBatches(() => sequences(validation, -1), { B, T, seed: 0, shuffle: false }) : null,
    objective: (network) => nextTokenObjective(shape, network, B, T),
    told: `${training.length} training and ${validation.length} held-out samples`,
  };
}

function sequencesOf(spec: TrainingSpec, tokenizer: Tokenizer): (samples: SampleContent[], epoch: number) => Iterable<Sequence> {
  if (spec.method === 'pretrain') {
    return function* (samples) {
      for (const sample of samples) yield pretrainingSequence(tokenizer, sample, spec.repliesOnly);
    };
  }
  const { settings } = spec;
  const schema = spec.method === 'steered' ? spec.schema : unlabelled;
  return function* (samples, epoch) {
    // The held-out loss is that of whole labels.
    const dropout = epoch < 0 || spec.method !== 'steered' ? { label: 0, attribute: 0, partial: 0 } : spec.dropout;
    for (const [index, sample] of samples.entries()) {
      yield steeredSequence(tokenizer, schema, sample, dropout, { seed: settings.seed, epoch, index });
    }
  };
}
