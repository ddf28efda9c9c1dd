// A network with its weights: the parameters of a model as constants of a graph, in 32, 8 or 4 bits. Tensors are read, rounded and put down a few
// rows at a time, so that no weight is held twice.
import { type Bits, blockSize } from '../tensor/graph.ts';
import { gatherNBits, matmulNBits, type QuantisedMatrix, slice } from '../tensor/primitives.ts';
import { type Constants, constantsInFile, constantsInMemory, type Place } from './constants.ts';
import { biasedNetwork, embeddings, type Network, plainNetwork } from './forward.ts';
import type { FourBitRows } from './four-bits.ts';
import { readShape } from './model-folder.ts';
import { blocksOf, quantise } from './quantise.ts';
import { type LlamaShape, parameterShapes } from './shape.ts';
import { openWeights, type Weights } from './weights.ts';
import type { Model } from './whole-model.ts';

export const precisions = ['fp32', 'int8', 'int4'] as const;
export type Precision = (typeof precisions)[number];

/** A model's folder, of which less than its whole context may be wanted, or a model that is in memory already. */
export type WeightSource = string | { folder: string; contextLength: number } | Pick<Model, 'shape' | 'values'>;

export interface LoadedNetwork {
  readonly shape: LlamaShape;
  readonly network: Network;
  readonly weightBytes: number;
  /** Where the session finds the weights. */
  readonly folder?: string | undefined;
  /** To be called when the session is open, and again when it is closed. */
  dispose(): Promise<void>;
}

export interface LoadingLimits {
  /** Bytes above which weights go through a file. */
  mostInMemory: number;
  /** Numbers read at a time. */
  piece: number;
}

const usualLimits: LoadingLimits = { mostInMemory: 2 ** 27, piece: 2 ** 20 };

/** Shapes of parameters that a source has beside those of a language model. */
export type FurtherShapes = (shape: LlamaShape) => ReadonlyMap<string, number[]>;
const noneFurther: FurtherShapes = () => new Map();

/** Puts the weights down as constants. Norms, biases and what is further stay fp32. Throws invalid_model in one clear line. */
export async function loadNetwork(
  source: WeightSource,
  precision: Precision,
  { limits = usualLimits, further = noneFurther }: { limits?: LoadingLimits; further?: FurtherShapes } = {},
): Promise<LoadedNetwork> {
  const { shape, weights } = await openSource(source, further);
  const beside = further(shape);
  const dims = new Map([...parameterShapes(shape), ...beside]);
  const bitsOf = (name: string) => (beside.has(name) ? 32 : trunkBits(name, dims.get(name)!, precision));
  const weightBytes = [...dims].reduce((total, [name, size]) => total + tensorBytes(size, bitsOf(name)), 0);
  const constants = weightBytes > limits.mostInMemory ? await constantsInFile(weightBytes) : constantsInMemory();
  try {
    const reading = { weights, piece: limits.piece };
    const plain = new Map<string, Place>();
    const quantised = new Map<string, QuantisedPlaces>();
    for (const [name, size] of dims) {
      const bits = bitsOf(name);
      if (bits === 32) plain.set(name, await putPlain(constants, reading, name, size));
      else quantised.set(name, await putQuantised(constants, reading, name, size as [number, number], bits));
    }
    await constants.finish();
    const parameter = (name: string) => plain.get(name)!.node();
    const network = precision === 'fp32' ? plainNetwork(parameter, shape) : quantisedNetwork(parameter, quantised, shape);
    return { shape, network, weightBytes, folder: constants.folder, dispose: constants.dispose };
  } catch (cause) {
    await constants.dispose();
    throw cause;
  } finally {
    await weights.close();
  }
}

type Source = Pick<Weights, 'read' | 'close'> & Partial<Pick<Weights, 'storedBits' | 'readFours'>>;

export interface OpenSource {
  shape: LlamaShape;
  /** To be closed by who opened it. */
  weights: Source;
}

/** Throws invalid_model in one clear line. */
export async function openSource(source: WeightSource, further = noneFurther): Promise<OpenSource> {
  if (typeof source === 'string') {
    const shape = await readShape(source);
    return { shape, weights: await openWeights(source, shape, further(shape)) };
  }
  if ('folder' in source) {
    const { folder, contextLength } = source;
    const { shape, weights } = await openSource(folder, further);
    return { shape: { ...shape, contextLength: Math.min(shape.contextLength, contextLength) }, weights };
  }
  const { shape, values } = source;
  const read: Weights['read'] = async (name, part) => values.get(name)!.subarray(part?.start, part?.end);
  return { shape, weights: { read, close: async () => {} } };
}

/** A matrix, a few whole rows at a time. */
export function piecesOf(
  { weights }: OpenSource,
  name: string,
  [rows, columns]: readonly number[],
): AsyncGenerator<Float32Array> {
  return pieces({ weights, piece: usualLimits.piece }, name, rows!, columns!);
}

/** The same of one that is stored in blocks of 4 bits. */
export async function* foursOf(
  { weights }: OpenSource,
  name: string,
  [rows, columns]: readonly number[],
): AsyncGenerator<FourBitRows> {
  const step = columns! * Math.max(1, Math.floor(usualLimits.piece / columns!));
  const end = rows! * columns!;
  for (let start = 0; start < end; start += step)
    yield await weights.readFours!(name, { start, end: Math.min(end, start + step) });
}

/** The table and the output projection keep 8 bits: they cost most of what 4 bits cost in quality and little of what they save. */
function trunkBits(name: string, size: readonly number[], precision: Precision): Bits | 32 {
  if (precision === 'fp32' || size.length !== 2) return 32;
  return precision === 'int8' || name === `${embeddings}.weight` || name === 'lm_head.weight' ? 8 : 4;
}

function tensorBytes(size: readonly number[], bits: Bits | 32): number {
  const columns = size.at(-1)!;
  const rows = size.length === 2 ? size[0]! : 1;
  if (bits === 32) return 4 * rows * columns;
  const blocks = blocksOf(columns);
  return rows * (blocks * ((blockSize * bits) / 8 + 4) + (bits === 4 ? Math.ceil(blocks / 2) : 0));
}

interface Reading {
  weights: Source;
  piece: number;
}

/** A tensor a few whole rows at a time. */
async function* pieces({ weights, piece }: Reading, name: string, rows: number, columns: number): AsyncGenerator<Float32Array> {
  const step = columns * Math.max(1, Math.floor(piece / columns));
  for (let start = 0; start < rows * columns; start += step) {
    yield await weights.read(name, { start, end: Math.min(rows * columns, start + step) });
  }
}

async function putPlain(constants: Constants, reading: Reading, name: string, size: readonly number[]): Promise<Place> {
  const place = constants.place('float32', size);
  const rows = size.length === 2 ? size[0]! : 1;
  for await (const piece of pieces(reading, name, rows, size.at(-1)!)) await place.write(piece);
  return place;
}

interface QuantisedPlaces {
  bits: Bits;
  rows: number;
  columns: number;
  codes: Place;
  scales: Place;
  zeroPoints: Place | undefined;
}

async function putQuantised(
  constants: Constants,
  reading: Reading,
  name: string,
  [rows, columns]: readonly [number, number],
  bits: Bits,
): Promise<QuantisedPlaces> {
  const blocks = blocksOf(columns);
  const codes = constants.place('uint8', [rows, blocks, (blockSize * bits) / 8]);
  const scales = constants.place('float32', [rows, blocks]);
  const zeroPoints = bits === 4 ? constants.place('uint8', [rows, Math.ceil(blocks / 2)]) : undefined;
  for await (const piece of pieces(reading, name, rows, columns)) {
    const rounded = quantise(piece, columns, bits);
    await codes.write(rounded.codes);
    await scales.write(rounded.scales);
    if (rounded.zeroPoints) await zeroPoints?.write(rounded.zeroPoints);
  }
  return { bits, rows, columns, codes, scales, zeroPoints };
}

/** Every use of a tensor is a node of its own: a product packs its weight anew and lets go of it, the table is read where it lies. */
function quantisedNetwork(
  parameter: Network['parameter'],
  quantised: ReadonlyMap<string, QuantisedPlaces>,
  shape: LlamaShape,
): Network {
  const matrix = (name: string, codesShape?: (places: QuantisedPlaces) => number[]): QuantisedMatrix => {
    const places = quantised.get(`${name}.weight`)!;
    const { bits, codes, scales, zeroPoints } = places;
    return { bits, codes: codes.node(codesShape?.(places)), scales: scales.node(), zeroPoints: zeroPoints?.node() };
  };
  const flat = ({ rows, columns, bits }: QuantisedPlaces) => [rows, (blocksOf(columns) * blockSize * bits) / 8];
  return biasedNetwork(shape, {
    parameter,
    embed(ids) {
      const rows = gatherNBits(matrix(embeddings, flat), ids);
      return rows.shape.at(-1) === shape.hiddenSize ? rows : slice(rows, -1, 0, shape.hiddenSize);
    },
    linear: (x, name) => matmulNBits(x, matrix(name)),
  });
}
