// Labels a file without a database: any format in, NeMo records out, with the predictor's floats beside the levels its trainer reads.
import { open, rename, rm } from 'node:fs/promises';
import { withRecord } from '../datasets/export.ts';
import { nemo } from '../datasets/formats/nemo.ts';
import type { FormatName } from '../datasets/formats/table.ts';
import { writeJson } from '../datasets/numerals.ts';
import { readSamples } from '../datasets/read.ts';
import type { Sample } from '../datasets/sample.ts';
import { SteerError } from '../errors.ts';
import { onOneLine } from '../json-line.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { repliesOf } from '../predictor/readings.ts';
import type { Label } from '../steerlm/attributes.ts';
import { rounded } from './table.ts';

/** Samples rated together. */
const batchSamples = 64;

/** Writes `output` whole or not at all. Throws what reading throws, or `cancelled`. */
export async function labelFile(
  predictor: Predictor,
  input: string,
  output: string,
  format: FormatName | undefined,
  signal: AbortSignal,
): Promise<{ samples: number; rated: number; unlike: number }> {
  const unfinished = `${output}.part`;
  const file = await open(unfinished, 'w').catch((cause) => {
    throw new SteerError('invalid_request', `Cannot write ${output} (${cause.code ?? cause.message}).`, { cause });
  });
  const counts = { samples: 0, rated: 0, unlike: 0 };
  try {
    let batch: Sample[] = [];
    const write = async () => {
      const labelled = await labelBatch(predictor, batch, signal);
      await file.write(labelled.lines.join(''));
      counts.samples += batch.length;
      counts.rated += labelled.rated;
      counts.unlike += labelled.unlike;
      batch = [];
    };
    for await (const sample of readSamples(input, { format })) {
      batch.push(sample);
      if (batch.length >= batchSamples) await write();
    }
    await write();
    await file.close();
    await rename(unfinished, output);
    return counts;
  } catch (error) {
    await file.close().catch(() => {});
    await rm(unfinished, { force: true });
    throw error;
  }
}

async function labelBatch(
  predictor: Predictor,
  batch: Sample[],
  signal: AbortSignal,
): Promise<{ lines: string[]; rated: number; unlike: number }> {
  const replies = batch.flatMap((sample) => [...repliesOf(sample.content)].map((reply) => ({ sample, ...reply })));
  const conversations = replies.map(({ conversation }) => conversation);
  const scores = replies.length > 0 ? await predictor.score(conversations, signal) : [];
  const labels = new Map<Sample, Map<number, Label>>(batch.map((sample) => [sample, new Map()]));
  replies.forEach(({ sample, turn }, i) => {
    const values = Object.entries(scores[i]!.attributes).map(([name, { value }]) => [name, rounded(value)]);
    labels.get(sample)!.set(turn, Object.fromEntries(values));
  });
  return {
    lines: batch.map((sample) => `${onOneLine(writeJson(toRecord(predictor, sample, labels.get(sample)!)))}\n`),
    rated: replies.length,
    unlike: scores.filter(({ ground }) => ground?.unlike).length,
  };
}

/** The NeMo record of a sample under new labels, each rated turn with the floats in `values`. */
function toRecord({ schema }: Predictor, sample: Sample, labels: Map<number, Label>): Record<string, unknown> {
  if (sample.content.kind === 'text') throw new SteerError('invalid_dataset', 'Expected conversations, found plain text.');
  const { system, turns } = sample.content.conversation;
  const labelled = turns.map(({ label: _, ...turn }, i) => (labels.has(i) ? { ...turn, label: labels.get(i)! } : turn));
  const content = { kind: 'conversation' as const, conversation: { system, turns: labelled } };
  const [record] = nemo.render!({ ...sample, content }, schema);
  const conversations = record!.conversations as object[];
  return {
    ...withRecord(sample, record!, 'nemo'),
    conversations: conversations.map((turn, i) => (labels.has(i) ? { ...turn, values: labels.get(i) } : turn)),
  };
}
