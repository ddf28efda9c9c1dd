// The import table of ARCHITECTURE.md, enforced: which room may use which, and the one home of each outside package.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const src = join(root, 'src');
const files = sourcesIn('src');

/** Rooms and files at the root of src in the order of ARCHITECTURE.md's table: each imports only itself and those that stand before it. */
const order = [
  ...[
    'errors',
    'event-loop',
    'json-line',
    'nearest-name',
    'number-text',
    'own',
    'in-memory',
    'random',
    'record-of',
    'shape-faults',
    'statistics',
    'turns',
    'private-files',
    'steerlm',
  ],
  ...['tensor', 'store', 'files', 'jobs'],
  ...['model', 'training', 'constraints', 'engine', 'generation', 'upstream'],
  ...['datasets', 'predictor', 'registry', 'pulling', 'finetuning', 'evaluation', 'feedback', 'npc', 'batches'],
  ...['config', 'http', 'playground', 'runtime', 'cli', 'main'],
];
/** Browser code knows the HTTP interface alone, settings nothing. */
const alone = ['playground', 'config'];
/** Types made of openapi.json. Only browser code goes by them; the rooms behind the interface are what the document is made of. */
const described = '../openapi/schemas.d.ts';
/** Packages with one home: a file or a folder of src. */
const homes: Record<string, string> = {
  preact: 'playground',
  uplot: 'playground/line-chart.tsx',
  'onnxruntime-node': 'tensor/session.ts',
  '@bufbuild/protobuf': 'tensor/onnx-format.ts',
  '@huggingface/tokenizers': 'model/tokenizer/tokenizer.ts',
  hono: 'http',
  '@hono/node-server': 'http',
  '@hono/zod-openapi': 'http',
  re2js: 'npc/fact-keys.ts',
  ws: 'http/server.ts',
  pino: 'http',
  'lossless-json': 'datasets/numerals.ts',
  'eventsource-parser': 'upstream/chunks.ts',
  undici: 'pulling/requests.ts',
  postgres: 'store/connect.ts',
  '@electric-sql/pglite': 'store',
};

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
}

function importsOf(path: string): string[] {
  const source = readFileSync(path, 'utf8');
  return [...source.matchAll(/(?:from|import|import\(|require\w*\()\s*'([^']+)'/g)].map((match) => match[1] as string);
}

function targetsOf(file: string): string[] {
  const local = importsOf(join(src, file)).filter((name) => name.startsWith('.'));
  return local.map((target) => relative(src, resolve(src, dirname(file), target)));
}

/** The file and all that is loaded before its first line runs. */
function loadedWith(entry: string): string[] {
  const loaded = new Set([entry]);
  for (const file of loaded) {
    const source = readFileSync(join(src, file), 'utf8');
    const imports = source.matchAll(/^(?:import|export)(?! type)(?: [^;']*? from)? '(\.[^']+)';/gm);
    for (const [, target] of imports) loaded.add(relative(src, resolve(src, dirname(file), target!)));
  }
  return [...loaded];
}

function roomOf(file: string): string {
  const [first] = file.split('/') as [string];
  return first.replace(/\.tsx?$/, '');
}

describe('imports', () => {
  it.each(files)('%s keeps to the order of rooms', (file) => {
    const room = roomOf(file);
    expect(order, `${room} is not in the table`).toContain(room);
    const before = alone.includes(room)
      ? ['errors', 'in-memory', 'nearest-name', 'number-text', 'own', 'shape-faults']
      : order.slice(0, order.indexOf(room));
    for (const target of targetsOf(file)) {
      if (room === 'playground' && target === described) continue;
      if (roomOf(target) !== room) expect(before, `${file} imports ${target}`).toContain(roomOf(target));
    }
  });

  it('each outside package has one home', () => {
    for (const file of files) {
      for (const name of importsOf(join(src, file))) {
        const owner = Object.keys(homes).find((outside) => name === outside || name.startsWith(`${outside}/`));
        if (owner) expect(file.startsWith(homes[owner]!), `${file} imports ${name}`).toBe(true);
      }
    }
  });

  it('only config.ts reads the environment', () => {
    const readers = files.filter((file) =>
      /process\.env\b(?!\.ORT_DISABLE_TELEMETRY)/.test(readFileSync(join(src, file), 'utf8')),
    );
    expect(readers).toEqual(['config.ts']);
  });

  it('no file is longer than 300 lines', () => {
    const all = ['src', 'models', 'tests', 'bench'].flatMap((folder) => sourcesIn(folder).map((file) => join(folder, file)));
    const long = all.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 301);
    expect(long).toEqual([]);
  });

  // Each costs what a start of the smallest model takes all in all.
  it.each([
    ['cli/generate.ts', ['tensor/session.ts', 'store/schema.ts', 'datasets/formats/table.ts', 'upstream/upstream-model.ts']],
    ['engine/thread-entry.ts', ['tensor/session.ts', 'tensor/onnx-format.ts', 'store/schema.ts']],
  ])('%s starts without runtime, database, datasets and upstreams', (entry, heavy) => {
    const loaded = loadedWith(entry);
    expect(loaded).toContain('model/weights.ts');
    expect(loaded.filter((file) => heavy.includes(file))).toEqual([]);
  });

  it('no file leads back to itself, by a type neither', () => {
    const graph = new Map(files.map((file) => [file, targetsOf(file)]));
    expect(circlesOf(graph)).toEqual([]);
  });
});

describe('beside src', () => {
  const folders = ['openapi', 'src', 'models', 'tests', 'bench'];

  it.each(folders)('%s knows only what stands before it: openapi, src, models, tests, bench', (folder) => {
    const before = folders.slice(0, folders.indexOf(folder) + 1);
    for (const file of sourcesIn(folder)) {
      // Benches have tests too.
      if (file.startsWith('bench/')) continue;
      for (const target of importsOf(join(root, folder, file)).filter((name) => name.startsWith('.'))) {
        const [other] = relative(root, resolve(root, folder, dirname(file), target)).split('/');
        expect(before, `${folder}/${file} imports ${target}`).toContain(other);
      }
    }
  });

  it('a test of a room imports what the room may import', () => {
    for (const file of sourcesIn('tests')) {
      const room = roomOf(file);
      if (!file.includes('/') || !order.includes(room) || room === 'playground') continue;
      const before = order.slice(0, order.indexOf(room) + 1);
      const targets = importsOf(join(root, 'tests', file)).filter((name) => name.startsWith('.'));
      for (const target of targets.map((name) => relative(src, resolve(root, 'tests', dirname(file), name)))) {
        if (!target.startsWith('..')) expect(before, `tests/${file} imports ${target}`).toContain(roomOf(target));
      }
    }
  });
});

/** Files that lead back to themselves, each circle once. */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const walk = (file: string, path: string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file]);
    if (done.has(file)) return;
    done.add(file);
    for (const target of graph.get(file) ?? []) walk(target, [...path, file]);
  };
  for (const file of graph.keys()) walk(file, []);
  return circles;
}
