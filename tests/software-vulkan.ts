// A Vulkan driver that computes on the processor, so that the webgpu provider can be tested without a graphics device: SwiftShader, as a
// package that brings a browser carries it for Linux x64. Unpacked once, into node_modules/.cache.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

const require = createRequire(import.meta.url);

/** Where this driver exists. */
export const hasSoftwareVulkan = process.platform === 'linux' && process.arch === 'x64';

const wanted = ['libvk_swiftshader.so', 'vk_swiftshader_icd.json', 'libvulkan.so.1'];

/** Variables a process must be started with to find the driver; setting them later is too late for the loader of libraries. */
export function softwareVulkan(): Record<string, string> {
  const folder = softwareVulkanFolder();
  const driver = join(folder, 'vk_swiftshader_icd.json');
  return { LD_LIBRARY_PATH: folder, VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver };
}

/** The folder with the driver, its description, and the loader of drivers. */
export function softwareVulkanFolder(): string {
  const home = packageFolder(require.resolve('@sparticuz/chromium'));
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string };
  const cache = join(home, '../../.cache');
  const folder = join(cache, `swiftshader-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const partial = mkdtempSync(join(cache, 'swiftshader-'));
  const archive = brotliDecompressSync(readFileSync(join(home, 'bin', 'swiftshader.tar.br')));
  for (const [name, bytes] of filesOf(archive)) if (wanted.includes(name)) writeFileSync(join(partial, name), bytes);
  try {
    renameSync(partial, folder);
  } catch (error) {
    // Another process was faster.
    rmSync(partial, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

function packageFolder(file: string): string {
  const folder = dirname(file);
  return existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'bin')) ? folder : packageFolder(folder);
}

const block = 512;

/** Names and contents of the plain files of a tar archive. */
function* filesOf(archive: Buffer): Generator<[string, Buffer]> {
  for (let at = 0; at + block <= archive.length && archive[at] !== 0; ) {
    const field = (start: number, length: number) =>
      archive.toString('latin1', at + start, at + start + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(field(124, 12), 8);
    const plain = ['0', ''].includes(field(156, 1));
    if (plain) yield [field(0, 100).replace(/^\.\//, ''), archive.subarray(at + block, at + block + size)];
    at += block * (1 + Math.ceil(size / block));
  }
}
