// llama.cpp's control vectors: a GGUF file of one direction for each layer it steers, as repeng and llama-cvector-generator write them. Its count of
// layers is not read, since makers count differently.
import { SteerError } from '../../errors.ts';
import { magic, writeGgufFile } from './gguf-format.ts';
import { type GgufHeader, readBytes, readGgufHeader, withFile } from './gguf-header.ts';

export const controlVectorArchitecture = 'controlvector';

export interface ControlVector {
  /** The architecture it was made for, as its maker calls it. */
  modelHint: string | undefined;
  /** By layer, counted from 0; llama.cpp has none for layer 0. */
  directions: ReadonlyMap<number, Float32Array>;
}

/** Whether a file begins as GGUF does. Throws invalid_model where it cannot be read. */
export function beginsAsGguf(path: string): Promise<boolean> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    return size >= 4 && (await readBytes(file, path, 0, 4)).readUInt32LE() === magic;
  });
}

/** Throws invalid_model for a torn file, and for a GGUF file of something else. */
export async function readControlVector(path: string): Promise<ControlVector> {
  const header = await readGgufHeader(path);
  const architecture = header.values.get('general.architecture');
  if (architecture !== controlVectorArchitecture) {
    const found = JSON.stringify(architecture)?.slice(0, 80) ?? 'nothing';
    throw new SteerError(
      'invalid_model',
      `${path}: expected general.architecture to be ${controlVectorArchitecture}, found ${found}. That is no file of a steering vector.`,
    );
  }
  const hint = header.values.get(`${controlVectorArchitecture}.model_hint`);
  return { modelHint: typeof hint === 'string' ? hint : undefined, directions: await readDirections(header) };
}

async function readDirections({ path, tensors }: GgufHeader): Promise<Map<number, Float32Array>> {
  const directions = new Map<number, Float32Array>();
  await withFile(path, async (file) => {
    for (const [name, { shape, type, start, end }] of tensors) {
      const layer = Number(/^direction\.([1-9]\d{0,4})$/.exec(name)?.[1]);
      if (Number.isNaN(layer) || shape.length !== 1 || type.name !== 'F32') {
        const found = `${name.slice(0, 80)}, ${type.name} of ${shape.length} dimensions`;
        throw new SteerError('invalid_model', `${path}: expected F32 rows direction.1, direction.2, … alone, found ${found}.`);
      }
      const numbers = new Float32Array(shape[0]!);
      type.unpack(await readBytes(file, path, start, end), numbers);
      directions.set(layer, numbers);
    }
  });
  if (directions.size === 0) throw new SteerError('invalid_model', `${path}: expected at least one direction, found none.`);
  return directions;
}

/** Writes the file, whole or not at all. */
export async function writeControlVector(path: string, { modelHint, directions }: ControlVector): Promise<void> {
  const values = new Map([
    ['general.architecture', { string: controlVectorArchitecture }],
    [`${controlVectorArchitecture}.model_hint`, { string: modelHint ?? '' }],
    [`${controlVectorArchitecture}.layer_count`, { uint32: directions.size }],
  ] as const);
  const tensors = [...directions].map(([layer, numbers]) => {
    return [`direction.${layer}`, { shape: [numbers.length], type: 'f32' as const, read: async () => numbers }] as const;
  });
  await writeGgufFile(path, values, new Map(tensors));
}
