// The engines that bench/decode, bench/scale and bench/real-speed compare: ours and its peers, each a fresh process that writes the cells of a task file. A peer that is
// not installed is named once and left out.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Precision } from '../src/model/loaded-network.ts';
import type { EngineRun } from './decode-task.ts';
import { hasPythonPeer, peersInstalled, python, runOurs } from './peer.ts';

export interface Engine {
  name: string;
  precision: string;
  ours: boolean;
  /** Writes the cells of a task. Throws when it takes too long or fails. */
  write(task: string, threads: number): Promise<EngineRun>;
}

/** Engines wait for each other's threads by spinning: on a machine that is busy otherwise some never end. */
const mostMs = 180_000;

/** `--threads 1` for one setting; on a busy machine two are no use. */
export function threadCountsOf(args: string[]): number[] {
  return args.includes('--threads') ? [Number(args[args.indexOf('--threads') + 1])] : [1, 2];
}

/** Folder whose node_modules holds the peers from npm. */
const npmPeers = process.env.NPM_PEERS ?? 'bench/peers';

export function ourEngines(folder: string, precisions: readonly Precision[]): Engine[] {
  return precisions.map((precision) => ({
    ...{ name: 'ours', precision, ours: true },
    write: (task, threads) => runOurs<EngineRun>('decode-ours', [task, folder, precision, `${threads}`]),
  }));
}

/** Those installed here, with the model's weights converted for them into `scratch`. */
export async function peerEngines(folder: string, scratch: string): Promise<Engine[]> {
  const engines: Engine[] = [];
  const gguf = (type: string) => join(scratch, `${type}.gguf`);
  const withPython = peersInstalled();
  const canGguf = withPython && (await found('gguf'));
  if (canGguf) for (const type of ggufTypes) await makeByPython('make_gguf.py', [folder, gguf(type), '--type', type]);
  if (canGguf && (await found('llama_cpp'))) {
    engines.push(...ggufTypes.map((type) => pythonEngine('llama.cpp', 'decode_llama.py', gguf(type), type)));
  }
  if (canGguf && npmFound('node-llama-cpp')) {
    engines.push(...ggufTypes.map((type) => npmEngine('node-llama-cpp', 'decode_llama.mjs', gguf(type), type)));
  }
  if (withPython && (await found('ctranslate2'))) {
    engines.push(...['fp32', 'int8'].map((type) => pythonEngine('ctranslate2', 'decode_ctranslate2.py', folder, type)));
  }
  if (withPython && (await found('onnxruntime_genai'))) {
    engines.push(...['fp32', 'int4'].map((type) => pythonEngine('onnxruntime-genai', 'decode_genai.py', folder, type)));
    if (npmFound('@huggingface/transformers')) {
      const onnx = join(scratch, 'onnx');
      await makeByPython('make_onnx.py', [folder, onnx]);
      engines.push(npmEngine('transformers.js', 'decode_transformers.mjs', onnx, 'fp32'));
    }
  }
  return engines;
}

const ggufTypes = ['f32', 'q8_0'];

/** Whether the environment has it; says how to get it when not. */
export async function found(module: string): Promise<boolean> {
  if (await hasPythonPeer(module)) return true;
  process.stdout.write(`Without ${module}: .venv/bin/pip install -r bench/peers/requirements.txt\n`);
  return false;
}

function npmFound(name: string): boolean {
  if (existsSync(join(npmPeers, 'node_modules', name))) return true;
  process.stdout.write(
    `Without ${name}: npm install --prefix bench/peers --no-package-lock --ignore-scripts, or name another folder that has it in NPM_PEERS\n`,
  );
  return false;
}

/** A peer whose script in bench/peers writes tasks with that model. */
export function pythonEngine(name: string, script: string, model: string, precision: string): Engine {
  const write = (task: string, threads: number) =>
    lastLine(python, [join('bench/peers', script), task, model, '--precision', precision, '--threads', `${threads}`]);
  return { name, precision, ours: false, write };
}

function npmEngine(name: string, script: string, model: string, precision: string): Engine {
  const write = (task: string, threads: number) =>
    lastLine(process.execPath, [join('bench/peers', script), npmPeers, task, model, `${threads}`, precision]);
  return { name, precision, ours: false, write };
}

/** A script of bench/peers that makes files. */
export async function makeByPython(script: string, args: string[]): Promise<void> {
  await promisify(execFile)(python, [join('bench/peers', script), ...args], { maxBuffer: 2 ** 28 });
}

async function lastLine(command: string, args: string[]): Promise<EngineRun> {
  const { stdout } = await promisify(execFile)(command, args, { maxBuffer: 2 ** 28, timeout: mostMs });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as EngineRun;
}
