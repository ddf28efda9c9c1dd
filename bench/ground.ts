// What tells text that is unlike a predictor's training? Candidates beside each other on the shipped predictor's ground and on ordinary English, then
// what the shipped predictor says of both, and what one trained on people's dialogues would say.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { generateCorpus } from '../models/corpus/grammar.ts';
import { taughtReplies } from '../models/ground.ts';
import { models } from '../models/recipes.ts';
import { countUnseen, groundReader, readGround, runsOf } from '../src/model/ground.ts';
import { learnGround } from '../src/predictor/learn-ground.ts';
import { areaUnderCurve, quantile } from '../src/statistics.ts';
import { plainSentences } from './plain-sentences.ts';
import { recordSection, table } from './results.ts';

type Texts = Record<string, string[]>;
const shared = '../shared/data';
/** Words of a reply, lowest and highest; one or two say nothing. */
const bands = [
  [3, 4],
  [5, 8],
  [9, 16],
  [17, 32],
  [33, Number.POSITIVE_INFINITY],
] as const;
const falseAlarms = 0.01;
const fewest = 5;

const wordsOf = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
const within = (texts: readonly string[], [low, high]: (typeof bands)[number]) =>
  texts.filter((text) => {
    const { words } = runsOf(text);
    return words >= low && words <= high;
  });

/** Fresh lines of the grammar: as training draws them, and those with a persona, line, pair or value that no training holds. */
function groundTexts(): Texts {
  const texts: Texts = { 'fresh lines': [], 'fresh, held-out parts': [] };
  for (const { conversation, split } of generateCorpus({ seed: 79, conversations: 10_000 })) {
    const into = texts[split === 'train' ? 'fresh lines' : 'fresh, held-out parts']!;
    for (const { role, content } of conversation.turns) if (role === 'assistant') into.push(content);
  }
  return texts;
}

const json = async (path: string) => JSON.parse(await readFile(`${shared}/${path}`, 'utf8'));

interface Tree {
  text: string;
  role: string;
  replies?: Tree[];
}
const repliesBelow = ({ text, role, replies = [] }: Tree): string[] => [
  ...(role === 'assistant' ? [text] : []),
  ...replies.flatMap(repliesBelow),
];

async function unzipped(path: string): Promise<string[]> {
  return (await promisify(gunzip)(await readFile(`${shared}/ratings/${path}`))).toString('utf8').trim().split('\n');
}

/** Ordinary English; without the shared data the plain sentences alone. */
async function ordinaryTexts(): Promise<Texts> {
  if (!existsSync(shared)) {
    process.stdout.write(`Found no ${shared}: plain sentences alone are compared with. See bench/README.md.\n`);
    return { 'plain sentences': plainSentences };
  }
  const dices = [
    ...(await json('dices/dices_990.json')).instances,
    ...(await json('dices/dices_350_crowdsourced.json')).instances,
  ];
  const trees = (await readFile(`${shared}/oasst/en_100_tree.jsonl`, 'utf8')).trim().split('\n');
  const questions = (await unzipped('personality-chat/witty.tsv.gz')).slice(1).map((line) => line.split('\t')[0]!);
  return {
    'plain sentences': plainSentences,
    'chatbot replies (DICES)': dices.map(({ instance }) => instance.response),
    'comments (GoEmotions)': (await unzipped('goemotions/test.tsv.gz')).map((line) => line.split('\t')[0]!),
    'questions to a bot (Personality Chat)': [...new Set(questions)],
    'assistant replies (OpenAssistant)': trees.flatMap((line) => repliesBelow(JSON.parse(line).prompt)),
  };
}

/** Each a figure that is higher for text unlike the training. */
function candidates(training: readonly string[]): Record<string, (text: string) => number> {
  const counts = new Map<string, number>();
  let total = 0;
  for (const word of training.flatMap(wordsOf)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    total++;
  }
  const meanOf = (text: string, figure: (word: string) => number) => {
    const words = wordsOf(text);
    return words.reduce((sum, word) => sum + figure(word), 0) / Math.max(1, words.length);
  };
  const { filter, hashes } = learnGround(training, training.slice(0, 200))!;
  const read = { filter: new Uint8Array(Buffer.from(filter, 'base64')), hashes };
  return {
    'share of words not in training': (text) => meanOf(text, (word) => (counts.has(word) ? 0 : 1)),
    'mean surprise of words': (text) => meanOf(text, (word) => -Math.log(((counts.get(word) ?? 0) + 1) / (total + counts.size))),
    'share of runs of two and three words': (text) => {
      const found = countUnseen(text, read);
      return found ? found.unseen / found.runs : 0;
    },
  };
}

/** ROC area, and the share of ordinary texts above what one in a hundred of the ground's is above, by length. */
function compare(ground: readonly string[], ordinary: readonly string[], training: readonly string[]): string[][] {
  return Object.entries(candidates(training)).map(([name, figure]) => [
    name,
    ...bands.map((band) => {
      const [own, others] = [within(ground, band).map(figure), within(ordinary, band).map(figure)];
      const limit = quantile(own, 1 - falseAlarms);
      const area = areaUnderCurve([...own.map(() => 0), ...others.map(() => 1)], [...own, ...others]);
      return `${area.toFixed(3)} · ${percent(others, (value) => value > limit)}`;
    }),
  ]);
}

function percent<T>(values: readonly T[], holds: (value: T) => boolean): string {
  return values.length < fewest ? '–' : `${((100 * values.filter(holds).length) / values.length).toFixed(1)} %`;
}

/** A row for each set: how many of its texts are told to be unlike, by length. */
function toldRows(texts: Texts, groundOf: ReturnType<typeof groundReader>): string[][] {
  return Object.entries(texts).map(([name, all]) => [
    name,
    ...bands.map((band) => {
      const some = within(all, band);
      return some.length < fewest ? '–' : `${percent(some, (text) => groundOf(text)?.unlike === true)} of ${some.length}`;
    }),
  ]);
}

/** As if a predictor were trained on the replies of two files of Topical-Chat, with a thousand others held out. */
async function onDialogues(others: Texts): Promise<string[][]> {
  const read = async (name: string) => {
    const conversations: { content: { message: string }[] }[] = Object.values(await json(`topical-chat/${name}.json`));
    return conversations.flatMap(({ content }) => content.map(({ message }) => message));
  };
  const training = [...(await read('valid_freq')), ...(await read('valid_rare'))];
  const record = learnGround(training, (await read('test_rare')).slice(0, 1000))!;
  return toldRows({ 'other dialogues (Topical-Chat)': await read('test_freq'), ...others }, groundReader(record));
}

/** Writes the section. */
export async function run(): Promise<void> {
  const own = groundTexts();
  const ordinary = await ordinaryTexts();
  const head = [
    '',
    ...bands.map(([low, high]) => (high === Number.POSITIVE_INFINITY ? `${low} words or more` : `${low} to ${high}`)),
  ];
  const compared = compare(Object.values(own).flat(), Object.values(ordinary).flat(), taughtReplies().training);
  const record = (await readGround(`models/${models.predictor}`))!;
  const parts = [
    'Replies by their length in words. Nothing here says how good the ratings are; it says whether text is like what the predictor was trained on.',
    `Candidates, learnt from the replies of the shipped predictor's training: ROC area between fresh lines of its grammar and ordinary English, and the share of the ordinary that is told where one fresh line in a hundred of that length is told too.\n\n${table(head, compared)}`,
    `As shipped, the last one with one limit for all lengths, set by ${record.held_out} held-out replies: the share that is told to be unlike the training. Of the fresh lines that is a false alarm.\n\n${table(head, toldRows({ ...own, ...ordinary }, groundReader(record)))}`,
  ];
  if (existsSync(`${shared}/topical-chat`)) {
    const told = await onDialogues({ 'lines of the grammar': own['fresh lines']!.slice(0, 2000), ...ordinary });
    parts.push(
      `The same learnt from people's dialogues (23,373 turns of Topical-Chat, 1,000 others held out). Other plain English is much like them, and short text is seldom told.\n\n${table(head, told)}`,
    );
  }
  await recordSection('ground', parts.join('\n\n'));
}
