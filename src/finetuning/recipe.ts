// What a training run reads and minimises: samples packed into rows with the next token's loss, or groups of replies weighed against each other.
import type { SampleContent } from '../datasets/sample.ts';
import { readSnapshot } from '../datasets/snapshot.ts';
import { SteerError } from '../errors.ts';
import type { Model } from '../model/model.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import { type BatchSource, packedBatches } from '../training/batches.ts';
import type { TrainingTask } from '../training/loop.ts';
import { nextTokenObjective } from '../training/objective.ts';
import type { Sequence } from '../training/packing.ts';
import { encodeGroup, readGroups } from './reply-groups.ts';
import { groupBatches, type ReplyGroup, reweightingObjective } from './reweighting.ts';
import { pretrainingSequence, steeredSequence, unlabelled } from './sequences.ts';
import type { ReweightingSpec, SampleSpec } from './training-run.ts';

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

export async function recipeOfSamples(spec: SampleSpec, { shape, tokenizer }: Model, training: SampleContent[]): Promise<Recipe> {
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

export async function recipeOfGroups(
  { train, validation, replies: n, T, settings }: ReweightingSpec,
  model: Model,
): Promise<Recipe> {
  const { tokenizer, card, shape } = model;
  if (!card.attributeSchema)
    throw new SteerError('invalid_model', `Expected a steered model to reweight, ${card.name} has no attributes.`);
  const [taught, held] = [
    await groupsOf(train, n, T, tokenizer, card.attributeSchema),
    await groupsOf(validation, n, T, tokenizer, card.attributeSchema),
  ];
  const left = taught.left + held.left;
  if (taught.groups.length === 0) {
    const message = `Expected groups of 2 to ${n} replies of at most ${T} tokens with their prompts, found none. Raise --row-tokens or --max-tokens, or give shorter prompts.`;
    throw new SteerError('invalid_dataset', message);
  }
  return {
    training: groupBatches(taught.groups, { n, T, seed: settings.seed }),
    validation: held.groups.length > 0 ? groupBatches(held.groups, { n, T, seed: 0, shuffle: false }) : null,
    objective: (network) => reweightingObjective(shape, network, n, T),
    told: `${taught.groups.length} training and ${held.groups.length} held-out groups of up to ${n} replies; ${left} left out, too long for ${T} tokens`,
  };
}

async function groupsOf(path: string, n: number, T: number, tokenizer: Tokenizer, schema: AttributeSchema) {
  const groups: ReplyGroup[] = [];
  let left = 0;
  for await (const record of readGroups(path)) {
    const group = encodeGroup(tokenizer, schema, record);
    // A row trains on one token less than it is given.
    const fits = group.length <= n && group.every(({ ids }) => ids.length <= T + 1);
    if (fits) groups.push(group);
    else left++;
  }
  return { groups, left };
}

function sequencesOf(spec: SampleSpec, tokenizer: Tokenizer): (samples: SampleContent[], epoch: number) => Iterable<Sequence> {
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
