// How closely does the shipped model follow what is asked for, on prompts and personas it never saw, beside every control that could explain it
// away: no labels, shuffled labels, levels put into words, candidates chosen by another predictor, guidance? The judge is a predictor made here
// of conversations that neither model nor chooser was trained on. What takes long is kept under data/bench/steering until its folder is removed.
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { generateCorpus } from '../models/corpus/grammar.ts';
import { type CorpusRun, corpusFiles } from '../models/corpus-files.ts';
import { drawn, dropout, models, recipes } from '../models/recipes.ts';
import { openProgressLine, reportTraining } from '../src/cli/progress.ts';
import { finetune } from '../src/finetuning/finetune.ts';
import { trainPredictor } from '../src/predictor/train.ts';
import type { Label } from '../src/steerlm/attributes.ts';
import type { Conversation } from '../src/steerlm/conversation.ts';
import { gameCharacters } from '../src/steerlm/schemas.ts';
import { recordSection } from './results.ts';
import { steer } from './steer.ts';

/** Where models made for measuring, and their prompts, are kept. */
export const folder = 'data/bench/steering';
const base = `models/${models.base}`;
const never = new AbortController().signal;
/**
 * The same conversations for every control, so that only what is done with their labels differs: as many as it takes to learn more of labels than
 * length, and no copies between them. Without labels there is nothing to wait for.
 */
const controlled: CorpusRun = { ...recipes.steered, copies: 0, seed: 11, conversations: 30_000 };
const unlabelled: CorpusRun = { ...controlled, conversations: 12_000 };
const judged: CorpusRun = { ...recipes.predictor, seed: 12, conversations: 25_000 };
const promptSeed = 13;

/** Replies are drawn as the model is served. */
export const asServed = [
  ...['--temperature', String(drawn.temperature), '--top-p', String(drawn.topP)],
  ...['--frequency-penalty', String(drawn.frequencyPenalty)],
];

/** Path of a model that is made unless it is there. */
export async function makeOnce(name: string, train: (out: string, runFolder: string) => Promise<unknown>): Promise<string> {
  const out = `${folder}/models/${name}`;
  if (!existsSync(`${out}/steerlm.json`)) await train(out, `${folder}/runs/${name}`);
  return out;
}

export const watch = () => reportTraining(openProgressLine());

/** Each label replaced by that of a reply a few conversations before: as plausible, and unrelated. */
function withStrangeLabels(): (item: { conversation: Conversation }) => Conversation {
  const earlier: Label[] = [];
  return ({ conversation }) => {
    const turns = conversation.turns.map((turn) => {
      if (!turn.label) return turn;
      earlier.push(turn.label);
      const strange = earlier.length > 40 ? earlier.shift()! : earlier[0]!;
      return { ...turn, label: strange };
    });
    return { ...conversation, turns };
  };
}

async function makeControls(): Promise<Record<string, string>> {
  const shared = { base, schema: gameCharacters };
  const steered = (name: string, choose?: Parameters<typeof corpusFiles>[2]) =>
    makeOnce(name, async (out, runFolder) => {
      const files = await corpusFiles(runFolder, controlled, choose);
      await finetune({ ...files, ...shared, name, out, method: 'steered', dropout }, watch(), never);
    });
  return {
    'true-labels': await steered('true-labels'),
    'shuffled-labels': await steered('shuffled-labels', withStrangeLabels()),
    'no-labels': await makeOnce('no-labels', async (out, runFolder) => {
      const files = await corpusFiles(runFolder, unlabelled);
      await finetune({ ...files, name: 'no-labels', out, method: 'supervised', base }, watch(), never);
    }),
  };
}

/** A predictor of conversations nobody else was trained on. */
export function makeJudge(): Promise<string> {
  return makeOnce('judge', async (out, runFolder) => {
    const spec = { ...(await corpusFiles(runFolder, judged)), name: 'judge', out, base, schema: gameCharacters };
    await trainPredictor({ ...spec, readingTokens: judged.T }, watch(), never);
  });
}

/** As OpenAI has conversations, labels beside the replies. */
export function messagesLine({ system, turns }: Conversation): string {
  const messages = turns.map(({ role, content, label }) => ({ role, content, ...(label ? { attributes: label } : {}) }));
  return JSON.stringify({ messages: [{ role: 'system', content: system }, ...messages] });
}

/** Conversations with a line, persona, value or pair of archetype and line that no training holds. */
export async function writePrompts(path: string): Promise<void> {
  const lines: string[] = [];
  for (const { conversation, heldOut } of generateCorpus({ seed: promptSeed, conversations: 8000 })) {
    if (!heldOut || heldOut === 'draw') continue;
    lines.push(messagesLine(conversation));
  }
  await mkdir(folder, { recursive: true });
  await writeFile(path, `${lines.join('\n')}\n`);
}

/** `--quick`: few prompts, no controls of their own training. */
export async function run(args: string[]): Promise<void> {
  const quick = args.includes('--quick');
  const prompts = `${folder}/prompts.jsonl`;
  await writePrompts(prompts);
  const judge = await makeJudge();
  const controls = quick ? {} : await makeControls();
  const out = `${folder}/report`;
  const asked = ['--model', `models/${models.steered}`, '--judge', judge, '--prompts', prompts, '--base', base];
  const dials = ['--strength', '1.5,2,3', '--best-of', '4', '--chooser', `models/${models.predictor}`, '--text-instruction'];
  const named = Object.entries(controls).flatMap(([name, path]) => ['--control', `${name}=${path}`]);
  const size = [...asServed, '--prompts-count', quick ? '12' : '60', '--seeds', quick ? '1' : '2', '--grid', '8'];
  // Without --out the report goes beside the model, and its curves on the card.
  await steer(['evaluate', 'steering', ...asked, ...size, ...(quick ? ['--out', out] : dials), ...named]);
  if (!quick) await cp(`models/${models.steered}/evaluation`, out, { recursive: true });
  const report = await readFile(`${out}/steering.md`, 'utf8');
  const told = `Controls of the same ${controlled.conversations} conversations from the same base, a shorter run than the shipped model's: *true-labels* and *shuffled-labels* (each reply under the label of another); and *no-labels*, of the first ${unlabelled.conversations}, which knows no attributes and is asked without.`;
  if (quick) process.stdout.write(report);
  else await recordSection('steering', `${told}\n\n${report.replace(/^# .*\n+/, '').replaceAll(/^## /gm, '### ')}`);
}
