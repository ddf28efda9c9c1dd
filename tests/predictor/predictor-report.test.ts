// A predictor's training from its spec to its report: what the report says is what the published predictor finds, and how much of the held-out data is read.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SampleContent } from '../../src/datasets/sample.ts';
import { writeSnapshot } from '../../src/datasets/snapshot.ts';
import { readModelCard } from '../../src/model/model-folder.ts';
import { openPredictor } from '../../src/predictor/open.ts';
import { trainPredictor } from '../../src/predictor/train.ts';
import { mean } from '../../src/statistics.ts';
import { ratedLines, tone } from '../finetuning/workshop.ts';
import { quickSettings } from '../quick-training.ts';
import { writeTinyModel } from '../tiny-model.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steer-predictor-'));
});
afterAll(() => rm(folder, { recursive: true }));

const signal = new AbortController().signal;

function contents(count: number): Extract<SampleContent, { kind: 'conversation' }>[] {
  return ratedLines(count)
    .split('\n')
    .map((line) => {
      const [asked, reply] = JSON.parse(line).messages;
      const turns = [asked, { role: 'assistant' as const, content: reply.content, label: reply.attributes }];
      return { kind: 'conversation', conversation: { system: '', turns } };
    });
}

test('the report is of what the predictor finds in the held-out replies that were read', async () => {
  const base = join(folder, 'base');
  await writeTinyModel(base, { kind: 'base', name: 'base', schema: tone, contextLength: 128 });
  const files = { train: join(folder, 'train.jsonl'), validation: join(folder, 'validation.jsonl') };
  const rated = contents(60);
  await writeSnapshot(files.train, rated.slice(0, 40));
  const heldOut = rated.slice(40);
  await writeSnapshot(files.validation, heldOut);
  const shared = { ...files, name: 'apm', datasets: [], dtype: 'float32' as const, B: 4, T: 64 };
  const make = async (out: string, heldOutReplies: number) => {
    const notes: string[] = [];
    const settings = { ...quickSettings(1), heldOutReplies };
    const spec = { ...shared, out, runFolder: `${out}-run`, base, schema: tone, readingTokens: 64, settings };
    const { report, evalLoss } = await trainPredictor(spec, { onMetrics: () => {}, onNote: (text) => notes.push(text) }, signal);
    return { report: report!, evalLoss, notes: notes.join('\n') };
  };

  const out = join(folder, 'apm');
  const { report, evalLoss, notes } = await make(out, 4096);
  expect(notes).toMatch(/40 rated replies, 20 held out$/m);
  const predictor = await openPredictor(out);
  const scores = await predictor.score(
    heldOut.map(({ conversation }) => conversation),
    signal,
  );
  await predictor.dispose();
  for (const { name } of tone.attributes) {
    const errors = heldOut.map(({ conversation }, i) =>
      Math.abs(conversation.turns.at(-1)!.label![name]! - scores[i]!.attributes[name]!.value),
    );
    expect(report[name]!.n).toBe(20);
    expect(report[name]!.mae).toBeCloseTo(mean(errors), 4);
  }
  expect((await readModelCard(out)).measured).toEqual({ eval_loss: evalLoss, held_out: report });

  const part = await make(join(folder, 'part'), 7);
  expect(part.notes).toMatch(/40 rated replies, 20 held out, 7 of them read$/m);
  expect(part.report.humor!.n).toBe(7);
});
