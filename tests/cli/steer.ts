// Runs the real command in a process of its own, and makes the little data these tests feed it.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  ended: Promise<Ended>;
  /** Settles once `text` was said, on either stream; fails when the command ends first. */
  said(text: string): Promise<void>;
  /** Standard output so far. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Signals the command and all its processes, as systemd, `timeout` and a terminal do. */
  killGroup(signal: NodeJS.Signals): void;
}

const bin = fileURLToPath(new URL('../../bin/steer.js', import.meta.url));

/** A folder with room for data and models, for one test file. */
export function newWorkshop(): { folder: string; path(name: string): string } {
  const folder = mkdtempSync(join(tmpdir(), 'steer-commands-'));
  mkdirSync(join(folder, 'models'));
  return { folder, path: (name) => join(folder, name) };
}

/** Starts `steer` in the folder, with its data/ and models/. */
export function startSteer(
  folder: string,
  args: string[],
  options: { env?: Record<string, string>; input?: string } = {},
): Running {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, DATA_DIR: join(folder, 'data'), MODELS_DIR: join(folder, 'models'), ...options.env };
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env, detached: true });
  let [stdout, stderr] = ['', ''];
  let look = () => {};
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
    look();
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
    look();
  });
  child.stdin.end(options.input ?? '');
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const said = (text: string) =>
    new Promise<void>((resolve, reject) => {
      look = () => void ((stderr + stdout).includes(text) && resolve());
      look();
      void ended.then(() => reject(new Error(`ended without saying ${JSON.stringify(text)}:\n${stdout}\n${stderr}`)));
    });
  const killGroup = (signal: NodeJS.Signals) => void process.kill(-child.pid!, signal);
  return { ended, said, output: () => stdout, kill: (signal) => void child.kill(signal), killGroup };
}

/** Runs `steer` to its end. */
export function steer(
  folder: string,
  args: string[],
  options: { env?: Record<string, string>; input?: string } = {},
): Promise<Ended> {
  return startSteer(folder, args, options).ended;
}

/** Size of a model that trains in a second. */
export const tiny = ['--vocab', '400', '--width', '32', '--layers', '2', '--heads', '4', '--context', '128', '--batch-rows', '4'];

/** Writes `talk.jsonl`, rated conversations, and `tone.json`, the attributes they are rated by. */
export function writeTalk(folder: string, count = 60): void {
  const goods = ['bread', 'rope', 'salt', 'iron', 'cloth', 'honey'];
  const cores = ['Yes.', 'Yes, from Ashford.', 'Yes, from Ashford, and it came by cart this very morning.'];
  const jokes = ['', 'Ha!', 'Ha ha, even the goat laughs.'];
  const lines = Array.from({ length: count }, (_, i) => {
    const [long, merry] = [i % 3, ((i * 7) % 5) % 3];
    const attributes = { humor: 2 * merry, verbosity: 2 * long };
    const messages = [
      { role: 'user', content: `Do you sell ${goods[i % goods.length]}?` },
      { role: 'assistant', content: `${cores[long]} ${jokes[merry]}`.trim(), attributes },
      { role: 'user', content: 'And is it good?' },
      { role: 'assistant', content: `Good enough. ${jokes[merry]}`.trim(), attributes: { humor: 2 * merry } },
    ];
    return JSON.stringify({ conversation_id: `chat-${i}`, messages });
  });
  writeFileSync(join(folder, 'talk.jsonl'), lines.join('\n'));
  const levels = ['none', 'little', 'some', 'much', 'most'];
  const attributes = [
    { name: 'humor', aliases: ['humour'], levels },
    { name: 'verbosity', levels },
  ];
  writeFileSync(join(folder, 'tone.json'), JSON.stringify({ name: 'tone', attributes }));
}
