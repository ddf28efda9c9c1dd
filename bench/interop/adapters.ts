// LoRA adapters in PEFT's layout: those PEFT wrote, merged here, and those written here, applied by PEFT: how far apart the scores are.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mergePeft } from '../../src/model/formats/peft.ts';
import { readModel, withControlTokens, writeModel } from '../../src/model/model.ts';
import type { Model } from '../../src/model/whole-model.ts';
import { giveTokenizer, ourShapes, randomAdapter, randomIds, writeOurs } from '../../tests/model/random-models.ts';
import { furthest, scoresOf } from '../../tests/model/scores.ts';
import { runPeer } from '../peer.ts';
import { table } from '../results.ts';
import { mostApart } from './models.ts';

interface Theirs {
  name: string;
  folder: string;
  ids: number[];
  scores: number[][];
}

async function theirsMerged(base: string, scratch: string): Promise<(string | number)[][]> {
  const model = await readModel(base);
  const rows: (string | number)[][] = [];
  for (const { name, folder, ids, scores } of await runPeer<Theirs[]>('../interop/adapters.py', ['write', base, scratch])) {
    rows.push([name, 'PEFT', 'here', furthest(await scoresOf(await mergePeft(model, folder), ids), scores)]);
  }
  return rows;
}

/** Over the base as it is, and over one whose vocabulary grew by the control tokens. */
async function oursApplied(base: string, scratch: string): Promise<(string | number)[][]> {
  const plain = await readModel(base);
  const lora = { rank: 4, alpha: 8 };
  const asked: { name: string; model: Model; adapter: string; vocabulary: number; ids: number[] }[] = [];
  for (const [i, model] of [plain, withControlTokens(plain)].entries()) {
    const { vocabSize } = model.shape;
    const grown = vocabSize > plain.shape.vocabSize;
    const out = join(scratch, `adapted-${i}`);
    await writeModel(out, { ...model, adapter: randomAdapter(model, { lora, base, grown }) }, 'float32');
    const ids = randomIds(vocabSize, 48, out);
    const name = grown ? 'every projection, a grown vocabulary' : 'every projection';
    asked.push({ name, model: plain, adapter: join(out, 'adapter'), vocabulary: vocabSize, ids });
  }
  const task = join(scratch, 'adapters.json');
  await writeFile(task, JSON.stringify(asked.map(({ adapter, vocabulary, ids }) => ({ base, adapter, vocabulary, ids }))));
  const answers = await runPeer<number[][][]>('../interop/adapters.py', ['read', task]);
  const rows: (string | number)[][] = [];
  for (const [i, { name, model, adapter, ids }] of asked.entries()) {
    rows.push([name, 'here', 'PEFT', furthest(await scoresOf(await mergePeft(model, adapter), ids), answers[i]!)]);
  }
  return rows;
}

/** A table, and whether every difference is within bounds. */
export async function adaptersTravel(scratch: string): Promise<{ text: string; holds: boolean }> {
  const base = join(scratch, 'adapted');
  await writeOurs(base, { ...ourShapes[0]!.shape, vocabSize: 521 }, 'float32', 0);
  await giveTokenizer(base, 'llama3');
  const rows = [...(await theirsMerged(base, scratch)), ...(await oursApplied(base, scratch))];
  const shown = rows.map((row) => row.with(3, (row[3] as number).toExponential(1)));
  return {
    text: table(['adapter', 'written by', 'applied by', 'scores differ by at most'], shown),
    holds: rows.every((row) => (row[3] as number) <= mostApart),
  };
}
