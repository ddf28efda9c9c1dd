// Products of bytes that WebAssembly calls relaxed, and which of the two kinds is the faster one here. Both give the very same sums.
import { setFlagsFromString } from 'node:v8';
import { type Code, define, i8x16, i16x8, i32, i32x4, jumpIf, loop, v128 } from './wasm.ts';
import { emitModule } from './wasm-module.ts';

/** The engine of Node 20 has relaxed products behind a flag, later ones by default. */
export function allowRelaxed(): void {
  if (nodeMajor < 22) setFlagsFromString('--experimental-wasm-relaxed-simd');
}

let found: boolean | undefined;

/**
 * Whether sums over fours of bytes, added to 32 bits, take less time than sums over pairs, added to 16. They are one instruction where both the processor
 * and the engine know VNNI, and six elsewhere. The engine does not tell, so 20 ms are spent to find out: what is compiled well comes after a few.
 */
export function foursAreFaster(): boolean {
  found ??= nodeMajor >= firstWithFours && measure();
  return found;
}

const nodeMajor = Number(process.versions.node.split('.')[0]);
/** Before it no engine makes one instruction of them, and the quick compiler of Node 20 leaves out what they are added to. */
const firstWithFours = 24;
const [probeMs, steps] = [20, 2000];

function measure(): boolean {
  const module = new WebAssembly.Module(emitModule([repeated('fours', plusFours), repeated('pairs', plusPairs)], 1));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const { fours, pairs } = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<string, () => void>;
  // The least of many is free of what else the machine does.
  let [ofFours, ofPairs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const endMs = performance.now() + probeMs; performance.now() < endMs; ) {
    ofFours = Math.min(ofFours, timeOf(fours!));
    ofPairs = Math.min(ofPairs, timeOf(pairs!));
  }
  return ofFours < ofPairs;
}

function timeOf(run: () => void): number {
  const startMs = performance.now();
  run();
  return performance.now() - startMs;
}

/** The sum plus the products of two vectors of bytes, the first with signs, the second below 128. */
export type PlusProducts = (sum: Code, signed: Code, small: Code) => Code;

export const plusFours: PlusProducts = (sum, signed, small) => i32x4.dotI8x16I7x16Add(signed, small, sum);
export const plusPairs: PlusProducts = (sum, signed, small) => i16x8.add(sum, i16x8.dotI8x16I7x16(signed, small));

/** Eight sums of other products each, which do not wait for each other, over and over. */
function repeated(name: string, plus: PlusProducts) {
  return define(name, 0, (frame) => {
    const left = frame.local('i32');
    const [sums, signed, small] = [frame.locals('v128', 8), frame.locals('v128', 4), frame.locals('v128', 2)];
    return [
      ...signed.map((vector, index) => vector.set(i8x16.splat(i32.const(3 + index)))),
      ...small.map((vector, index) => vector.set(i8x16.splat(i32.const(5 + index)))),
      left.set(i32.const(steps)),
      loop(
        ...sums.map((sum, index) => sum.set(plus(sum.get, signed[index >> 1]!.get, small[index & 1]!.get))),
        // Else the products would be taken out of the loop.
        ...signed.map((vector, index) => vector.set(i16x8.add(vector.get, small[index & 1]!.get))),
        left.set(i32.sub(left.get, i32.const(1))),
        jumpIf(left.get, 0),
      ),
      // Stored, or nothing would have to be computed.
      ...sums.map((sum, index) => v128.store(i32.const(16 * index), sum.get)),
    ];
  });
}
