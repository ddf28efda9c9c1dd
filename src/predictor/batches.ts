// Micro-batches for training a predictor: several readings packed into each row, their last tokens and their target distributions.

import { randomStream, shuffledOrder } from '../random.ts';
import type { AttributeSchema, Label } from '../steerlm/attributes.ts';
import { int64 } from '../tensor/int64.ts';
import type { BatchSource, MicroBatch } from '../training/batches.ts';
import { placeSequences } from '../training/packing.ts';
import { writeGoals } from './distribution.ts';
import { levelCounts } from './graph.ts';

export interface RatedReading {
  ids: readonly number[];
  label: Label;
}

interface Placed<Reading extends RatedReading> {
  reading: Reading;
  column: number;
}

export interface RatedBatches<Reading> extends BatchSource {
  /** Readings of micro-batch `index` of the first epoch, by their places. */
  readingsOf(index: number): Reading[];
}

/** Most readings a micro-batch of B rows may hold; the graph has this many places, unused ones weigh nothing. */
export function readingPlaces(readings: readonly RatedReading[], B: number, T: number): number {
  const mean = readings.reduce((total, { ids }) => total + ids.length, 0) / Math.max(1, readings.length);
  return Math.max(B, Math.ceil((1.25 * B * T) / Math.max(1, mean)));
}

/** Rows are packed anew each epoch from a fresh order of the readings; none is longer than T. */
export function ratedBatches<Reading extends RatedReading>(
  readings: readonly Reading[],
  schema: AttributeSchema,
  { B, T, R, seed, shuffle = true }: { B: number; T: number; R: number; seed: number; shuffle?: boolean },
): RatedBatches<Reading> {
  let held: { epoch: number; batches: Placed<Reading>[][][] } | undefined;
  const load = (epoch: number): Placed<Reading>[][][] => {
    if (held?.epoch === epoch) return held.batches;
    const order = shuffle ? shuffledOrder(readings.length, randomStream(seed, 'readings', epoch)) : readings.map((_, i) => i);
    const ordered = Array.from(order, (i) => readings[i]!);
    held = { epoch, batches: groupRows(packRows(ordered, T), B, R) };
    return held.batches;
  };
  return {
    size: (epoch) => load(epoch).length,
    fetch: (epoch, index) => feedsOf(load(epoch)[index]!, schema, B, T, R),
    readingsOf: (index) =>
      load(0)
        [index]!.flat()
        .map(({ reading }) => reading),
  };
}

function packRows<Reading extends RatedReading>(readings: Reading[], T: number): Placed<Reading>[][] {
  const { rows, places } = placeSequences(
    readings.map(({ ids }) => ids.length),
    T,
  );
  const packed: Placed<Reading>[][] = Array.from({ length: rows }, () => []);
  places.forEach(({ row, column }, i) => {
    packed[row]!.push({ reading: readings[i]!, column });
  });
  return packed;
}

/** B rows a micro-batch, fewer when their readings would not find R places. */
function groupRows<Reading extends RatedReading>(rows: Placed<Reading>[][], B: number, R: number): Placed<Reading>[][][] {
  const groups: Placed<Reading>[][][] = [];
  let used = 0;
  for (const row of rows.flatMap((whole) => splitRow(whole, R))) {
    const group = groups.at(-1);
    if (!group || group.length === B || used + row.length > R) {
      groups.push([row]);
      used = row.length;
    } else {
      group.push(row);
      used += row.length;
    }
  }
  return groups;
}

function splitRow<Reading extends RatedReading>(row: Placed<Reading>[], R: number): Placed<Reading>[][] {
  return Array.from({ length: Math.ceil(row.length / R) }, (_, i) => row.slice(i * R, (i + 1) * R));
}

function feedsOf(rows: Placed<RatedReading>[][], schema: AttributeSchema, B: number, T: number, R: number): MicroBatch {
  const L = levelCounts(schema).reduce((a, b) => a + b, 0);
  const ids = new Int32Array(B * T);
  const segments = new Int32Array(B * T);
  const ends = new Int32Array(R);
  const goals = new Float32Array(R * L);
  let weight = 0;
  let tokens = 0;
  let next = 0;
  rows.forEach((row, i) => {
    row.forEach(({ reading, column }, j) => {
      const start = i * T + column;
      ids.set(reading.ids, start);
      segments.fill(j + 1, start, start + reading.ids.length);
      ends[next] = start + reading.ids.length - 1;
      weight += writeGoals(goals, next * L, schema, reading.label);
      tokens += reading.ids.length;
      next++;
    });
  });
  const feeds = {
    ids: int64(ids, [B, T]),
    segments: int64(segments, [B, T]),
    ends: int64(ends, [R]),
    goals: { data: goals, shape: [R, L] },
  };
  return { feeds, weight, tokens };
}
