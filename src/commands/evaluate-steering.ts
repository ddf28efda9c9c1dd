// steer evaluate steering: how closely the replies of a model follow the attributes it is asked for, beside controls.
import { Command, InvalidArgumentError, Option } from 'commander';
import { precisions } from '../llama/loaded-network.ts';
import { opposites } from '../steering.ts';
import { type Split, splits } from '../store/schema.ts';
import { evaluateSteering } from './evaluate-steering-run.ts';
import { between, whole } from './option-values.ts';
import type { Surroundings } from './surroundings.ts';

export interface Control {
  name: string;
  model: string;
}

export interface SteeringOptions {
  model?: string;
  judge: string;
  dataset?: string;
  prompts?: string;
  split?: Split | 'all';
  promptsCount: number;
  seeds: number;
  grid: number;
  strength: number[];
  against: (typeof opposites)[number];
  bestOf?: number;
  chooser?: string;
  control: Control[];
  textInstruction?: boolean;
  base?: string;
  maxTokens: number;
  temperature: number;
  topP: number;
  precision?: (typeof precisions)[number];
  draws: number;
  out?: string;
  force?: boolean;
  seed: number;
}

/** The command. */
export function evaluateSteeringCommand(surroundings: Surroundings): Command {
  return new Command('steering')
    .summary('measure how closely replies follow what is asked for')
    .description(
      'Asks a model for replies at every level of every attribute, and to random targets in all of them, has a predictor judge what was obtained, and compares that with controls.',
    )
    .option('--model <model>', 'steered model: a name in MODELS_DIR or a path (default: the model serve would take)')
    .requiredOption('--judge <model>', 'predictor that judges: one that learnt from other data than the model')
    .option('--dataset <name>', 'dataset in the database to take prompts from')
    .option('--prompts <file>', 'file to take prompts from, without a database, in any format import reads')
    .addOption(
      new Option('--split <split>', 'prompts that are taken (default: validation of a dataset, all of a file)').choices([
        ...splits,
        'all',
      ]),
    )
    .option('--prompts-count <n>', 'prompts, drawn by the seed', whole(2), 40)
    .option('--seeds <n>', 'replies to each prompt at each level', whole(1), 2)
    .option('--grid <n>', 'random targets in all attributes for each prompt', whole(0), 8)
    .option('--strength <list>', 'how far replies are pushed, each compared with the plain prompt, as 1.5,2,3', strengths, [1])
    .addOption(new Option('--against <what>', 'what strengths push away from').choices(opposites).default('null'))
    .option('--best-of <n>', 'compare with the best of n candidates, chosen by --chooser', whole(2))
    .option('--chooser <model>', 'predictor that chooses among candidates: another one than the judge')
    .option('--control <name=model>', 'another model to compare with, asked the same; may be repeated', control, [])
    .option('--text-instruction', 'compare with levels described in the system text in place of a label')
    .option('--base <model>', 'model that never saw a label, to measure the perplexity of replies')
    .option('--max-tokens <n>', 'most tokens of a reply', whole(1), 160)
    .option('--temperature <x>', '0 picks the likeliest token', between(0, 2), 0.7)
    .option('--top-p <share>', 'sample from the likeliest tokens that hold this share', between(0, 1), 0.95)
    .addOption(new Option('--precision <type>', 'of the weights (default: as served, MODEL_PRECISION)').choices(precisions))
    .option('--draws <n>', 'draws of the intervals and of the permutation test', whole(10), 1000)
    .option(
      '--out <folder>',
      'where the report is written (default: evaluation/ in the folder of the model, and the curves on its card)',
    )
    .option('--force', 'evaluate even with a judge that is not independent or on prompts seen in training, and mark the report')
    .option('--seed <n>', 'seed of everything random', whole(0), 0)
    .addHelpText(
      'after',
      '\nExample:\n  steer evaluate steering --model npc --judge apm --dataset talk\n  steer evaluate steering --model npc --judge apm --prompts held-out.jsonl --strength 1.5,2 --control shuffled=npc-shuffled --text-instruction',
    )
    .action((options: SteeringOptions) => evaluateSteering(surroundings, options));
}

/** Strengths of a list, the plain prompt always the first. */
function strengths(text: string): number[] {
  const values = text.split(',').map(between(0, 5));
  return [...new Set([1, ...values])];
}

/** `shuffled=npc-shuffled` added to the controls. */
function control(text: string, before: Control[]): Control[] {
  const [, name, model] = /^([A-Za-z0-9][A-Za-z0-9 ._-]{0,39})=(.+)$/.exec(text) ?? [];
  if (name === undefined || model === undefined)
    throw new InvalidArgumentError('Expected NAME=MODEL like shuffled=npc-shuffled.');
  if (before.some((each) => each.name === name)) throw new InvalidArgumentError(`There are two controls named ${name}.`);
  return [...before, { name, model }];
}
