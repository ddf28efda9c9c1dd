// All kernels of one model's shape, compiled.
import { SteerError } from '../../errors.ts';
import { type LlamaShape, rotationOf } from '../../model/shape.ts';
import { attendRows } from './attention.ts';
import { placeRows } from './cache-block.ts';
import { aloneCode, helpCode, wakeCode, workCode } from './crew-code.ts';
import { lowRankDown, lowRankUp } from './low-rank.ts';
import { type Packing, type ProductName, productName } from './packing.ts';
import { productKernel } from './product.ts';
import { allowRelaxed } from './relaxed.ts';
import { addNormRows, type Bits, embedRows, gateRows, normRows, pickRows, roundRows } from './row-kernels.ts';
import { addSumRows } from './sum-rows.ts';
import type { Definition } from './wasm.ts';
import { emitModule, typeIndex } from './wasm-module.ts';

export type RowKernel = `${'norm' | 'gate' | 'round'}${Bits}` | 'embed' | 'addNorm' | 'addSum' | 'pick' | 'place' | 'placePlain';
export type KernelName = ProductName | RowKernel | 'attend' | 'lowRankDown' | 'lowRankUp';

/** Pages of 64 KiB a memory of 32-bit addresses can have. */
export const mostPages = 65_536;

/** Widths are multiples of this. */
const widthUnit = 8;

/** Calls of kernels a list may have, and how many a model's run takes at most for each layer and beside them. */
export const mostRecords = 1 << 12;
const [callsOfLayer, callsBeside] = [23, 8];

export interface CompiledKernels {
  module: WebAssembly.Module;
  /** The place of each kernel in the table. */
  places: Readonly<Partial<Record<KernelName, number>>>;
}

/** Whether the kernels can compute models of this shape. */
export function kernelsFit({ hiddenSize, intermediateSize, headDim, layers }: LlamaShape): boolean {
  const listed = layers * callsOfLayer + callsBeside <= mostRecords;
  return listed && [hiddenSize, intermediateSize, headDim].every((width) => width % widthUnit === 0);
}

/** How the weights of a model are packed. */
export interface Packings {
  table: Packing;
  /** Of everything else. */
  matrices: readonly Packing[];
}

/** Attention adds products up as those with the table are. Throws invalid_config where the processor or Node has no vectors in WebAssembly. */
export async function compileKernels(shape: LlamaShape, packings: Packings): Promise<CompiledKernels> {
  try {
    return await compile(shape, packings);
  } catch (cause) {
    if (!(cause instanceof WebAssembly.CompileError)) throw cause;
    throw new SteerError(
      'invalid_config',
      `Expected WebAssembly with vectors and shared memory, which 8 and 4 bits are computed by; this processor or Node ${process.version} lacks it. Use another, or MODEL_PRECISION=fp32.`,
      { cause },
    );
  }
}

async function compile(shape: LlamaShape, { table, matrices }: Packings): Promise<CompiledKernels> {
  const rotations = new Set(Array.from({ length: shape.layers }, (_, layer) => rotationOf(shape, layer)));
  const packings = new Map([table, ...matrices].map((packing) => [productName(packing), packing]));
  const bits = [...new Set([...packings.values()].map((packing) => packing.bits))];
  if (bits.includes(4)) allowRelaxed();
  const { inFours } = table;
  const lie = inFours ? 'fours' : 'pairs';
  const kernels: readonly Definition[] = [
    ...[...packings.values()].map((packing) => productKernel(packing)),
    ...bits.flatMap((each) => [normRows, gateRows, roundRows].map((rows) => rows(shape, { bits: each, inFours }))),
    ...[embedRows(shape, table), pickRows(), addSumRows(shape)],
    ...(shape.outputNorms ? [addNormRows(shape)] : []),
    ...(rotations.has('none') ? [placeRows('placePlain', shape, lie)] : []),
    ...[placeRows('place', shape, lie), attendRows(shape, lie), lowRankDown(), lowRankUp()],
  ];
  const kernelType = typeIndex(kernels, 3);
  const functions = [...kernels, workCode(kernelType), aloneCode(kernelType), helpCode(kernels.length), wakeCode];
  const module = await WebAssembly.compile(emitModule(functions, mostPages));
  const places = Object.fromEntries(kernels.map(({ name }, place) => [name, place]));
  return { module, places };
}
