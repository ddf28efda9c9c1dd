// All kernels of one model's shape, compiled.
import { type LlamaShape, rotationOf } from '../../model/shape.ts';
import { attendRows } from './attention.ts';
import { placeRows } from './cache-block.ts';
import { aloneCode, helpCode, wakeCode, workCode } from './crew-code.ts';
import { productKernel, type productName } from './product.ts';
import { addNormRows, embedRows, gateRows, normRows, pickRows, roundRows } from './row-kernels.ts';
import { addSumRows } from './sum-rows.ts';
import { type Definition, emitModule, typeIndex } from './wasm.ts';

export type RowKernel = 'embed' | 'norm' | 'addNorm' | 'addSum' | 'gate' | 'round' | 'pick' | 'place' | 'placePlain';
export type KernelName = ReturnType<typeof productName> | RowKernel | 'attend';

/** Pages of 64 KiB a memory of 32-bit addresses can have. */
export const mostPages = 65_536;

/** Widths are multiples of this. */
const widthUnit = 8;

/** Calls of kernels a list may have, and how many a model's run takes at most for each layer and beside them. */
export const mostRecords = 1 << 12;
const [callsOfLayer, callsBeside] = [15, 8];

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

export async function compileKernels(shape: LlamaShape): Promise<CompiledKernels> {
  const { hiddenSize, intermediateSize, heads, headDim, layers } = shape;
  const rotations = new Set(Array.from({ length: layers }, (_, layer) => rotationOf(shape, layer)));
  const kernels: readonly Definition[] = [
    ...[...new Set([hiddenSize, intermediateSize, heads * headDim])].map(productKernel),
    ...[embedRows(shape), normRows(shape), gateRows(shape), roundRows(shape), pickRows(), addSumRows(shape)],
    ...(shape.outputNorms ? [addNormRows(shape)] : []),
    ...(rotations.has('none') ? [placeRows('placePlain', shape)] : []),
    ...[placeRows('place', shape), attendRows(shape)],
  ];
  const kernelType = typeIndex(kernels, 3);
  const functions = [...kernels, workCode(kernelType), aloneCode(kernelType), helpCode(kernels.length), wakeCode];
  const module = await WebAssembly.compile(emitModule(functions, mostPages));
  const places = Object.fromEntries(kernels.map(({ name }, place) => [name, place]));
  return { module, places };
}
