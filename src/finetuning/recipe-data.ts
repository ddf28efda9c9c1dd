// Data and objective of the recipes of this stage: samples packed into rows, with the next token's loss.

import type { SampleContent } from '../datasets/sample.ts';
import { readSnapshot } from '../datasets/snapshot.ts';
import { SteerError } from '../errors.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { Model } from '../model/whole-model.ts';
import { counted } from '../number-text.ts';
import { own } from '../own.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import { packedBatches } from '../training/batches.ts';
import { drawHeldOut } from '../training/held-out.ts';
import { nextTokenObjective } from '../training/objective.ts';
import type { Sequence } from '../training/packing.ts';
import type { RecipeData, RunSpec } from '../training/recipe.ts';
import { defaults } from '../training/training-settings.ts';
import { pretrainingSequence, steeredSequence, unlabelled } from './sequences.ts';
import type { TrainingSpec } from './training-spec.ts';

export async function samplesOf(path: string): Promise<SampleContent[]> {
  const samples: SampleContent[] = [];
  for await (const sample of readSnapshot(path)) samples.push(sample);
  return samples;
}

/** Samples, packed into rows. */
export async function readSampleData(spec: TrainingSpec, { shape, tokenizer }: Model): Promise<RecipeData> {
  const training = await samplesOf(spec.train);
  if (spec.method === 'steered') refuseUnlabelled(training, spec.schema);
  const heldOut = await samplesOf(spec.validation);
  const validation = drawHeldOut(heldOut, mostHeldOut(spec), repliesIn);
  const sequences = sequencesOf(spec, tokenizer);
  const { B, T, settings } = spec;
  return {
    training: packedBatches((epoch) => sequences(training, epoch), { B, T, seed: settings.seed }),
    validation: validation.length > 0 ? packedBatches(() => sequences(validation, -1), { B, T, seed: 0, shuffle: false }) : null,
    objective: (network) => nextTokenObjective(shape, network, B, T),
    told: `${training.length} training and ${counted(heldOut.length, 'held-out sample')}${partRead(validation, heldOut)}`,
  };
}

/** Under no label at all a model would learn that no label means to say nothing. */
function refuseUnlabelled(samples: readonly SampleContent[], { attributes }: AttributeSchema): void {
  const labelled = (sample: SampleContent) =>
    sample.kind === 'conversation' &&
    sample.conversation.turns.some(({ label }) => attributes.some(({ name }) => own(label, name) !== undefined));
  if (samples.some(labelled)) return;
  throw new SteerError(
    'invalid_dataset',
    `No reply of the training data is labelled for any of ${attributes.map(({ name }) => name).join(', ')}. ` +
      'Label it first, or ask for labels it has: ratings that came with a file are labels of `import`, those of people of `human`, of a predictor `model`.',
  );
}

const mostHeldOut = ({ settings }: RunSpec) => settings.heldOutReplies ?? defaults.heldOutReplies;

function repliesIn(sample: SampleContent): number {
  return sample.kind === 'text' ? 1 : sample.conversation.turns.filter(({ role }) => role === 'assistant').length;
}

function partRead(read: readonly unknown[], all: readonly unknown[]): string {
  return read.length < all.length ? `, ${read.length} of them read` : '';
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
