// Steering vectors in a file that somebody brings, of either format, held against the model they are to steer.
import { basename } from 'node:path';
import { SteerError } from '../../errors.ts';
import { beginsAsGguf, type ControlVector, readControlVector } from '../formats/control-vector.ts';
import { families } from '../formats/gguf-families.ts';
import type { LlamaShape } from '../shape.ts';
import type { ModelBase } from './model-base.ts';
import { readVectorFile, refuseEndless, type SteeringVector, usualRange } from './vector-file.ts';

/** The model that is to be steered. */
export interface SteeredModel {
  name: string;
  shape: Pick<LlamaShape, 'modelType' | 'layers' | 'hiddenSize'>;
  base: ModelBase;
}

/**
 * The vectors of a file by name; one of llama.cpp is called as the file is. `told` is the file's name in messages. Throws invalid_vector where the
 * file is torn or its vectors do not fit the model.
 */
export async function readForeignVectors(
  path: string,
  told: string,
  model: SteeredModel,
): Promise<ReadonlyMap<string, SteeringVector>> {
  return await telling(path, told, async () => {
    if (await beginsAsGguf(path)) return new Map([[nameOf(told), fromControlVector(told, await readControlVector(path), model)]]);
    const { base, vectors } = await readVectorFile(path);
    refuseOtherBase(told, base, model);
    return vectors;
  });
}

/** What is wrong with a file of vectors, by the name it is told by. */
export async function telling<Result>(path: string, told: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof SteerError) || cause.code !== 'invalid_model') throw cause;
    throw new SteerError('invalid_vector', cause.message.replaceAll(path, told), { cause, details: { param: 'file' } });
  }
}

/** Throws invalid_vector where vectors were made for another model. */
export function refuseOtherBase(
  told: string,
  base: ModelBase,
  { name, base: wanted }: Pick<SteeredModel, 'name' | 'base'>,
): void {
  const differing = (Object.keys(wanted) as (keyof ModelBase)[]).find((key) => base[key] !== wanted[key]);
  if (differing === undefined) return;
  const short = (value: string | number) => String(value).slice(0, 12);
  const found = `its ${differing} is ${short(base[differing])}, that of ${name} ${short(wanted[differing])}`;
  throw refusal(`${told} was made for another model than ${name}: ${found}. Add it to the model it was made for.`);
}

function fromControlVector(told: string, { modelHint, directions }: ControlVector, model: SteeredModel): SteeringVector {
  const { layers, hiddenSize: width, modelType } = model.shape;
  const hinted = familyOf(modelHint);
  if (hinted !== undefined && hinted !== familyOf(modelType)) {
    throw refusal(
      `${told} was made for a ${modelHint} model, and ${model.name} is a ${modelType}. Add it to the model it was made for.`,
    );
  }
  const values = new Float32Array(layers * width);
  for (const [layer, numbers] of directions) {
    const name = `direction.${layer}`;
    if (numbers.length !== width) {
      const message = `${told}: expected directions of ${width} numbers, the width of ${model.name}, found ${numbers.length} in ${name}.`;
      throw refusal(`${message} Add it to the model it was made for.`);
    }
    if (layer >= layers) {
      const message = `${told}: ${name} steers layer ${layer}, and ${model.name} has layers 0 to ${layers - 1}.`;
      throw refusal(`${message} Add it to the model it was made for.`);
    }
    refuseEndless(told, name, numbers);
    values.set(numbers, layer * width);
  }
  return { layers, width, values, range: usualRange };
}

function refusal(message: string): SteerError {
  return new SteerError('invalid_vector', message, { details: { param: 'file' } });
}

/** Makers tell the architecture as GGUF or as transformers calls it; Mistral is a Llama in GGUF. Undefined for one that is not known here. */
function familyOf(hint: string | undefined): string | undefined {
  const known = Object.entries(families).find(([architecture, { modelType }]) => hint === architecture || hint === modelType);
  return hint === 'mistral' ? 'llama' : known?.[0];
}

/** As a file is called, without what says what it is. */
function nameOf(told: string): string {
  return basename(told)
    .replace(/\.gguf$/i, '')
    .replace(/[._-]?control[._-]?vector$/i, '');
}
