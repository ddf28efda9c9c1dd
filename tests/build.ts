// Compiles the program once before the tests: engine threads and training processes start from compiled files, and browsers load the built pages.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function setup(): void {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const run = (args: string[]) => execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  run(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--noCheck']);
  run(['bin/build-playground.js']);
}
