// A real model, fetched by `steer pull`: does it speak as transformers has it, and how far do words steer it that nobody trained on labels?
// `--model FOLDER`; `--wordings` tries other words for the levels on questions of their own; `--questions N` takes the first N;
// `--repetition-penalty` draws with that one.
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { LanguageModel } from '../src/generation/language-model.ts';
import { openLanguageModel } from '../src/generation/steered-model.ts';
import { labelPrompt } from '../src/generation/steered-prompt.ts';
import type { SamplingDefaults } from '../src/model/sampling-defaults.ts';
import { engineOptions } from '../src/registry/open.ts';
import type { AttributeSchema } from '../src/steerlm/attributes.ts';
import { everyday } from '../src/steerlm/schemas.ts';
import { peersInstalled } from './peer.ts';
import { compareWithTransformers } from './real/peer.ts';
import { choosing, reporting } from './real/questions.ts';
import { loops, rules, wordsOf } from './real/rules.ts';
import { type Followed, followed, reply, type SweptReply, sweep } from './real/sweep.ts';
import { wordings } from './real/wordings.ts';
import { recordSection, table } from './results.ts';

const maxTokens = 160;
const options = {
  model: { type: 'string', default: 'data/models/smollm2-135m' },
  wordings: { type: 'boolean', default: false },
  questions: { type: 'string', default: '20' },
  'repetition-penalty': { type: 'string' },
} as const;

/** `rho [low, high]`. */
const told = ({ rho: { value, low, high } }: Followed) => `${value.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
const row = (means: readonly number[]) => means.map((value) => value.toFixed(1)).join(' / ');

/** Writes what was found. */
export async function run(args: string[]): Promise<void> {
  const { model: named, wordings: tries, questions, 'repetition-penalty': penalty } = parseArgs({ args, options }).values;
  const folder = resolve(named);
  if (!existsSync(folder)) {
    process.stdout.write(`No model at ${named}: npx steer pull smollm2-135m, or --model FOLDER\n`);
    return;
  }
  const opened = await openLanguageModel(folder, { ...engineOptions, precision: 'int8' });
  const model = penalty === undefined ? opened : drawnWith(opened, { repetitionPenalty: Number(penalty) });
  try {
    const count = Number(questions);
    if (tries) await recordSection('real-model, wordings', await tryWordings(model, choosing.slice(0, count)));
    else await recordSection('real-model', `${basename(folder)}\n\n${await compare(folder)}\n\n${await steered(model, count)}`);
  } finally {
    await model.dispose();
  }
}

/** The model as it is drawn with something else. */
function drawnWith(model: LanguageModel, sampling: SamplingDefaults): LanguageModel {
  return { ...model, sampling: { ...model.sampling, ...sampling } };
}

/** Beside transformers, at float32. */
async function compare(folder: string): Promise<string> {
  if (!peersInstalled()) return 'Ids and greedy tokens: not compared, transformers is not installed.';
  const model = await openLanguageModel(folder, { ...engineOptions, precision: 'fp32' });
  try {
    const found = await compareWithTransformers(model, folder);
    return (
      `Beside transformers: ids of ${found.sameIds} of ${found.conversations} conversations are the same; ` +
      `of ${found.tokens} greedy tokens at float32, ${found.sameTokens} are.`
    );
  } finally {
    await model.dispose();
  }
}

async function steered(model: LanguageModel, count: number): Promise<string> {
  const questions = reporting.slice(0, count);
  const rows: string[][] = [];
  const texts: string[] = [];
  // The same whatever the attribute would be: nothing of it is said.
  const unasked = await sweep(model, questions, 'verbosity', { method: 'none', maxTokens });
  for (const { name } of model.schema.attributes) {
    const rule = rules[name];
    if (!rule) continue;
    const asked = await sweep(model, questions, name, { method: 'instruction', maxTokens });
    const [by, without] = [followed(asked, rule), followed(unasked, rule)];
    rows.push([name, told(by), told(without), row(by.means), row(lengths(asked)), circling(asked)]);
    texts.push(...samples(name, asked));
  }
  const capital = await capitals(model);
  return [
    `"What is the capital of France?": Paris in ${capital} of 5 replies.`,
    table(['attribute', 'ρ by words', 'ρ without', 'by rule, level 0 / 1 / 2 / 3 / 4', 'words', 'in circles'], rows),
    'A reply of each end:',
    texts.join('\n'),
  ].join('\n\n');
}

const lengths = (replies: readonly SweptReply[]) => followed(replies, (text) => wordsOf(text).length).means;

/** Replies that go round in circles, of all. */
function circling(replies: readonly SweptReply[]): string {
  return `${replies.filter(({ text }) => loops(text)).length}/${replies.length}`;
}

/** What the first question was answered at both ends, in a line each. */
function samples(attribute: string, replies: readonly SweptReply[]): string[] {
  return [0, 4].map((level) => {
    const { text } = replies.find((each) => each.question === 0 && each.level === level)!;
    return `- ${attribute} ${level}: ${text.replaceAll(/\s+/g, ' ').slice(0, 200)}`;
  });
}

async function capitals(model: LanguageModel): Promise<number> {
  const conversation = { system: '', turns: [{ role: 'user' as const, content: 'What is the capital of France?' }] };
  const { tokenIds: prompt } = await labelPrompt(model, conversation, [{}]);
  const seeds = [0, 1, 2, 3, 4];
  const replies = await Promise.all(seeds.map((seed) => reply(model, { prompt, phases: undefined, maxTokens: 60, seed })));
  return replies.filter((text) => text.includes('Paris')).length;
}

async function tryWordings(model: LanguageModel, questions: readonly string[]): Promise<string> {
  const rows: string[][] = [];
  for (const [name, candidates] of Object.entries(wordings)) {
    for (const instructions of candidates) {
      const replies = await sweep({ ...model, schema: withWords(name, instructions) }, questions, name, {
        method: 'instruction',
        maxTokens,
      });
      const found = followed(replies, rules[name]!);
      rows.push([
        name,
        instructions.map((text) => text || '–').join(' / '),
        told(found),
        row(found.means),
        row(lengths(replies)),
        circling(replies),
      ]);
      process.stdout.write(`${rows.at(-1)!.join(' | ')}\n${samples(name, replies).join('\n')}\n`);
    }
  }
  return table(['attribute', 'words, level 0 / 1 / 2 / 3 / 4', 'ρ', 'by rule', 'words of a reply', 'in circles'], rows);
}

function withWords(name: string, instructions: readonly string[]): AttributeSchema {
  const attributes = everyday.attributes.map((each) =>
    each.name === name ? { ...each, instructions: [...instructions] } : each,
  );
  return { ...everyday, attributes };
}
