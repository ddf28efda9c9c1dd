// Puts functions together to a WebAssembly module. Source: WebAssembly Core Specification 2.0, binary format.
import { type Definition, i32, typeBytes, unsigned } from './wasm.ts';

/** A module of these functions, all exported and all in the table by their order, over a shared memory imported as env.memory. */
export function emitModule(functions: readonly Definition[], mostPages: number): Uint8Array<ArrayBuffer> {
  const counts = [...new Set(functions.map(({ parameters }) => parameters))];
  const indices = functions.map((_, index) => unsigned(index));
  const types = counts.map((count) => [0x60, ...vector(new Array<number[]>(count).fill([typeBytes.i32])), 0]);
  const memory = [...text('env'), ...text('memory'), 0x02, 0x03, ...unsigned(1), ...unsigned(mostPages)];
  const bodies = functions.map(({ locals, body }) => {
    const bytes = [...vector(locals.map((type) => [1, typeBytes[type]])), ...body, 0x0b];
    return [...unsigned(bytes.length), ...bytes];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(2, vector([memory])),
    ...section(3, vector(functions.map(({ parameters }) => unsigned(counts.indexOf(parameters))))),
    ...section(4, vector([[0x70, 0x00, ...unsigned(functions.length)]])),
    ...section(7, vector(functions.map(({ name }, index) => [...text(name), 0x00, ...indices[index]!]))),
    ...section(9, vector([[0x00, ...i32.const(0), 0x0b, ...vector(indices)]])),
    ...section(10, vector(bodies)),
  ]);
}

/** Where the function type of so many parameters lies in the module of these functions. */
export function typeIndex(functions: readonly Pick<Definition, 'parameters'>[], parameters: number): number {
  return [...new Set(functions.map((each) => each.parameters))].indexOf(parameters);
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function section(id: number, bytes: readonly number[]): number[] {
  return [id, ...unsigned(bytes.length), ...bytes];
}

function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)];
  return [...unsigned(bytes.length), ...bytes];
}
