// Scoring calls of several callers: each gets what it gets alone, and nobody waits for the long call of somebody else.
import { expect, it } from 'vitest';
import { headShapes } from '../../src/predictor/graph.ts';
import type { Scorer, ScoringRun } from '../../src/predictor/scorer.ts';
import { openScorer } from '../../src/predictor/scorer.ts';
import { ScoringQueue } from '../../src/predictor/scoring-queue.ts';
import { randomStream } from '../../src/random.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import { readGolden } from '../engine/models.ts';

const never = new AbortController().signal;

async function open(): Promise<Scorer> {
  const { shape, values } = await readGolden('gqa');
  const random = randomStream('head');
  for (const [name, dims] of headShapes(gameCharacters, shape)) {
    values.set(
      name,
      Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random() - 0.5),
    );
  }
  return await openScorer({ shape, values }, gameCharacters, 1);
}

/** A queue that notes the place in `asked` of whoever each run belongs to. */
function watched(scorer: Scorer, onRun: (run: ScoringRun) => void = () => {}) {
  return new ScoringQueue({
    runsOf: scorer.runsOf,
    compute(run) {
      onRun(run);
      return scorer.compute(run);
    },
  });
}

const texts = (count: number, length: number, from = 0) =>
  Array.from({ length: count }, (_, i) => Array.from({ length: length + (i % 3) }, (_, at) => (from + i + 3 * at) % 60));

it('callers take turns run by run, and every answer is the one the call gets alone', async () => {
  const scorer = await open();
  const runs: number[] = [];
  const queue = watched(scorer, ({ sequences }) => void runs.push(sequences[0]!.length));
  const ended: string[] = [];
  const ask = async (name: string, caller: string, sequences: number[][]) => {
    const found = await queue.score({ caller, sequences }, never);
    ended.push(name);
    expect(found).toEqual(await scorer.score(sequences));
  };
  await Promise.all([
    ask('long', 'one', texts(60, 200)),
    ask('longer', 'one', texts(60, 240, 7)),
    ask('short', 'two', texts(2, 20, 5)),
    ask('nothing', 'three', []),
  ]);
  expect(ended).toEqual(['nothing', 'short', 'long', 'longer']);
  expect(runs.findIndex((length) => length < 100)).toBeLessThan(3);
  await scorer.dispose();
});

it('a call has begun when the first of its runs is next, and is told so once', async () => {
  const scorer = await open();
  const heard: string[] = [];
  const queue = watched(scorer, () => void heard.push('run'));
  const ask = (name: string, sequences: number[][]) => {
    return queue.score({ caller: 'one', sequences }, never, () => void heard.push(name));
  };
  await Promise.all([ask('first', texts(12, 200)), ask('second', texts(1, 20)), ask('nothing', [])]);
  const runs = heard.filter((word) => word === 'run').length;
  expect(runs).toBeGreaterThan(2);
  expect(heard).toEqual(['first', ...Array(runs - 1).fill('run'), 'second', 'run']);
  await scorer.dispose();
});

it('a call that is aborted takes no further run, and one that fails fails alone', async () => {
  const scorer = await open();
  const controller = new AbortController();
  let runs = 0;
  const queue = watched(scorer, ({ sequences }) => {
    if (++runs === 2) controller.abort();
    if (sequences[0]!.length === 30) throw new Error('out of luck');
  });
  const leaving = queue.score({ caller: 'one', sequences: texts(60, 200) }, controller.signal);
  await expect(leaving).rejects.toMatchObject({ code: 'cancelled' });
  expect(runs).toBe(2);
  const failing = queue.score({ caller: 'one', sequences: texts(1, 30) }, never);
  const other = queue.score({ caller: 'two', sequences: texts(1, 20) }, never);
  await expect(failing).rejects.toThrow('out of luck');
  expect(await other).toHaveLength(1);
  await scorer.dispose();
});
