// steer reweight: a steered model made to follow its labels more closely by replies of its own, weighed against each other (SteerLM 2.0).
import { createHash } from 'node:crypto';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { readSnapshot } from '../datasets/snapshot.ts';
import { SteerError } from '../errors.ts';
import { openTokenLikelihood, type TokenLikelihood } from '../evaluation/likelihood/token-likelihood.ts';
import { finetune } from '../finetuning/finetune.ts';
import { encodeReply, writeGroup } from '../finetuning/reply-groups.ts';
import { type GroupSources, sampleGroup } from '../finetuning/sample-groups.ts';
import { unlabelled } from '../finetuning/sequences.ts';
import type { ReweightingSpec } from '../finetuning/training-run.ts';
import { readShape } from '../model/model-folder.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { openPredictor } from '../predictor/open.ts';
import { engineOptions, openLanguage } from '../registry/open.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import { findModelFolder } from './model-folders.ts';
import { between, whole } from './option-values.ts';
import { bar, openProgressLine } from './progress.ts';
import { note, type Surroundings } from './surroundings.ts';
import { rowTokensOf, type TrainingOptions, trainingCommand } from './training-options.ts';
import { concludeRun, followRun, type PreparedRun, prepareRun, sharedSpec } from './training-run.ts';

interface ReweightOptions extends TrainingOptions {
  model: string;
  base: string;
  predictor: string;
  replies: number;
  promptsCount: number;
  temperature: number;
  topP: number;
  maxTokens: number;
}

/** The command. */
export function reweightCommand(surroundings: Surroundings): Command {
  return trainingCommand('reweight', { learningRate: 1e-5 })
    .summary('make a steered model follow its labels more closely, by its own replies')
    .description(
      'Has a steered model write several replies to each prompt under labels drawn at random, and makes those likelier that a predictor finds to follow their label and a base model finds likely (SteerLM 2.0). The data gives the prompts; its replies are not read.',
    )
    .requiredOption('--model <model>', 'steered model to start from, which writes the replies')
    .requiredOption('--base <model>', 'language model that never saw a label')
    .requiredOption('--predictor <model>', 'predictor that rates the replies')
    .option('--replies <n>', 'replies to each prompt', whole(2), 8)
    .option('--prompts-count <n>', 'prompts, the first of the data', whole(1), 2000)
    .option('--temperature <x>', 'of the replies', between(0.1, 2), 0.7)
    .option('--top-p <share>', 'of the replies', between(0.01, 1), 0.9)
    .option('--max-tokens <n>', 'most tokens of a reply; one that is cut short is left out', whole(1), 160)
    .addHelpText(
      'after',
      '\nExample:\n  steer reweight --name closer --model steered --base base --predictor apm --dataset talk --epochs 1 --accumulation 8',
    )
    .action((options: ReweightOptions) => reweight(surroundings, options));
}

async function reweight(surroundings: Surroundings, options: ReweightOptions): Promise<void> {
  const config = surroundings.config();
  const folder = await findModelFolder(config, options.model, ['language']);
  const { contextLength } = await readShape(folder);
  const run = await prepareRun(surroundings, options, { base: folder });
  const files = await sampleFiles(surroundings, options, run, folder);
  const shared = sharedSpec(
    run,
    options,
    rowTokensOf({ ...options, rowTokens: options.rowTokens ?? contextLength }, contextLength),
  );
  const spec: ReweightingSpec = { ...shared, ...files, method: 'reweighted', base: folder, replies: options.replies };
  const outcome = await followRun(surroundings, (listener) => finetune(spec, listener, surroundings.signal));
  if (outcome) await concludeRun(config, options, outcome);
}

/** Both files of groups; those an interrupted command wrote already are kept. */
async function sampleFiles(surroundings: Surroundings, options: ReweightOptions, run: PreparedRun, folder: string) {
  const files = { train: join(run.runFolder, 'groups.jsonl'), validation: join(run.runFolder, 'held-out-groups.jsonl') };
  const { sources, dispose } = await openSources(surroundings, options, folder);
  try {
    await forgetOthers(run, Object.values(files), options, sources);
    await sampleInto(surroundings, options, sources, { from: run.train, to: files.train, count: options.promptsCount });
    const held = Math.ceil(options.promptsCount / 20);
    await sampleInto(surroundings, options, sources, { from: run.validation, to: files.validation, count: held });
  } finally {
    await dispose();
  }
  const hash = createHash('sha256')
    .update(await readFile(files.train))
    .digest('hex');
  const names = run.datasets.map(({ name }) => name).join(', ');
  return { ...files, datasets: [{ name: `${options.replies} replies to prompts of ${names}`, hash }] };
}

/** Removes what was sampled of other models, other prompts or otherwise. */
async function forgetOthers(
  { runFolder, datasets }: PreparedRun,
  files: readonly string[],
  { replies, promptsCount, temperature, topP, maxTokens, seed, base, fresh }: ReweightOptions,
  { writer, rater }: GroupSources & { writer: { revision: string } },
): Promise<void> {
  const path = join(runFolder, 'groups-of.json');
  const settings = { replies, promptsCount, temperature, topP, maxTokens, seed, base };
  const made = JSON.stringify({ writer: writer.revision, rater: rater.revision, datasets, ...settings });
  const before = await readFile(path, 'utf8').catch(() => null);
  if (before === made && !fresh) return;
  for (const file of files) await rm(file, { force: true });
  await writeFile(path, made);
}

async function openSources({ config: settings }: Surroundings, options: ReweightOptions, folder: string) {
  const config = settings();
  const opened: { dispose(): Promise<void> }[] = [];
  const keep = <T extends { dispose(): Promise<void> }>(one: T): T => {
    opened.push(one);
    return one;
  };
  const dispose = async () => {
    for (const each of opened) await each.dispose();
  };
  try {
    const { executionProvider: provider, upstreamApiKey: apiKey } = config;
    // What is trained is fp32, so what writes is too: the proposal must be the model's own.
    const writer = keep(await openLanguage(folder, { ...engineOptions, precision: 'fp32', provider }, { apiKey, onFault: note }));
    if (writer.schema.attributes.length === 0)
      throw new SteerError('invalid_request', `Expected a steered model to reweight, ${writer.id} has no attributes.`);
    const base = await findModelFolder(config, options.base, ['language']);
    const rater = keep(await openPredictor(await findModelFolder(config, options.predictor, ['predictor']), engineOptions));
    const own = await openReader(folder, writer.schema, keep);
    const plain = await openReader(base, unlabelled, keep);
    const likelihoods: GroupSources['likelihoods'] = async (prompt, label, texts) => {
      return { proposal: await own(prompt, label, texts), base: await plain(prompt, {}, texts) };
    };
    return { sources: { writer, rater, likelihoods }, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Answers log p of whole replies. */
async function openReader(folder: string, schema: AttributeSchema, keep: (one: TokenLikelihood) => TokenLikelihood) {
  const reader = keep(await openTokenLikelihood(folder, { threads: engineOptions.threads }));
  const tokenizer = await Tokenizer.open(folder);
  return async (prompt: Conversation, label: Record<string, number>, texts: readonly string[]) => {
    const found = await reader.score(texts.map((text) => encodeReply(tokenizer, schema, prompt, label, text)));
    return found.map(({ nats }) => -nats);
  };
}

interface Sampling {
  /** Snapshot of conversations. */
  from: string;
  to: string;
  count: number;
}

async function sampleInto(
  { signal }: Surroundings,
  options: ReweightOptions,
  sources: GroupSources,
  { from, to, count }: Sampling,
) {
  const written = await readFile(to, 'utf8').catch(() => '');
  // Every prompt leaves a line, an empty one where too few replies were whole.
  let index = written.split('\n').length - 1;
  const line = openProgressLine();
  const { promptsCount: _, ...rest } = options;
  try {
    for await (const prompt of promptsOf(from, index, count)) {
      if (signal.aborted) throw new SteerError('cancelled', 'Stopped while sampling. Run the same command again to continue.');
      const group = await sampleGroup(sources, prompt, index, rest, signal);
      await appendFile(to, `${group ? writeGroup(sources.writer.schema, group) : ''}\n`);
      index++;
      line.show(`${bar(index / count)} sampled ${index}/${count} prompts`, index % Math.ceil(count / 20) === 0);
    }
  } finally {
    line.close();
  }
}

/** Conversations up to what the user said last, the first `count` but for those before `start`. */
async function* promptsOf(path: string, start: number, count: number): AsyncGenerator<Conversation> {
  let number = 0;
  for await (const content of readSnapshot(path)) {
    if (content.kind === 'text') continue;
    const { system, turns } = content.conversation;
    const end = turns.findLastIndex(({ role }) => role === 'user');
    if (end < 0) continue;
    if (number >= count) return;
    if (number++ >= start) yield { system, turns: turns.slice(0, end + 1) };
  }
}
