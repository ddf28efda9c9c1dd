// Does the predictor recipe beat what the length and the words of a reply tell, on ratings of real people? Topical-Chat: quality and moods, on test
// files no training saw. DICES: how many people find a chatbot's reply unsafe, each reply judged by a predictor that saw neither it nor another reply
// to its prompt. Base and predictor of the circle are taken where `npm run bench -- circle --keep` left them, and made where it did not.
import { existsSync } from 'node:fs';
import { trainPredictor } from '../src/predictor/train.ts';
import type { AttributeSchema } from '../src/steerlm/attributes.ts';
import { out as circle, full, learnToRate, listener, pretrain, settings, snapshots } from './circle.ts';
import { circleSchema, loadCircleData } from './circle-data.ts';
import { type Rated, readUnsafe, unsafeSchema } from './dices.ts';
import { asRated, type Judgements, judge, judgementTable, repliesOf } from './predictor-table.ts';
import { recordSection } from './results.ts';

const folds = 5;
/** Passes over a thousand replies, as many as are needed to learn anything from so few. */
const epochs = 4;
const readingTokens = 256;
const never = new AbortController().signal;

async function judgeTalk(): Promise<Judgements | null> {
  const data = await loadCircleData(1);
  if (!data) return null;
  if (!existsSync(`${circle}/base/steerlm.json`)) await pretrain(data, full);
  const predictor = `${circle}/models/predictor`;
  if (!existsSync(`${predictor}/steerlm.json`)) await learnToRate(data, full);
  const trained = data.dialogues.train.flatMap((sample) => (sample.kind === 'conversation' ? [sample.conversation] : []));
  const found: Judgements = new Map();
  await judge(predictor, circleSchema, { judged: repliesOf(data.test), fitted: repliesOf(trained) }, found);
  return found;
}

/** Trained on all folds but one, from the circle's base model. */
async function makeUnsafe(fold: number, rated: readonly Rated[]): Promise<string> {
  const name = `unsafe-${fold}`;
  const predictor = `${circle}/models/${name}`;
  if (existsSync(`${predictor}/steerlm.json`)) return predictor;
  const files = await snapshots(name, {
    train: rated.filter((each) => each.fold !== fold).map(({ conversation }) => ({ kind: 'conversation', conversation })),
    validation: [],
  });
  const rest = { readingTokens, T: readingTokens, schema: unsafeSchema, settings: settings(epochs, 5e-4) };
  await trainPredictor({ ...files, ...rest, name, base: `${circle}/base`, out: predictor }, listener(name), never);
  return predictor;
}

async function judgeUnsafe(rated: readonly Rated[]): Promise<Judgements> {
  const asReply = ({ conversation, group }: Rated) => asRated(conversation, conversation.turns.at(-1)!.label!, group);
  const found: Judgements = new Map();
  for (let fold = 0; fold < folds; fold++) {
    const [judged, fitted] = [true, false].map((own) => rated.filter((each) => (each.fold === fold) === own).map(asReply));
    await judge(await makeUnsafe(fold, rated), unsafeSchema, { judged: judged!, fitted: fitted! }, found);
  }
  return found;
}

/** Writes one row for each attribute of either set. */
export async function run(): Promise<void> {
  const unsafe = await readUnsafe(folds);
  const talk = unsafe && (await judgeTalk());
  if (!unsafe || !talk) return;
  const found: [AttributeSchema, Judgements][] = [
    [circleSchema, talk],
    [unsafeSchema, await judgeUnsafe(unsafe)],
  ];
  await recordSection(
    'ratings',
    `Rank correlation (Spearman) with what people said, in brackets 95 % intervals when conversations are drawn anew; a mean rating for everything ranks nothing. Length: a line over the number of words. Words: logistic regression on hashed one- and two-grams. Both are fitted on the replies the predictor was trained on. Topical-Chat: its test files; verbosity is counted from the text, so length is its own answer there. Unsafety: DICES-990 and DICES-350, ${folds} folds by prompt, everybody's answers as one mean.\n\n${judgementTable(found)}`,
  );
}
