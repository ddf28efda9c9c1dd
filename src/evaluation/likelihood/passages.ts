// Which counted tokens of which sequences are scored in one run: neighbours in length together, within bounds of what a run reads and holds.
import type { Sequence } from '../../training/packing.ts';

/** Counted tokens of a sequence that are scored together: all of them, unless they are too many for one run. */
export interface Passage {
  /** Which sequence. */
  sequence: number;
  /** Tokens of the sequence, padding not included. */
  length: number;
  /** Their places in it, in order. */
  counted: number[];
}

/** Tokens of one run, padding included: as many as the predictor reads at once. */
const tokensPerRun = 1024;
/** Scores of the vocabulary one run may hold, 128 MiB. */
const scoresPerRun = 2 ** 25;

/** Passages in the order of the sequences; one without a counted token has none. */
export function passagesOf(sequences: readonly Sequence[], vocabSize: number): Passage[] {
  const most = Math.max(1, Math.floor(scoresPerRun / vocabSize));
  return sequences.flatMap(({ ids, weights }, sequence) => {
    const counted: number[] = [];
    for (let at = 1; at < ids.length; at++) if (weights[at] !== 0) counted.push(at);
    return Array.from({ length: Math.ceil(counted.length / most) }, (_, part) => ({
      sequence,
      length: ids.length,
      counted: counted.slice(part * most, (part + 1) * most),
    }));
  });
}

/** The passages of each run, shortest sequences first; a sequence longer than a run has one to itself. */
export function runsOf<Part extends Passage>(passages: readonly Part[], vocabSize: number): Part[][] {
  const runs: Part[][] = [];
  let scores = 0;
  for (const passage of passages.toSorted((a, b) => a.length - b.length || a.sequence - b.sequence)) {
    const run = runs.at(-1);
    const own = passage.counted.length * vocabSize;
    if (run && (run.length + 1) * passage.length <= tokensPerRun && scores + own <= scoresPerRun) {
      run.push(passage);
      scores += own;
    } else {
      runs.push([passage]);
      scores = own;
    }
  }
  return runs;
}
