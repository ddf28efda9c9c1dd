// The file of a model's steering vectors: safetensors with a tensor `vectors.<name>` (layers, D) for each, and in its metadata the model they are
// for and the range each may be weighted in.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SteerError } from '../../errors.ts';
import { own } from '../../own.ts';
import { faultText } from '../../shape-faults.ts';
import { openTensorFile, type SafetensorsFile, writeTensorFile } from '../formats/safetensors.ts';
import { type ModelBase, modelBaseSchema } from './model-base.ts';

/** Lowest and highest weight. */
export type VectorRange = readonly [number, number];

export interface SteeringVector {
  layers: number;
  width: number;
  /** (layers, D): row i is added to what layer i gives, counted from 0. */
  values: Float32Array;
  range: VectorRange;
}

export interface VectorFile {
  base: ModelBase;
  vectors: ReadonlyMap<string, SteeringVector>;
}

const format = 'steer-vectors-1';
const prefix = 'vectors.';
/** Where nobody says another. */
export const usualRange: VectorRange = [-1, 1];
/** A weight beyond it would leave nothing of what the model computes. */
const mostWeight = 1000;
/** Far more than anybody dials with. */
export const mostVectors = 256;

/** Letters, digits, dots, dashes and underscores. */
const nameForm = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u;
const bound = z.number().min(-mostWeight).max(mostWeight);
const rangeSchema = z.tuple([bound, bound]);
const metadataSchema = z.object({
  format: z.literal(format),
  base: jsonText(modelBaseSchema),
  ranges: jsonText(z.record(z.string(), rangeSchema)),
});

/** Throws invalid_request for what is no name of a vector. */
export function checkVectorName(name: string): string {
  if (nameForm.test(name)) return name;
  const found = JSON.stringify(name.slice(0, 64));
  const message = `name: expected at most 64 letters, digits, dots, dashes and underscores, found ${found}. Choose another name.`;
  throw new SteerError('invalid_request', message, { details: { param: 'name' } });
}

/** Throws invalid_request for what is no range. */
export function checkVectorRange([lowest, highest]: VectorRange, found = `${lowest},${highest}`): VectorRange {
  if (lowest < highest && lowest >= -mostWeight && highest <= mostWeight) return [lowest, highest];
  const message = `range: expected a lower and a higher number between -${mostWeight} and ${mostWeight}, like -1,1, found ${found.slice(0, 40)}.`;
  throw new SteerError('invalid_request', message, { details: { param: 'range' } });
}

/** A range as people write it, like -1,1. Throws invalid_request for what is none. */
export function parseVectorRange(text: string): VectorRange {
  const bounds = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  return checkVectorRange(bounds.length === 2 ? (bounds as [number, number]) : [Number.NaN, Number.NaN], text);
}

/** Throws invalid_model in one clear line for a file that is torn or something else. */
export async function readVectorFile(path: string): Promise<VectorFile> {
  const file = await openTensorFile(path);
  try {
    const { base, ranges } = parseMetadata(path, file.metadata);
    const vectors = new Map<string, SteeringVector>();
    for (const [tensor, shape] of file.shapes) {
      const name = tensor.slice(prefix.length);
      if (!tensor.startsWith(prefix) || !nameForm.test(name) || shape.length !== 2 || file.shapes.size > mostVectors) {
        const found = `${file.shapes.size} tensors, among them ${JSON.stringify(tensor.slice(0, 80))} of ${shape.length} dimensions`;
        throw foreign(path, `expected at most ${mostVectors} matrices called ${prefix}NAME, found ${found}`);
      }
      const [layers, width] = shape as [number, number];
      if (layers !== base.layers || width !== base.width) {
        throw foreign(path, `expected ${tensor} to be [${base.layers}, ${base.width}] as its base, found [${layers}, ${width}]`);
      }
      vectors.set(name, { layers, width, values: await readFinite(path, file, tensor), range: own(ranges, name) ?? usualRange });
    }
    return { base, vectors };
  } finally {
    await file.close();
  }
}

/** Writes the file, whole or not at all. */
export async function writeVectorFile(path: string, { base, vectors }: VectorFile): Promise<void> {
  const shapes = new Map([...vectors].map(([name, { layers, width }]) => [prefix + name, [layers, width]]));
  const tensors = [...vectors].map(([name, { values }]): [string, Float32Array] => [prefix + name, values]);
  const ranges = Object.fromEntries([...vectors].map(([name, { range }]) => [name, range]));
  await writeTensorFile(path, shapes, tensors, 'F32', { format, base: JSON.stringify(base), ranges: JSON.stringify(ranges) });
}

/** Twelve hexadecimal digits that change with the numbers of a vector. */
export function vectorRevision({ values }: SteeringVector): string {
  return createHash('sha256').update(values).digest('hex').slice(0, 12);
}

/** A single number that is none would make every score of a reply none. */
export function refuseEndless(path: string, tensor: string, values: Float32Array): void {
  if (values.every(Number.isFinite)) return;
  throw new SteerError('invalid_model', `${path}: ${tensor} holds what is no finite number. Make or download the vector again.`);
}

async function readFinite(path: string, file: SafetensorsFile, tensor: string): Promise<Float32Array> {
  const values = await file.read(tensor);
  refuseEndless(path, tensor, values);
  return values;
}

function parseMetadata(path: string, metadata: ReadonlyMap<string, string>) {
  if (metadata.get('format') !== format) {
    const found = metadata.get('format');
    throw foreign(
      path,
      `expected the format ${format} in its metadata, found ${JSON.stringify(found?.slice(0, 40)) ?? 'nothing'}`,
    );
  }
  const parsed = metadataSchema.safeParse(Object.fromEntries(metadata));
  if (parsed.success) return parsed.data;
  throw foreign(path, faultText(parsed.error, 'its metadata'));
}

function foreign(path: string, problem: string): SteerError {
  return new SteerError('invalid_model', `${path} is no file of steering vectors: ${problem}.`);
}

/** A text of metadata that holds JSON. */
function jsonText<Schema extends z.ZodType>(schema: Schema) {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'expected JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);
}
