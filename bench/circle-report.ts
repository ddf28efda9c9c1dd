// What the circle is judged by, on the test files: the predictor beside three baselines, and what asking for 0 or for the top level gives.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ngramPredictions } from '../src/evaluation/predictor/ngram-baseline.ts';
import type { Predictor } from '../src/predictor/predictor.ts';
import { ratedReplies } from '../src/predictor/readings.ts';
import { type RatedPair, reportOn } from '../src/predictor/report.ts';
import { mean } from '../src/statistics.ts';
import { type Attribute, maxLevel } from '../src/steerlm/attributes.ts';
import type { Conversation } from '../src/steerlm/conversation.ts';
import { type CircleData, circleSchema, type TestReply } from './circle-data.ts';
import { table } from './results.ts';

const signal = new AbortController().signal;
const wordsOf = (text: string): number => text.split(/\s+/).filter(Boolean).length;

function repliesOf(conversations: Iterable<Conversation>): TestReply[] {
  return Array.from(conversations).flatMap((whole) =>
    Array.from(ratedReplies({ kind: 'conversation', conversation: whole }), ({ conversation, label }) => ({
      conversation,
      label,
      text: conversation.turns.at(-1)!.content,
    })),
  );
}

function pairsOf(replies: TestReply[], attribute: Attribute, predicted: (i: number) => number): RatedPair[] {
  return replies.flatMap(({ label, text }, i) => {
    const rated = label[attribute.name];
    return rated === undefined ? [] : [{ rated, predicted: predicted(i), words: wordsOf(text) }];
  });
}

/** Per attribute: rank correlation and, for moods, the area under the ROC curve, beside majority, length and n-grams. */
export async function predictorTable(predictor: Predictor, data: CircleData): Promise<string> {
  const train = data.dialogues.train.flatMap((content) =>
    content.kind === 'conversation' ? repliesOf([content.conversation]) : [],
  );
  const test = repliesOf(data.test);
  const scores = await predictor.score(
    test.map(({ conversation }) => conversation),
    signal,
  );
  const rows = circleSchema.attributes.map((attribute) => {
    const { name } = attribute;
    const schema = { ...circleSchema, attributes: [attribute] };
    const rated = train.filter(({ label }) => label[name] !== undefined);
    const grams = ngramPredictions(
      rated.map(({ text, label }) => ({ text, target: label[name]! / maxLevel(attribute) })),
      test.map(({ text }) => text),
    );
    const ours = reportOn(schema, new Map([[name, pairsOf(test, attribute, (i) => scores[i]!.attributes[name]!.value)]]))[name]!;
    const ngram = reportOn(schema, new Map([[name, pairsOf(test, attribute, (i) => grams[i]!)]]))[name]!;
    const figure = (value: number | null) => (value === null ? '–' : value.toFixed(3));
    return [
      name,
      ours.n,
      figure(ours.spearman),
      figure(ours.spearman_length),
      figure(ngram.spearman),
      figure(ours.auc),
      ours.auc === null ? '–' : '0.500',
      figure(ours.auc_length),
      figure(ngram.auc),
    ];
  });
  const head = ['attribute', 'replies', 'Spearman', '· length', '· n-grams', 'AUC', '· majority', '· length', '· n-grams'];
  return `Predictor on the untouched test files (Spearman of a majority answer is 0):\n\n${table(head, rows)}`;
}

interface Reply {
  text: string;
  measured: Record<string, { value: number }>;
}

/** Serves the models folder with the program's own command and asks for both ends of every attribute. */
export async function steeringTable(modelsDir: string, test: Conversation[], prompts: number): Promise<string> {
  const server = spawn(process.execPath, ['bin/steer.js', 'serve'], {
    env: { ...process.env, MODELS_DIR: modelsDir, DATA_DIR: `${modelsDir}/../data`, PORT: '18080', LOG_LEVEL: 'warn' },
    stdio: 'inherit',
  });
  try {
    const url = 'http://127.0.0.1:18080';
    await untilReady(url);
    const chosen = choosePrompts(test, prompts);
    const rows = [];
    for (const attribute of circleSchema.attributes) rows.push(await steerOne(url, chosen, attribute));
    const head = ['attribute', 'measured at 0', 'measured at top', 'words at 0', 'words at top', 'prompts that rose'];
    return `Steering over HTTP, ${chosen.length} test prompts, two seeds, temperature 0.8, other attributes left open, measured by the predictor that labelled:\n\n${table(head, rows)}`;
  } finally {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
}

async function untilReady(url: string): Promise<void> {
  for (let tries = 0; tries < 240; tries++) {
    const ready = await fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error('the server did not become ready within two minutes');
}

/** Openings of test conversations, three turns of context ending with the user's. */
function choosePrompts(test: Conversation[], count: number): Conversation[] {
  const openings = test.flatMap(({ system, turns }) => {
    const end = turns.findIndex((turn, i) => i >= 2 && turn.role === 'user' && turns[i + 1]?.role === 'assistant');
    return end === -1 ? [] : [{ system, turns: turns.slice(0, end + 1) }];
  });
  const stride = Math.max(1, Math.floor(openings.length / count));
  return openings.filter((_, i) => i % stride === 0).slice(0, count);
}

async function steerOne(url: string, prompts: Conversation[], attribute: Attribute): Promise<(string | number)[]> {
  const { name } = attribute;
  const ends: { value: number; words: number }[][] = [[], []];
  for (const prompt of prompts) {
    for (const [end, level] of [0, maxLevel(attribute)].entries()) {
      const replies = await ask(url, prompt, { [name]: level });
      ends[end]!.push({
        value: mean(replies.map(({ measured }) => measured[name]!.value)),
        words: mean(replies.map(({ text }) => wordsOf(text))),
      });
    }
  }
  const [low, high] = ends as [(typeof ends)[number], (typeof ends)[number]];
  const rose = low.filter(({ value }, i) => high[i]!.value > value).length / low.length;
  const average = (end: typeof low, key: 'value' | 'words', digits: number) =>
    mean(end.map((point) => point[key])).toFixed(digits);
  return [
    name,
    average(low, 'value', 2),
    average(high, 'value', 2),
    average(low, 'words', 1),
    average(high, 'words', 1),
    `${(100 * rose).toFixed(0)} %`,
  ];
}

async function ask(url: string, { system, turns }: Conversation, attributes: Record<string, number>): Promise<Reply[]> {
  const open = Object.fromEntries(circleSchema.attributes.map(({ name }) => [name, null]));
  const messages = turns.map(({ role, content }) => ({ role, content }));
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      messages: system === '' ? messages : [{ role: 'system', content: system }, ...messages],
      attributes: { ...open, ...attributes },
      steering: { measure: true },
      temperature: 0.8,
      max_tokens: 96,
      seed: 1,
      n: 2,
    }),
  });
  const body = (await response.json()) as {
    error?: { message: string };
    choices: { message: { content: string }; steering: { measured: Reply['measured'] } }[];
  };
  if (body.error) throw new Error(body.error.message);
  return body.choices.map(({ message, steering }) => ({ text: message.content, measured: steering.measured }));
}
