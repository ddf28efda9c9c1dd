// Rounds of fresh processes for bench/decode and bench/real-speed: every engine with one thread and with two, in turns; its better setting counts.
import type { Engine } from './decode-engines.ts';
import { type Cell, type CellAnswer, decodeSpeed, type EngineRun, prefillSpeed } from './decode-task.ts';
import { exclusive } from './exclusive.ts';
import { median } from './results.ts';

/** Of one engine: tokens/s by cell, by threads, one list a round; and its answers of the first round. */
export interface Measured {
  engine: Engine;
  speeds: Map<number, number[][]>;
  replies: number[][][];
  runs: EngineRun[];
}

/** A file of cells, and what is in it. */
export interface Task {
  path: string;
  cells: Cell[];
}

export interface Plan {
  taskOf(engine: Engine): Task;
  rounds: number;
  threadCounts: number[];
}

function speedsOf(cells: Cell[], answers: CellAnswer[]): number[] {
  return cells.map((cell, i) => (cell.tokens === 1 ? prefillSpeed : decodeSpeed)(cell, answers[i]!));
}

export async function measure(engines: Engine[], { taskOf, rounds, threadCounts }: Plan): Promise<Measured[]> {
  const measured = engines.map((engine): Measured => ({ engine, speeds: new Map(), replies: [], runs: [] }));
  for (let round = 0; round < rounds; round++) {
    const turns = measured.flatMap((one) => promising(one, threadCounts).map((threads) => ({ one, threads })));
    for (const { one, threads } of round % 2 === 0 ? turns : turns.toReversed()) {
      const { path, cells } = taskOf(one.engine);
      const label = `${one.engine.name} ${one.engine.precision}, ${threads} threads`;
      try {
        const run = await exclusive(() => one.engine.write(path, threads));
        const speeds = speedsOf(cells, run.answers);
        if (one.replies.length === 0) one.replies = run.answers.map(({ replies }) => replies);
        one.runs.push(run);
        one.speeds.set(threads, [...(one.speeds.get(threads) ?? []), speeds]);
        process.stdout.write(`${round + 1}/${rounds} ${label}: ${speeds.map((speed) => speed.toFixed(0)).join(' ')}\n`);
      } catch (error) {
        process.stdout.write(`${round + 1}/${rounds} ${label}: failed, ${(error as Error).message.split('\n')[0]}\n`);
      }
    }
  }
  return measured.filter(({ speeds }) => speeds.size > 0);
}

/** Far more than rounds differ by on a machine at rest. */
const hopeless = 0.75;

/** Thread settings that may still be the better ones for some cell: after two rounds the others only take time. */
function promising({ speeds }: Measured, threadCounts: number[]): number[] {
  if (threadCounts.some((threads) => (speeds.get(threads)?.length ?? 0) < 2)) return threadCounts;
  const most = (threads: number, cell: number) => Math.max(...speeds.get(threads)!.map((round) => round[cell]!));
  const cells = [...speeds.values()][0]![0]!.map((_, cell) => cell);
  const kept = threadCounts.filter((threads) =>
    cells.some((cell) => threadCounts.every((other) => most(threads, cell) >= hopeless * most(other, cell))),
  );
  return kept;
}

export interface Best {
  threads: number;
  /** Of each round. */
  rounds: number[];
  speed: number;
}

/** The speed of a cell at the better thread setting. */
export function best({ speeds }: Measured, cell: number): Best {
  const all = [...speeds].map(([threads, rounds]) => {
    const ofCell = rounds.map((round) => round[cell]!);
    return { threads, rounds: ofCell, speed: median(ofCell) };
  });
  return all.reduce((a, b) => (b.speed > a.speed ? b : a));
}

/** Median over the rounds. */
export function ratio(ours: Best, theirs: Best): string {
  return median(ours.rounds.map((speed, i) => speed / (theirs.rounds[i] ?? theirs.speed))).toFixed(2);
}

/** tokens/s (threads) */
export const shown = ({ speed, threads }: Best) => `${speed.toFixed(0)} (${threads})`;
