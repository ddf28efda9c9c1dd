#!/usr/bin/env node
process.env.ORT_DISABLE_TELEMETRY = '1';

// The `steer` command. In a checkout it compiles the program first when a source is newer than what was compiled; an installed
// package brings its compiled files along. Plain JavaScript, since it runs before anything is compiled.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPlayground } from './build-playground.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const main = join(root, 'dist', 'src', 'main.js');

if (existsSync(join(root, 'src', 'main.ts')) && isStale()) await compile();
await import(new URL('../dist/src/main.js', import.meta.url).href);

function isStale() {
  if (!existsSync(main)) return true;
  const compiled = statSync(main).mtimeMs;
  return ['src', 'models', 'bench']
    .flatMap((name) => sourcesIn(join(root, name)))
    .some((path) => statSync(path).mtimeMs > compiled);
}

function sourcesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourcesIn(path);
    return /\.(ts|tsx|css|html)$/.test(entry.name) ? [path] : [];
  });
}

/** Compiles beside dist and moves the files over one by one, so that another process starting now never reads half a file. */
async function compile() {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(compiler)) fail('The program is not compiled yet, and its compiler is not installed. Run: npm ci');
  const started = new Date();
  const fresh = join(root, `dist.${process.pid}`);
  const options = ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', fresh];
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...options], { cwd: root, encoding: 'utf8' });
  if (status === 0) {
    await buildPlayground(join(fresh, 'playground'));
    utimesSync(join(fresh, 'src', 'main.js'), started, started);
    move(fresh, join(root, 'dist'));
    renameSync(join(fresh, 'src', 'main.js'), main);
  }
  rmSync(fresh, { recursive: true, force: true });
  if (status !== 0) fail(`The program does not compile:\n${stdout}`);
}

/** All but main.js, whose time says that everything else is there. */
function move(from, to) {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) move(source, target);
    else if (target !== main) renameSync(source, target);
  }
}

function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(1);
}
