// Models that Hugging Face transformers wrote, read here, and models written here, read by transformers: how far apart the scores are.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readShape } from '../../src/model/model-folder.ts';
import { furtherShapes, ourShapes, randomIds, writeOurs } from '../../tests/model/random-models.ts';
import { furthest, scoresOf } from '../../tests/model/scores.ts';
import { runPeer } from '../peer.ts';
import { table } from '../results.ts';

/** Scores of the same model may differ by rounding alone. */
export const mostApart = 1e-3;

interface Theirs {
  name: string;
  folder: string;
  files: number;
  ids: number[];
  scores: number[][];
}

interface Ours {
  name: string;
  folder: string;
}

async function theirsRead(scratch: string): Promise<(string | number)[][]> {
  const rows: (string | number)[][] = [];
  for (const { name, folder, files, ids, scores } of await runPeer<Theirs[]>('../interop/models.py', ['write', scratch])) {
    rows.push([name, 'transformers', 'here', files, furthest(await scoresOf(folder, ids), scores)]);
  }
  return rows;
}

async function oursRead(scratch: string): Promise<(string | number)[][]> {
  const written: Ours[] = [{ name: 'the shipped model, fp16', folder: 'models/npc' }];
  for (const [seed, { name, shape, dtype }] of [...ourShapes, ...furtherShapes].entries()) {
    const folder = join(scratch, `ours-${seed}`);
    await writeOurs(folder, shape, dtype, seed);
    written.push({ name, folder });
  }
  const asked = await Promise.all(
    written.map(async ({ folder }) => ({ folder, ids: randomIds((await readShape(folder)).vocabSize, 96, folder) })),
  );
  const task = join(scratch, 'ours.json');
  await writeFile(task, JSON.stringify(asked));
  const answers = await runPeer<number[][][]>('../interop/models.py', ['read', task]);
  const rows: (string | number)[][] = [];
  for (const [i, { name, folder }] of written.entries()) {
    rows.push([name, 'here', 'transformers', 1, furthest(await scoresOf(folder, asked[i]!.ids), answers[i]!)]);
  }
  return rows;
}

/** A table, and whether every difference is within `mostApart`. */
export async function modelsTravel(scratch: string): Promise<{ text: string; holds: boolean }> {
  const rows = [...(await theirsRead(scratch)), ...(await oursRead(scratch))];
  const shown = rows.map((row) => row.with(4, (row[4] as number).toExponential(1)));
  return {
    text: table(['model, random weights', 'written by', 'read by', 'files', 'scores differ by at most'], shown),
    holds: rows.every((row) => (row[4] as number) <= mostApart),
  };
}
