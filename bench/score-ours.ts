// One process of bench/score and bench/real-speed: conversations per second of our scorer on a file of token ids and a predictor or a shape.
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { parseShape } from '../src/model/config-json.ts';
import { initialWeights } from '../src/model/initial-weights.ts';
import { headShapes } from '../src/predictor/graph.ts';
import { openScorer } from '../src/predictor/scorer.ts';
import { helpSteer } from '../src/steerlm/schemas.ts';
import { median } from './results.ts';

interface Task {
  /** Of a predictor; a shape with random weights otherwise. */
  folder?: string;
  shape: object;
  conversations: number[][];
}

const [path, seconds] = process.argv.slice(2) as [string, string];
const { folder, shape: config, conversations } = JSON.parse(await readFile(path, 'utf8')) as Task;

/** What the scorer opens where no folder is named. */
function randomPredictor() {
  const shape = parseShape(config, path);
  return { shape, values: new Map(initialWeights(shape, 1, headShapes(helpSteer, shape))) };
}

const scorer = await openScorer(folder ?? randomPredictor(), helpSteer, 2);
await scorer.score(conversations);
const times: number[] = [];
const end = performance.now() + 1000 * Number(seconds);
do {
  const started = performance.now();
  await scorer.score(conversations);
  times.push((performance.now() - started) / 1000);
} while (performance.now() < end);
await scorer.dispose();
const tokens = conversations.reduce((total, { length }) => total + length, 0);
process.stdout.write(
  `${JSON.stringify({ conversations_per_s: conversations.length / median(times), tokens_per_s: tokens / median(times) })}\n`,
);
