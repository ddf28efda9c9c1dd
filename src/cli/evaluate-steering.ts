// steer evaluate steering: how closely the replies of a model follow the attributes it is asked for, beside controls.
import { Command, InvalidArgumentError, Option } from 'commander';
import { leastReplies } from '../evaluation/steering/card-curves.ts';
import { measureSteering, writeSteeringReport } from '../evaluation/steering/measure.ts';
import { type Control, controlName, steeringDefaults } from '../evaluation/steering/task.ts';
import { precisions } from '../model/loaded-network.ts';
import { type Against, opposites } from '../steerlm/guidance.ts';
import { type Split, splits } from '../store/schema.ts';
import { evaluationData, evaluationModels } from './evaluation-inputs.ts';
import { between, whole } from './option-values.ts';
import { bar, openProgressLine } from './progress.ts';
import { note, type Surroundings, say } from './surroundings.ts';

interface SteeringOptions {
  model?: string;
  judge: string;
  dataset?: string;
  prompts?: string;
  split?: Split | 'all';
  promptsCount: number;
  seeds: number;
  grid: number;
  strength: number[];
  against: Against;
  bestOf?: number;
  chooser?: string;
  control: Control[];
  textInstruction?: boolean;
  base?: string;
  maxTokens: number;
  temperature: number;
  topP: number;
  frequencyPenalty: number;
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
    .option('--prompts-count <n>', 'prompts, drawn by the seed', whole(2), steeringDefaults.promptsCount)
    .option('--seeds <n>', 'replies to each prompt at each level', whole(1), steeringDefaults.seeds)
    .option('--grid <n>', 'random targets in all attributes for each prompt', whole(0), steeringDefaults.grid)
    .option('--strength <list>', 'how far replies are pushed, each compared with the plain prompt, as 1.5,2,3', strengths, [
      ...steeringDefaults.strength,
    ])
    .addOption(
      new Option('--against <what>', 'what strengths push away from').choices(opposites).default(steeringDefaults.against),
    )
    .option('--best-of <n>', 'compare with the best of n candidates, chosen by --chooser', whole(2))
    .option('--chooser <model>', 'predictor that chooses among candidates: another one than the judge')
    .option(
      '--control <name=model>',
      'another model to compare with, asked the same, or without a label where it knows no attributes; may be repeated',
      control,
      [],
    )
    .option('--text-instruction', 'compare with levels described in the system text in place of a label')
    .option('--base <model>', 'model that never saw a label, to measure the perplexity of replies')
    .option('--max-tokens <n>', 'most tokens of a reply', whole(1), steeringDefaults.maxTokens)
    .option('--temperature <x>', '0 picks the likeliest token', between(0, 2), steeringDefaults.temperature)
    .option('--top-p <share>', 'sample from the likeliest tokens that hold this share', between(0, 1), steeringDefaults.topP)
    .option(
      '--frequency-penalty <x>',
      'makes tokens less likely each time the reply has them',
      between(-2, 2),
      steeringDefaults.frequencyPenalty,
    )
    .addOption(new Option('--precision <type>', 'of the weights (default: as served, MODEL_PRECISION)').choices(precisions))
    .option('--draws <n>', 'draws of the intervals and of the permutation test', whole(10), steeringDefaults.draws)
    .option(
      '--out <folder>',
      `where the report is written (default: evaluation/ in the folder of the model, and the curves on its card where each level has ${leastReplies} replies)`,
    )
    .option('--force', 'evaluate even with a judge that is not independent or on prompts seen in training, and mark the report')
    .option('--seed <n>', 'seed of everything random', whole(0), 0)
    .addHelpText(
      'after',
      '\nExample:\n  steer evaluate steering --model npc --judge apm --dataset talk\n  steer evaluate steering --model npc --judge apm --prompts held-out.jsonl --strength 1.5,2 --control shuffled=npc-shuffled --text-instruction',
    )
    .action((options: SteeringOptions) => evaluate(surroundings, options));
}

async function evaluate({ config, signal }: Surroundings, options: SteeringOptions): Promise<void> {
  const { dataset, prompts: file, split = dataset === undefined ? 'all' : 'validation', control: controls, precision } = options;
  const { textInstruction = false, force = false } = options;
  const withData = evaluationData(config, { dataset, file }, 'latest', '--dataset NAME or --prompts FILE to take prompts from');
  const line = openProgressLine();
  try {
    const measured = await measureSteering(
      { ...options, model: options.model, split, controls, textInstruction, force },
      {
        models: evaluationModels(config(), precision),
        withData,
        out: options.out,
        onReply: (done, total, condition) => {
          const every = Math.max(1, Math.round(total / 20));
          line.show(`${bar(done / total)} reply ${done}/${total}  ${condition}`, done % every === 0 || done === total);
        },
        signal,
      },
    );
    const curves = options.out === undefined;
    const { files, unfit } = await writeSteeringReport(measured, { curves });
    line.close();
    say(files['steering.md'].trimEnd());
    note(`Wrote ${Object.keys(files).join(', ')} to ${measured.out}.`);
    const { name } = measured.head.model;
    if (!curves) return;
    if (unfit === undefined)
      note(`What is obtained for what is requested stands on the card of ${name}: steering.calibrated uses it.`);
    else note(`The card of ${name} stays as it is: ${unfit}.`);
  } finally {
    line.close();
  }
}

function strengths(text: string): number[] {
  return text.split(',').map(between(0, 5));
}

/** `shuffled=npc-shuffled` added to the controls. */
function control(text: string, before: Control[]): Control[] {
  const [, name, model] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || model === undefined || !controlName.test(name))
    throw new InvalidArgumentError('Expected NAME=MODEL like shuffled=npc-shuffled.');
  if (before.some((each) => each.name === name)) throw new InvalidArgumentError(`There are two controls named ${name}.`);
  return [...before, { name, model }];
}
