// The steering vectors of a model, kept in one file of its folder: what there is, their sum for a reply, and adding and removing them. The file is
// read anew when it changes, so a running server follows what the command line adds.
import { rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SteerError } from '../../errors.ts';
import { nearestName } from '../../nearest-name.ts';
import { lockFolder } from '../../store/folder-lock.ts';
import { writeControlVector } from '../formats/control-vector.ts';
import { exists } from '../formats/json-file.ts';
import { readModelCard, readShape, upstreamFile } from '../model-folder.ts';
import { readForeignVectors, refuseOtherBase, type SteeredModel, telling } from './foreign-vectors.ts';
import { MadeOfFiles } from './made-of-files.ts';
import { type ModelBase, modelBaseOf } from './model-base.ts';
import {
  checkVectorName,
  checkVectorRange,
  mostVectors,
  readVectorFile,
  type SteeringVector,
  type VectorFile,
  type VectorRange,
  vectorRevision,
  writeVectorFile,
} from './vector-file.ts';

export const vectorsName = 'vectors.safetensors';

/** What is told of a vector. */
export interface VectorCard {
  name: string;
  range: VectorRange;
  /** Changes with its numbers. */
  revision: string;
}

/** The vectors of one model, for whoever writes its replies. */
export interface SteeringVectors {
  /** By name. Throws invalid_vector for a file that cannot be read. */
  list(): Promise<readonly VectorCard[]>;
  /**
   * Their sum with these weights, (layers, D), a fresh array; undefined where nothing is added. Throws unknown_vector, vector_out_of_range, or
   * invalid_vector for a file that cannot be read or is another model's. `field` is where the weights were said.
   */
  sum(weights: Readonly<Record<string, number>>, field?: string): Promise<Float32Array | undefined>;
}

export interface AddingVectors {
  /** The file's name in messages, after which a vector without a name is called; its own where absent. */
  told?: string | undefined;
  /** Instead of the name the file gives. */
  name?: string | undefined;
  /** Instead of the range the file gives. */
  range?: VectorRange | undefined;
}

/** Another that writes into the folder is waited for so long. */
const patienceMs = 10_000;

/** What is kept of a folder's file: hashing all its vectors for every look at it would hold up the thread. */
interface Kept extends VectorFile {
  cards: readonly VectorCard[];
}

const files = new MadeOfFiles<Kept | undefined>();

/** The vectors of the model of that name in a folder. */
export function steeringVectors(folder: string, model: string): SteeringVectors {
  return {
    list: () => listVectors(folder),
    sum: (weights, field = 'vectors') => sumVectors({ folder, model }, weights, field),
  };
}

/** Throws invalid_vector for a file that cannot be read. */
export async function listVectors(folder: string): Promise<readonly VectorCard[]> {
  return (await readKept(folder))?.cards ?? [];
}

/**
 * Adds the vectors of a file to those of the model; answers those that were added. Throws invalid_vector for a file that is torn or another model's,
 * invalid_request for a name or range that is none, and conflict for a name that is taken.
 */
export async function addVectors(
  folder: string,
  path: string,
  { told = basename(path), name, range }: AddingVectors = {},
): Promise<VectorCard[]> {
  const model = await steeredModel(folder);
  const found = await readForeignVectors(path, told, model);
  if (name !== undefined && found.size > 1) {
    const message = `name: ${told} holds ${found.size} vectors, ${[...found.keys()].slice(0, 5).join(', ')}. Leave the name out.`;
    throw new SteerError('invalid_request', message, { details: { param: 'name' } });
  }
  const added = [...found].map(([own, vector]): [string, SteeringVector] => {
    return [checkVectorName(name ?? own), { ...vector, range: checkVectorRange(range ?? vector.range) }];
  });
  await changing(folder, model, (vectors, base) => {
    refuseOtherBase(`${vectorsName} of ${model.name}`, base, model);
    for (const [each, vector] of added) {
      if (vectors.has(each)) {
        const message = `name: ${model.name} has a vector ${each} already. Choose another name, or remove that one first.`;
        throw new SteerError('conflict', message, { details: { param: 'name' } });
      }
      vectors.set(each, vector);
    }
    if (vectors.size > mostVectors) {
      throw new SteerError(
        'conflict',
        `Expected at most ${mostVectors} vectors of ${model.name}, found ${vectors.size}. Remove some first.`,
      );
    }
  });
  return added.map(cardOf);
}

/** Throws unknown_vector. */
export async function removeVector(folder: string, name: string): Promise<void> {
  const model = await steeredModel(folder);
  await changing(folder, model, (vectors) => {
    if (!vectors.delete(name)) throw unknown(model.name, name, [...vectors.keys()]);
  });
}

/** Writes a vector as llama.cpp reads it. Throws unknown_vector, and invalid_vector for one that llama.cpp has no place for. */
export async function exportVector(folder: string, name: string, path: string): Promise<void> {
  const { name: model, shape } = await steeredModel(folder);
  const vectors = (await readKept(folder))?.vectors ?? new Map<string, SteeringVector>();
  const vector = vectors.get(name);
  if (!vector) throw unknown(model, name, [...vectors.keys()]);
  const { layers, width, values } = vector;
  const rows = Array.from(
    { length: layers },
    (_, layer) => [layer, values.subarray(layer * width, (layer + 1) * width)] as const,
  );
  const directions = new Map(rows.filter(([, row]) => row.some((value) => value !== 0)));
  if (directions.has(0)) {
    throw new SteerError(
      'invalid_vector',
      `${name} steers layer 0, which control vectors of llama.cpp cannot. Copy ${vectorsName} instead.`,
    );
  }
  // As transformers calls it, which is what repeng writes.
  await writeControlVector(path, { modelHint: shape.modelType, directions });
}

async function sumVectors(
  { folder, model }: { folder: string; model: string },
  weights: Readonly<Record<string, number>>,
  field: string,
): Promise<Float32Array | undefined> {
  // In the order of their names: a sum of floating point numbers depends on it.
  const asked = Object.entries(weights).sort(([a], [b]) => (a < b ? -1 : 1));
  if (asked.length === 0) return undefined;
  const kept = await readKept(folder);
  const vectors = kept?.vectors ?? new Map<string, SteeringVector>();
  let sum: Float32Array | undefined;
  for (const [name, weight] of asked) {
    const vector = vectors.get(name);
    if (!vector) throw unknown(model, name, [...vectors.keys()], `${field}.${name}`);
    refuseOutside(vector.range, name, weight, `${field}.${name}`);
    if (weight === 0) continue;
    const { values } = vector;
    sum ??= new Float32Array(values.length);
    for (let i = 0; i < sum.length; i++) sum[i]! += weight * values[i]!;
  }
  if (!sum) return undefined;
  refuseOtherBase(`${vectorsName} of ${model}`, kept!.base, { name: model, base: await modelBaseOf(folder) });
  if (sum.every(Number.isFinite)) return sum;
  const message = `${field}: with these weights the sum of the vectors is no finite number. Ask for less of them.`;
  throw new SteerError('vector_out_of_range', message, { details: { param: field } });
}

function refuseOutside([lowest, highest]: VectorRange, name: string, weight: number, param: string): void {
  if (weight >= lowest && weight <= highest) return;
  throw new SteerError('vector_out_of_range', `Expected ${name} between ${lowest} and ${highest}, got ${weight}.`, {
    details: { param },
  });
}

function unknown(model: string, name: string, known: readonly string[], param = 'name'): SteerError {
  const near = nearestName(name, known);
  const others = known.length === 0 ? 'It has none: steer vector add brings one.' : `It has ${known.slice(0, 10).join(', ')}.`;
  const hint = near === undefined ? others : `Did you mean ${near}?`;
  const message = `${model} has no steering vector ${JSON.stringify(name.slice(0, 64))}. ${hint}`;
  return new SteerError('unknown_vector', message, { details: { param: param.slice(0, 128) } });
}

function cardOf([name, vector]: readonly [string, SteeringVector]): VectorCard {
  return { name, range: vector.range, revision: vectorRevision(vector) };
}

async function readKept(folder: string): Promise<Kept | undefined> {
  const path = join(folder, vectorsName);
  const told = `${vectorsName} of ${basename(resolve(folder))}`;
  return await files.get(folder, [path], async () => {
    if (!(await exists(path))) return undefined;
    const file = await telling(path, told, () => readVectorFile(path));
    return { ...file, cards: [...file.vectors].map(cardOf) };
  });
}

/** Throws invalid_request for a model that nothing can be added to. */
async function steeredModel(folder: string): Promise<SteeredModel> {
  const { name, kind } = await readModelCard(folder);
  const elsewhere = await exists(join(folder, upstreamFile));
  if (kind === 'predictor' || elsewhere) {
    const what = elsewhere ? 'runs on an upstream' : 'is a predictor';
    const message = `model: ${name} ${what}, and steering vectors are added to language models that run here. Name one of these.`;
    throw new SteerError('invalid_request', message, { details: { param: 'model' } });
  }
  return { name, shape: await readShape(folder), base: await modelBaseOf(folder) };
}

/** Changes the vectors of a folder, which are for the model `base`, under the lock of the model, and writes them whole. */
async function changing(
  folder: string,
  { name, base: own }: SteeredModel,
  change: (vectors: Map<string, SteeringVector>, base: ModelBase) => void,
): Promise<void> {
  const whole = resolve(folder);
  const locked = { code: 'conflict', what: `The model ${name}`, remedy: 'Try again when that has ended.' } as const;
  const release = await lockFolder(join(dirname(whole), `.${basename(whole)}.lock`), locked, { mostMs: patienceMs });
  try {
    const kept = await readKept(folder);
    const base = kept?.base ?? own;
    const vectors = new Map(kept?.vectors);
    change(vectors, base);
    const path = join(whole, vectorsName);
    if (vectors.size === 0) await rm(path, { force: true });
    else await writeVectorFile(path, { base, vectors });
  } finally {
    release();
  }
}
