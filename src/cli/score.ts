// steer score: ratings of replies as JSON lines, for a file of conversations or one reply given in arguments.
import { Command, Option } from 'commander';
import type { FormatName } from '../datasets/formats/table.ts';
import { readSamples } from '../datasets/read.ts';
import { SteerError } from '../errors.ts';
import { onOneLine } from '../json-line.ts';
import { openPredictor } from '../predictor/open.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { repliesOf } from '../predictor/readings.ts';
import { engineOptions } from '../registry/open.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import { format } from './dataset-options.ts';
import { findModelFolder } from './model-folders.ts';
import { type Surroundings, say } from './surroundings.ts';
import { rounded } from './table.ts';

interface ScoreOptions {
  model?: string;
  format?: FormatName;
  turns: 'last' | 'all';
  system: string;
  prompt?: string;
  reply?: string;
}

/** A reply to be rated, by sample and turn. */
interface Asked {
  index: number;
  turn: number;
  conversation: Conversation;
}

/** Replies rated at once. */
const batchReplies = 64;

/** The command. */
export function scoreCommand(surroundings: Surroundings): Command {
  return new Command('score')
    .summary('rate replies')
    .description('Rates replies and writes a JSON line for each: value, level, probabilities and confidence of every attribute.')
    .argument('[file]', 'conversations in any format import reads')
    .option('--model <model>', 'predictor: a name in MODELS_DIR or a path (default: the first there)')
    .option('--format <format>', 'format of the file, where it is not to be detected', format)
    .addOption(new Option('--turns <which>', 'replies of a conversation that are rated').choices(['last', 'all']).default('last'))
    .option('--system <text>', 'system text of the one reply', '')
    .option('--prompt <text>', 'what the user said before the one reply')
    .option('--reply <text>', 'the one reply, in place of a file')
    .addHelpText(
      'after',
      '\nExample:\n  steer score talk.jsonl --turns all > scores.jsonl\n  steer score --prompt "Any news?" --reply "None that pays."',
    )
    .action((file: string | undefined, options: ScoreOptions) => score(surroundings, file, options));
}

async function score({ config, signal }: Surroundings, file: string | undefined, options: ScoreOptions): Promise<void> {
  if ((file === undefined) === (options.reply === undefined)) {
    throw new SteerError('invalid_request', 'Expected either a file of conversations or one reply: --prompt TEXT --reply TEXT.');
  }
  const predictor = await openPredictor(await findModelFolder(config(), options.model, ['predictor']), engineOptions);
  try {
    let batch: Asked[] = [];
    for await (const asked of file === undefined ? [oneReply(options)] : repliesIn(file, options)) {
      batch.push(asked);
      if (batch.length < batchReplies) continue;
      await sayScores(predictor, batch, signal);
      batch = [];
    }
    await sayScores(predictor, batch, signal);
  } finally {
    await predictor.dispose();
  }
}

function oneReply({ system, prompt, reply }: ScoreOptions): Asked {
  const asked = prompt === undefined ? [] : [{ role: 'user' as const, content: prompt }];
  const turns = [...asked, { role: 'assistant' as const, content: reply ?? '' }];
  return { index: 0, turn: asked.length, conversation: { system, turns } };
}

async function* repliesIn(file: string, { format, turns }: ScoreOptions): AsyncGenerator<Asked> {
  let index = 0;
  for await (const { content } of readSamples(file, { format })) {
    const replies = [...repliesOf(content)];
    for (const reply of turns === 'all' ? replies : replies.slice(-1)) yield { index, ...reply };
    index++;
  }
}

async function sayScores(predictor: Predictor, batch: Asked[], signal: AbortSignal): Promise<void> {
  if (batch.length === 0) return;
  const scores = await predictor.score(
    batch.map(({ conversation }) => conversation),
    signal,
  );
  scores.forEach(({ attributes, truncated, ground }, i) => {
    const { index, turn } = batch[i]!;
    say(
      onOneLine(
        JSON.stringify({ index, turn, attributes, truncated, ground }, (_, value) =>
          typeof value === 'number' ? rounded(value) : value,
        ),
      ),
    );
  });
}
