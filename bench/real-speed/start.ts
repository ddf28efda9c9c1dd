// How long after `steer generate` is started does its first text arrive, the first time with a model and again? Without a database.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EngineRun, saidCell } from '../decode-task.ts';
import { exclusive } from '../exclusive.ts';
import { median, table } from '../results.ts';
import { questionIds } from './decode.ts';
import { type RealModel, realPeers } from './model.ts';
import type { Extent } from './parts.ts';

/** Seconds from the start of the process to its first text. */
async function firstText(folder: string, dataDir: string): Promise<number> {
  const { DATABASE_URL: _, ...rest } = process.env;
  const args = ['bin/steer.js', 'generate', '--model', folder, '--max-tokens', '8', '--temperature', '0'];
  const started = performance.now();
  const child = spawn(process.execPath, [...args, 'What is the capital of France?'], {
    env: { ...rest, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const [text] = (await Promise.race([once(child.stdout, 'data'), ended])) as [unknown];
  const seconds = (performance.now() - started) / 1000;
  child.stdout.resume();
  const [code] = await ended;
  if (!Buffer.isBuffer(text) || code !== 0) throw new Error(`steer generate ended with ${code}.`);
  return seconds;
}

export async function startPart(model: RealModel, { rounds }: Extent): Promise<string> {
  const [first, again]: [number[], number[]] = [[], []];
  const task = join(model.made, 'start.json');
  await writeFile(task, JSON.stringify([saidCell(await questionIds(model), 1)]));
  const peers = await realPeers(model);
  const runs = new Map<string, EngineRun[]>();
  for (let round = 0; round < rounds; round++) {
    const dataDir = await mkdtemp(join(tmpdir(), 'steer-start-'));
    await exclusive(async () => {
      first.push(await firstText(model.folder, dataDir));
      again.push(await firstText(model.folder, dataDir));
    });
    await rm(dataDir, { recursive: true, force: true });
    for (const { name, precision, write } of peers) {
      const key = `${name} ${precision}`;
      runs.set(key, [...(runs.get(key) ?? []), await exclusive(() => write(task, 2))]);
    }
    process.stdout.write(`${round + 1}/${rounds} first ${first.at(-1)!.toFixed(2)} s, again ${again.at(-1)!.toFixed(2)} s\n`);
  }
  const peerRows = [...runs].map(([key, found]) => {
    const load = median(found.map((run) => run.load));
    const token = median(found.map((run) => run.answers[0]!.first));
    return [`${key}: opening, first token`, `${load.toFixed(2)} + ${token.toFixed(2)} s`, ''];
  });
  const rows = [
    ['ours, the first time', `${median(first).toFixed(2)} s`, '2 s at most'],
    ['ours, again', `${median(again).toFixed(2)} s`, '0.5 s at most'],
    ...peerRows,
  ];
  const intro = `Ours: \`node bin/steer.js generate\` from the start of its process to its first text, the first time with an empty DATA_DIR; the file is in the system's cache. Peers: opening the model and the first token after it, without the start of their interpreter. ${first.length} rounds, medians.`;
  return `${intro}\n\n${table(['start', 'time', 'reach'], rows)}`;
}
