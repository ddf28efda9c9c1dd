// The pulled model that bench/real-speed measures, and what its peers need of it: the same weights in their formats, made once and kept in bench/out.
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { readConfig } from '../../src/config.ts';
import { ggufOf } from '../../src/model/formats/gguf-folder.ts';
import type { Precision } from '../../src/model/loaded-network.ts';
import { readModel, writeModel } from '../../src/model/model.ts';
import { revisionOf } from '../../src/model/model-folder.ts';
import { precisionOf } from '../../src/model/precision.ts';
import { headShapes } from '../../src/predictor/graph.ts';
import { randomStream } from '../../src/random.ts';
import { promptLayoutVersion } from '../../src/steerlm/prompt-layout.ts';
import { helpSteer } from '../../src/steerlm/schemas.ts';
import { type Engine, found, makeByPython, pythonEngine } from '../decode-engines.ts';
import { saidCell } from '../decode-task.ts';
import { peersInstalled } from '../peer.ts';
import { steer } from '../steer.ts';

export interface RealModel {
  /** As `steer pull` leaves it. */
  folder: string;
  /** The GGUF file in it. */
  gguf: string;
  /** What a server gives it where nobody asked for another. */
  precision: Precision;
  /** Where files made of it are kept, of this revision alone. */
  made: string;
}

/** The model in a folder; undefined, and how to get one said, where there is none. */
export async function findModel(named: string): Promise<RealModel | undefined> {
  const folder = resolve(named);
  const gguf = existsSync(folder) ? await ggufOf(folder) : undefined;
  if (gguf === undefined) {
    process.stdout.write(
      `No pulled GGUF file in ${named}: npx steer pull smollm2-135m, then --model FOLDER or REAL_MODEL=FOLDER (default: data/models/smollm2-135m)\n`,
    );
    return;
  }
  const made = resolve('bench/out/real-speed', await revisionOf(folder));
  await mkdir(made, { recursive: true });
  return { folder, gguf, precision: await precisionOf(readConfig({}).engine.precision, folder), made };
}

/** Made whole or not at all. */
async function once(path: string, make: (partial: string) => Promise<void>): Promise<string> {
  if (existsSync(path)) return path;
  const partial = `${path}.partial`;
  await rm(partial, { recursive: true, force: true });
  await make(partial);
  await rename(partial, path);
  return path;
}

/** The same weights at full precision in Hugging Face's layout. */
export function huggingFaceForm({ folder, made }: RealModel): Promise<string> {
  return once(join(made, 'float32'), (out) =>
    steer(['export-model', '--model', folder, '--format', 'safetensors', '--type', 'f32', '--out', out]),
  );
}

/** A predictor on this base with a head of noise: it costs what a trained one does. */
export function predictorForm({ folder, made }: RealModel): Promise<string> {
  return once(join(made, 'predictor'), async (out) => {
    const model = await readModel(folder);
    const next = randomStream('head');
    for (const [name, dims] of headShapes(helpSteer, model.shape)) {
      const size = dims.reduce((product, length) => product * length, 1);
      model.values.set(
        name,
        Float32Array.from({ length: size }, () => 0.1 * (next() - 0.5)),
      );
    }
    const card = {
      ...model.card,
      ...{ kind: 'predictor' as const, name: `${basename(folder)}-predictor`, attributeSchema: helpSteer, promptLayoutVersion },
    };
    await writeModel(out, { ...model, card }, 'float32');
  });
}

/** The peers installed here: llama.cpp on the pulled file and at 8 bits, the others made of the same weights. */
export async function realPeers(model: RealModel): Promise<Engine[]> {
  if (!peersInstalled()) return [];
  const engines: Engine[] = [];
  const hf = await huggingFaceForm(model);
  if ((await found('gguf')) && (await found('llama_cpp'))) {
    const q8 = await once(join(model.made, 'q8_0.gguf'), (out) => makeByPython('make_gguf.py', [hf, out, '--type', 'q8_0']));
    engines.push(pythonEngine('llama.cpp', 'decode_llama.py', model.gguf, typeOf(model.gguf)));
    engines.push(pythonEngine('llama.cpp', 'decode_llama.py', q8, 'Q8_0'));
  }
  if (await found('onnxruntime_genai')) {
    engines.push(...['int4', 'int8'].map((type) => pythonEngine('onnxruntime-genai', 'decode_genai.py', hf, type)));
  }
  if (await found('ctranslate2')) engines.push(pythonEngine('ctranslate2', 'decode_ctranslate2.py', hf, 'int8'));
  for (const engine of engines) await convertOnce(model, engine);
  return engines;
}

/** Some peers make files of their own when they first open a model: that is no part of what is timed. */
async function convertOnce({ made }: RealModel, { name, precision, write }: Engine): Promise<void> {
  await once(join(made, `converted-${name}-${precision}.json`), async (task) => {
    await writeFile(task, JSON.stringify([saidCell([1, 2, 3], 1)]));
    await write(task, 1);
  });
}

/** Q4_1 of SmolLM2-135M-Instruct.Q4_1.gguf. */
function typeOf(gguf: string): string {
  return /[.-]([A-Z]+\d[\w]*)\.gguf$/i.exec(basename(gguf))?.[1] ?? 'its file';
}
