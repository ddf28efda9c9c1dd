// What the shipped models hold beside what bench/steering tells: the predictor on replies nobody trained on, beside what length and words tell; and what
// the steered model makes of labels without writing a word, how far it moved from its base, and how much of what it writes is recited.
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { generateCorpus } from '../models/corpus/grammar.ts';
import { type CorpusRun, conversationsOf } from '../models/corpus-files.ts';
import { asServed, everyLevel, heldOutPrompts, withReply } from '../models/measure/steerability.ts';
import { models, recipes } from '../models/recipes.ts';
import { readConfig } from '../src/config.ts';
import { openLanguageModel } from '../src/generation/steered-model.ts';
import { applyAttributes } from '../src/steerlm/attributes.ts';
import type { Conversation } from '../src/steerlm/conversation.ts';
import { layOutPrompt, trimReply } from '../src/steerlm/prompt-layout.ts';
import { gameCharacters } from '../src/steerlm/schemas.ts';
import { Articles } from './articles.ts';
import { type Judgements, judge, judgementTable, repliesOf } from './predictor-table.ts';
import { recordSection } from './results.ts';
import { steer } from './steer.ts';
import { folder, messagesLine, writePrompts } from './steering.ts';

const mostFitted = 20_000;
const seeds = [1, 2];

/** What a run learns from, copies and all. */
function* taughtIn(run: CorpusRun): Generator<Conversation> {
  for (const { conversation, split } of conversationsOf(run)) if (split === 'train') yield conversation;
}

/** Both rounds of the steered model. */
function* taughtSteered(): Generator<Conversation> {
  yield* taughtIn(recipes.steered);
  yield* taughtIn(recipes.settled);
}

/** The same conversations, whose replies the articles are learnt from on the way. */
function* learning(articles: Articles, conversations: Iterable<Conversation>): Generator<Conversation> {
  for (const conversation of conversations) {
    for (const { role, content } of conversation.turns) if (role === 'assistant') articles.learn(content);
    yield conversation;
  }
}

/** How often the replies in the file have an article that the corpus never has there. */
async function tellArticles(articles: Articles, written: string): Promise<string> {
  const lines = (await readFile(written, 'utf8')).trim().split('\n');
  const replies = lines.map((line) => (JSON.parse(line) as { messages: { content: string }[] }).messages.at(-1)!.content);
  const { known, wrong } = articles.count(replies);
  return `Of ${known} articles in ${replies.length} replies, ${wrong} stand before a word that only the other one has in the corpus ("a innkeeper").`;
}

/** The shipped predictor on conversations with a line, persona, value or pair that no training holds; the baselines read what it was trained on. */
async function judgePredictor(): Promise<string> {
  const held: Conversation[] = [];
  for (const { conversation, heldOut } of generateCorpus({ seed: 79, conversations: 20_000 }))
    if (heldOut && heldOut !== 'draw') held.push(conversation);
  const fitted = repliesOf([...taughtIn({ ...recipes.predictor, conversations: mostFitted / 2 })]);
  const found: Judgements = new Map();
  await judge(
    `models/${models.predictor}`,
    gameCharacters,
    { judged: repliesOf(held), fitted: fitted.slice(0, mostFitted) },
    found,
  );
  return judgementTable([[gameCharacters, found]]);
}

async function writeLines(path: string, conversations: Iterable<Conversation> | AsyncIterable<Conversation>): Promise<void> {
  const lines = async function* () {
    for await (const conversation of conversations) yield `${messagesLine(conversation)}\n`;
  };
  await pipeline(Readable.from(lines()), createWriteStream(path));
}

/** Replies of the steered model at every level of every attribute, as it is served. */
async function* writtenReplies(): AsyncGenerator<Conversation> {
  const { precision } = readConfig({}).engine;
  const model = await openLanguageModel(`models/${models.steered}`, { threads: 2, precision });
  for (const { conversation, attribute, value } of everyLevel(heldOutPrompts(40), model.schema.attributes)) {
    const prompt = model.encode(layOutPrompt(model.schema, conversation, applyAttributes(model.schema, { [attribute]: value })));
    const request = { ...asServed, prompt, seed: seeds[0]!, n: seeds.length };
    for await (const event of model.complete(request, new AbortController().signal)) {
      if (event.kind === 'end') yield withReply(conversation, trimReply(event.text));
    }
  }
  await model.dispose();
}

/** Writes both sections. */
export async function run(): Promise<void> {
  await mkdir(folder, { recursive: true });
  await recordSection(
    'predictor',
    `The shipped predictor on held-out replies of the corpus: rank correlation with the labels the grammar computes, in brackets 95 % intervals when conversations are drawn anew. Length and words are fitted on ${mostFitted} replies of its own training.\n\n${await judgePredictor()}`,
  );
  const [held, taught, written] = ['prompts', 'taught', 'replies'].map((name) => `${folder}/${name}.jsonl`);
  await writePrompts(held!);
  const articles = new Articles();
  await writeLines(taught!, learning(articles, taughtSteered()));
  await writeLines(written!, writtenReplies());
  const out = `${folder}/likelihood`;
  const from = ['--data', held!, '--split', 'all', '--training-data', taught!, '--replies', written!, '--out', out];
  await steer(['evaluate', 'likelihood', '--model', `models/${models.steered}`, '--base', `models/${models.base}`, ...from]);
  const report = await readFile(`${out}/likelihood.md`, 'utf8');
  const told = await tellArticles(articles, written!);
  await recordSection('likelihood', `${told}\n\n${report.replace(/^# .*\n+/, '').replaceAll(/^## /gm, '### ')}`);
}
