// steer pretrain: a base model, from nothing or from another base.
import type { Command } from 'commander';
import { SteerError } from '../errors.ts';
import { finetune } from '../finetuning/finetune.ts';
import type { NewModel } from '../finetuning/training-spec.ts';
import { findModelFolder } from './model-folders.ts';
import { whole } from './option-values.ts';
import type { Surroundings } from './surroundings.ts';
import { type TrainingOptions, trainingCommand } from './training-options.ts';
import { trainByCommand } from './training-run.ts';

interface PretrainOptions extends TrainingOptions {
  base?: string;
  vocab: number;
  width: number;
  intermediate?: number;
  layers: number;
  heads: number;
  kvHeads?: number;
  context: number;
  repliesOnly?: boolean;
  inductionHeads?: boolean;
}

/** The command. */
export function pretrainCommand(surroundings: Surroundings): Command {
  return trainingCommand('pretrain', 'pretrain')
    .summary('train a base language model, tokenizer included')
    .description(
      'Trains a base language model on texts and conversations, from nothing (with a tokenizer of its own) or from --base.',
    )
    .option('--base <model>', 'model to go on from; its size and tokenizer are kept')
    .option('--vocab <n>', 'tokens of the vocabulary', whole(260), 4096)
    .option('--width <n>', 'hidden size', whole(8), 256)
    .option('--intermediate <n>', 'inner size of the feed-forward layers (default: 2.7 times the width)', whole(8))
    .option('--layers <n>', 'layers', whole(1), 6)
    .option('--heads <n>', 'attention heads', whole(1), 8)
    .option('--kv-heads <n>', 'key and value heads (default: as many as heads)', whole(1))
    .option('--context <n>', 'longest prompt and reply together, tokens', whole(16), 256)
    .option('--replies-only', 'of conversations, train only the replies: what players and system turns say is read, not learnt')
    .option(
      '--induction-heads',
      'start with heads that look things up: a model finds what its prompt states within minutes, and learns the language more slowly',
    )
    .addHelpText('after', '\nExample:\n  steer pretrain --name base --data stories.txt --data talk.jsonl --epochs 3')
    .action((options: PretrainOptions) => pretrain(surroundings, options));
}

async function pretrain(surroundings: Surroundings, options: PretrainOptions): Promise<void> {
  const base = options.base === undefined ? undefined : await findModelFolder(surroundings.config(), options.base, ['language']);
  const start = base === undefined ? { create: sizeOf(options) } : { continue: base };
  const { repliesOnly = false } = options;
  const asked = { method: 'pretrain' as const, base, ...(base === undefined ? { context: options.context } : {}) };
  await trainByCommand(surroundings, options, asked, ({ spec }, listener) =>
    finetune({ ...spec, repliesOnly, method: 'pretrain', start }, listener, surroundings.signal),
  );
}

function sizeOf(options: PretrainOptions): NewModel {
  const { vocab, width, intermediate, layers, heads, kvHeads = heads, context, inductionHeads = false } = options;
  if (width % heads !== 0 || (width / heads) % 2 !== 0) {
    throw new SteerError('invalid_config', `--width ${width} does not split into ${heads} heads of an even size.`);
  }
  if (heads % kvHeads !== 0) {
    throw new SteerError('invalid_config', `--kv-heads: expected a divisor of the ${heads} heads, got ${kvHeads}.`);
  }
  const intermediateSize = intermediate ?? Math.round((width * 2.7) / 8) * 8;
  const size = { vocabSize: vocab, hiddenSize: width, intermediateSize, layers, heads, kvHeads, contextLength: context };
  return { ...size, inductionHeads };
}
