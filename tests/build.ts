// Compiles the program once before the tests: engine threads and training processes start from compiled files, and browsers load the built pages.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import chromium from '@sparticuz/chromium';

export async function setup(): Promise<void> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const run = (args: string[]) => execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  run(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--noCheck']);
  run(['bin/build-playground.js']);
  // Unpacked here: two tests that began at once would each find half of what the other writes.
  await chromium.executablePath();
}
