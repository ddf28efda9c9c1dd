// What does SteerLM's way to go on from a steered model bring, bootstrapping (arXiv 2310.05344, 3.4)?
// It starts from the shipped model; beside it stands the same model after as many more conversations of the corpus,
// so that more training is not taken for a better method. The judge is that of bench/steering, which chose, labelled and taught nothing here.
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { generateCorpus } from '../models/corpus/grammar.ts';
import { type CorpusRun, corpusFiles } from '../models/corpus-files.ts';
import { dropout, models, recipes } from '../models/recipes.ts';
import { finetune } from '../src/finetuning/finetune.ts';
import { gameCharacters } from '../src/steerlm/schemas.ts';
import { recordSection } from './results.ts';
import { startServing } from './serving.ts';
import { steer } from './steer.ts';
import { asServed, makeJudge, makeOnce, messagesLine, folder as shared, watch, writePrompts } from './steering.ts';

const folder = 'data/bench/methods';
const prompts = 1500;
/** Conversations from which both take prompts, or replies as they stand. */
const taught: CorpusRun = { ...recipes.steered, seed: 21, conversations: 2 * prompts, learningRate: 2e-4 };

const modelOf = (name: string) => resolve('models', name);

async function writeTaught(path: string): Promise<void> {
  const lines: string[] = [];
  for (const { conversation, split } of generateCorpus(taught)) {
    if (split !== 'train') continue;
    lines.push(messagesLine({ ...conversation, turns: conversation.turns.slice(0, 2) }));
    if (lines.length === prompts) break;
  }
  await mkdir(folder, { recursive: true });
  await writeFile(path, `${lines.join('\n')}\n`);
}

interface JobSeen {
  id: string;
  status: string;
  fine_tuned_model: string | null;
  error: { message: string } | null;
}

/** The job a caller would start, on a server of its own. */
function makeBootstrapped(data: string): Promise<string> {
  return makeOnce('bootstrapped', async (out) => {
    const home = `${folder}/served`;
    for (const name of Object.values(models)) await cp(modelOf(name), `${home}/models/${name}`, { recursive: true });
    const serving = await startServing(`${home}/data`, undefined, `${home}/models`);
    const ask = async (path: string, init: RequestInit): Promise<JobSeen> => {
      const response = await fetch(`${serving.url}${path}`, init);
      const body = await response.json();
      if (!response.ok) throw new Error(`${path}: ${JSON.stringify(body)}`);
      return body as JobSeen;
    };
    const post = (type: string, body: string | Buffer) => ({ method: 'POST', headers: { 'content-type': type }, body });
    try {
      await ask('/v1/datasets?name=taught', post('application/x-ndjson', await readFile(data)));
      const { learningRate, B, T } = taught;
      const hyperparameters = { n_epochs: 1, learning_rate: learningRate, batch_size: B, row_tokens: T };
      const bootstrap = { predictor: models.predictor, samples_per_prompt: 2, hyperparameters };
      const request = { model: models.steered, training_dataset: 'taught', method: { type: 'bootstrap', bootstrap }, seed: 1 };
      let job = await ask('/v1/fine_tuning/jobs', post('application/json', JSON.stringify(request)));
      while (!['succeeded', 'failed', 'cancelled'].includes(job.status)) {
        await new Promise((wait) => setTimeout(wait, 2000));
        job = await ask(`/v1/fine_tuning/jobs/${job.id}`, {});
      }
      if (job.status !== 'succeeded') throw new Error(`The bootstrapping job ${job.status}: ${job.error?.message}`);
    } finally {
      await serving.stop();
    }
    const made = readdirSync(`${home}/models`).find((name) => name.startsWith('ft-'));
    await cp(`${home}/models/${made}`, out, { recursive: true });
  });
}

/** As many conversations as bootstrapping trains on replies, with the labels the grammar computes. */
function makeTaughtMore(): Promise<string> {
  return makeOnce('taught-more', async (out, runFolder) => {
    const files = await corpusFiles(runFolder, taught);
    const spec = {
      ...files,
      name: 'taught-more',
      out,
      method: 'steered' as const,
      base: modelOf(models.steered),
      schema: gameCharacters,
      dropout,
    };
    await finetune(spec, watch(), new AbortController().signal);
  });
}

/** Makes what is not there yet and measures all in one table. */
export async function run(): Promise<void> {
  const data = `${folder}/taught.jsonl`;
  await writeTaught(data);
  const asked = `${shared}/prompts.jsonl`;
  if (!existsSync(asked)) await writePrompts(asked);
  const judge = await makeJudge();
  const made = {
    'more-conversations': await makeTaughtMore(),
    bootstrapped: await makeBootstrapped(data),
  };
  const out = `${folder}/report`;
  const controls = Object.entries(made).flatMap(([name, path]) => ['--control', `${name}=${path}`]);
  const size = [...asServed, '--prompts-count', '60', '--seeds', '2', '--grid', '8'];
  const from = ['--model', modelOf(models.steered), '--base', modelOf(models.base), '--judge', judge, '--prompts', asked];
  await steer(['evaluate', 'steering', ...from, ...size, ...controls, '--out', out]);
  const report = await readFile(`${out}/steering.md`, 'utf8');
  const told = `${prompts} prompts: bootstrapping trains on 2 replies to each under what the shipped predictor finds in them; *more-conversations* is the shipped model after ${taught.conversations} conversations of the corpus at the same learning rate as bootstrapping.`;
  await recordSection('methods', `${told}\n\n${report.replace(/^# .*\n+/, '').replaceAll(/^## /gm, '### ')}`);
}
