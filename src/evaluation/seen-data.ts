// Whether a model was trained on the data it is to be evaluated on, as far as its card tells: by the hash of what a training run takes from the
// data, or by the name. Conversations that stand in two datasets of different names are not noticed.
import { createHash } from 'node:crypto';
import type { SampleContent } from '../datasets/sample.ts';
import { type TrainingSource, withLabelsOf } from '../datasets/training-data.ts';
import { SteerError } from '../errors.ts';
import type { ModelCard } from '../model/model-folder.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import { type Split, splits } from '../store/schema.ts';

export interface SeenData {
  /** Splits the model was trained on; none where nothing is known of it. */
  splits: readonly Split[];
  /** Why we think so; empty where we do not. */
  reason: string;
  /** SHA-256 over the samples with labels in the model's names, as a training run would note it. */
  hash: string;
}

/** Reads the source twice. Throws `cancelled`. */
export async function seenInTraining(
  source: TrainingSource,
  { datasets }: Pick<ModelCard, 'datasets'>,
  schema: AttributeSchema,
  signal?: AbortSignal,
): Promise<SeenData> {
  const inModelNames = new Prints((content) => withLabelsOf(schema, content));
  const prints = [inModelNames, new Prints((content) => content)];
  for (const split of splits) {
    for await (const sample of source.samples()) {
      if (signal?.aborted) throw new SteerError('cancelled', 'Stopped while reading the data; nothing was evaluated.');
      for (const each of prints) each.add(split, sample.split, sample.content);
    }
  }
  const made = prints.map((each) => each.digests());
  const { hash } = made[0]!;
  const listed = new Set(datasets.map((dataset) => dataset.hash));
  if (made.some((each) => listed.has(each.whole)))
    return { splits, reason: 'its card lists this data, taken whole for training', hash };
  if (made.some((each) => listed.has(each.hash) || listed.has(each.trainFile)))
    return { splits: ['train'], reason: 'its card lists this data by its hash', hash };
  return { ...seenByName(source.name, { datasets }), hash };
}

/** As far as the name alone tells, without reading anything. */
export function seenByName(name: string, { datasets }: Pick<ModelCard, 'datasets'>): Omit<SeenData, 'hash'> {
  const listed = datasets.some((dataset) => dataset.name === name);
  return listed ? { splits: ['train'], reason: 'its card lists data of this name' } : { splits: [], reason: '' };
}

/** Hashes of the same samples as different kinds of training runs note them. */
class Prints {
  readonly #told: (content: SampleContent) => SampleContent;
  /** Both splits, each sample on its own. */
  readonly #hash = createHash('sha256');
  /** All samples on the training side, as of a file that was uploaded for training. */
  readonly #whole = createHash('sha256');
  /** The file of training samples itself. */
  readonly #trainFile = createHash('sha256');

  constructor(told: (content: SampleContent) => SampleContent) {
    this.#told = told;
  }

  /** `pass` is the split whose turn it is. */
  add(pass: Split, own: Split, content: SampleContent): void {
    if (pass !== 'train' && own !== pass) return;
    const line = `${JSON.stringify(this.#told(content))}\n`;
    if (own === pass) this.#hash.update(`${pass} ${line}`);
    if (pass !== 'train') return;
    this.#whole.update(`train ${line}`);
    if (own === 'train') this.#trainFile.update(line);
  }

  digests(): { hash: string; whole: string; trainFile: string } {
    const [hash, whole, trainFile] = [this.#hash, this.#whole, this.#trainFile].map((each) => each.digest('hex'));
    return { hash: hash!, whole: whole!, trainFile: trainFile! };
  }
}

/**
 * Whether what is evaluated was seen in training. Throws invalid_request with the reason unless forced.
 */
export function refuseSeen(
  { splits: seen, reason }: Omit<SeenData, 'hash'>,
  asked: { model: string; data: string; split: Split | 'all'; force: boolean },
): boolean {
  const wanted: readonly Split[] = asked.split === 'all' ? splits : [asked.split];
  if (!wanted.some((split) => seen.includes(split))) return false;
  if (asked.force) return true;
  const remedy = seen.includes('validation') ? 'Evaluate on other data' : 'Evaluate on --split validation or other data';
  throw new SteerError(
    'invalid_request',
    `${asked.model} was trained on the ${seen.join(' and ')} split of ${asked.data} (${reason}), so figures on it would tell what it remembers. ${remedy}, or add --force to have the report marked seen_in_training.`,
  );
}
