// A predictor on the real base: conversations a second of 60 and of 400 tokens, beside PyTorch and the engines that write.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readShape } from '../../src/model/model-folder.ts';
import { Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { randomStream } from '../../src/random.ts';
import { helpSteer } from '../../src/steerlm/schemas.ts';
import { textIds } from '../decode-task.ts';
import { exclusive } from '../exclusive.ts';
import { hasPythonPeer, peersInstalled, runOurs, runPeer } from '../peer.ts';
import { median, table } from '../results.ts';
import { huggingFaceForm, predictorForm, type RealModel } from './model.ts';
import type { Extent } from './parts.ts';

/** Tokens of a conversation and how many are scored: a pass takes seconds. */
const loads = [
  { tokens: 60, count: 48 },
  { tokens: 400, count: 12 },
] as const;
/** Sizes of a batch that peers try; the best one counts. Ours chooses its own. */
const batches = ['1', '4', '12'];

interface Answer {
  conversations_per_s: number;
  batch?: number;
}

interface Rival {
  name: string;
  score(task: string, seconds: number, batch?: number): Promise<Answer>;
  /** What the ratio is to reach; told alone where absent. */
  reach?: string;
}

/** Two threads each: one is never better where whole conversations are read. */
const pythonRival = (name: string, script: string, more: string[], reach?: string): Rival => ({
  name,
  score: (task, seconds, batch) => {
    const sizes = batch === undefined ? batches : [`${batch}`];
    return runPeer<Answer>(script, [task, '--threads', '2', '--seconds', `${seconds}`, ...more, '--batches', ...sizes]);
  },
  ...(reach === undefined ? {} : { reach }),
});

async function rivals(): Promise<Rival[]> {
  const ours: Rival = { name: 'ours', score: (task, seconds) => runOurs<Answer>('score-ours', [task, `${seconds}`]) };
  if (!peersInstalled()) return [ours];
  const found = [
    pythonRival('PyTorch float32', 'score.py', ['--dtype', 'float32'], '1.2 ×'),
    pythonRival('PyTorch bfloat16', 'score.py', ['--dtype', 'bfloat16'], '1.2 ×'),
  ];
  if (await hasPythonPeer('onnxruntime_genai')) {
    for (const type of ['int4', 'int8']) {
      found.push(pythonRival(`onnxruntime-genai's graph, ${type}`, 'score_genai.py', ['--precision', type], '1 ×'));
    }
  }
  if (await hasPythonPeer('ctranslate2'))
    found.push(pythonRival('ctranslate2 int8, one token written', 'score_ctranslate2.py', []));
  return [ours, ...found];
}

async function writeTask(model: RealModel, tokens: number, count: number): Promise<string> {
  const ids = textIds(await Tokenizer.open(model.folder));
  const random = randomStream('real scoring', tokens);
  const hf = await huggingFaceForm(model);
  const config = JSON.parse(await readFile(join(hf, 'config.json'), 'utf8')) as object;
  const conversations = Array.from({ length: count }, () =>
    Array.from({ length: tokens }, () => ids[Math.floor(random() * ids.length)]!),
  );
  const levels = helpSteer.attributes.map((attribute) => attribute.levels.length);
  const path = join(model.made, `scoring-${tokens}.json`);
  const task = { folder: await predictorForm(model), model: hf, shape: { ...config, levels }, conversations };
  await writeFile(path, JSON.stringify(task));
  return path;
}

export async function scoringPart(model: RealModel, { quick, rounds }: Extent): Promise<string> {
  const seconds = quick ? 0 : 2;
  const all = await rivals();
  const speeds = new Map<string, number[]>();
  const tasks = new Map<number, string>();
  for (const { tokens, count } of loads) tasks.set(tokens, await writeTask(model, tokens, count));
  const sizes = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    for (const { tokens } of loads) {
      for (const { name, score } of round % 2 === 0 ? all : all.toReversed()) {
        const key = `${name} ${tokens}`;
        try {
          const answer = await exclusive(() => score(tasks.get(tokens)!, seconds, sizes.get(key)));
          speeds.set(key, [...(speeds.get(key) ?? []), answer.conversations_per_s]);
          if (answer.batch !== undefined) sizes.set(key, answer.batch);
          process.stdout.write(`${round + 1}/${rounds} ${key}: ${answer.conversations_per_s.toFixed(2)}\n`);
        } catch (error) {
          process.stdout.write(`${round + 1}/${rounds} ${key}: failed, ${(error as Error).message.trim().split('\n').at(-1)}\n`);
        }
      }
    }
  }
  const { layers, hiddenSize } = await readShape(model.folder);
  const intro = `A predictor of ${layers} layers of ${hiddenSize} with a head of noise, ours as a predictor is opened by default; ${rounds} rounds of fresh processes in turns, medians, two threads. Conversations of random tokens; peers in the best of batches of ${batches.join(', ')}.`;
  return `${intro}\n\n${scoringTable(all, speeds)}`;
}

function scoringTable(all: Rival[], speeds: Map<string, number[]>): string {
  const cells = (name: string) =>
    loads.flatMap(({ tokens }) => {
      const [own, ours] = [speeds.get(`${name} ${tokens}`), speeds.get(`ours ${tokens}`)];
      if (!own || !ours) return ['–', '–'];
      const ratio = median(ours.map((speed, i) => speed / (own[i] ?? median(own))));
      return [median(own).toFixed(2), name === 'ours' ? '' : `ours is ${ratio.toFixed(2)} ×`];
    });
  const rows = all.map(({ name, reach }) => [name, ...cells(name), name === 'ours' ? '' : (reach ?? 'told')]);
  return table(['conversations/s', ...loads.flatMap(({ tokens }) => [`${tokens} tokens`, '']), 'reach'], rows);
}
