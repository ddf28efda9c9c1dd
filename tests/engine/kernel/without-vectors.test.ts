// A processor without vectors, which V8 is told to see: one clear line, with what helps.
import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { tinyShape } from '../../model/tiny-shape.ts';

it.each([8, 4] as const)('says so for %s bits, and what helps', async (bits) => {
  const shape = { ...tinyShape, hiddenSize: 32, intermediateSize: 32 };
  const packing = { bits, columns: 32, block: 32, inFours: false };
  const kernels = pathToFileURL('dist/src/engine/kernel/kernels.js');
  const script = `
    const { compileKernels } = await import(${JSON.stringify(kernels.href)});
    const packings = ${JSON.stringify({ table: { ...packing, bits: 8 }, matrices: [packing] })};
    await compileKernels(${JSON.stringify(shape)}, packings).catch(({ code, message }) => console.log(code, message));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-enable-sse4-1', '--input-type=module', '-e', script]);
  // Where there is no such switch, as on other processors, the kernels compile.
  if (process.arch === 'x64') expect(stdout).toMatch(/^invalid_config Expected WebAssembly with vectors .*MODEL_PRECISION=fp32/);
});
