// The import table of ARCHITECTURE.md, enforced: which room may use which, and the one home of each outside package.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));

/** Files at the root of src that any room may import. */
const shared = ['steerlm', 'steering', 'errors', 'random', 'schemas', 'statistics', 'calibration'];
const stages = ['datasets', 'attributes', 'finetuning', 'generation', 'batches', 'feedback', 'evaluation', 'npc'];
const rooms: Record<string, string[]> = {
  tensor: [],
  store: [],
  llama: ['tensor'],
  jobs: ['store'],
  files: ['store'],
  datasets: ['files', 'jobs', 'store'],
  kernels: ['llama', 'tensor'],
  generation: ['kernels', 'llama', 'tensor'],
  upstream: ['generation', 'llama'],
  attributes: ['datasets', 'files', 'jobs', 'llama', 'tensor', 'store'],
  finetuning: ['datasets', 'files', 'jobs', 'llama', 'tensor', 'store'],
  batches: ['files', 'jobs', 'store'],
  feedback: ['datasets', 'jobs', 'store'],
  evaluation: ['datasets', 'attributes', 'generation', 'files', 'jobs', 'llama', 'tensor', 'store'],
  npc: ['generation', 'store'],
  playground: [],
  http: [...stages, 'files', 'jobs', 'llama', 'store', 'config'],
  commands: [...stages, 'files', 'http', 'jobs', 'llama', 'store', 'tensor', 'config', 'model-registry', 'workplace'],
  'model-registry': [...stages, 'upstream', 'http', 'llama', 'tensor', 'store', 'config'],
  workplace: [...stages, 'files', 'http', 'jobs', 'llama', 'store', 'config', 'model-registry'],
  config: [],
  main: ['commands', 'config'],
};
/** Packages with one home: a file or a folder of src. */
const homes: Record<string, string> = {
  preact: 'playground',
  uplot: 'playground/line-chart.tsx',
  'onnxruntime-node': 'tensor/session.ts',
  '@bufbuild/protobuf': 'tensor/onnx-format.ts',
  '@huggingface/tokenizers': 'llama/tokenizer.ts',
  hono: 'http',
  '@hono/node-server': 'http',
  '@hono/zod-openapi': 'http',
  ws: 'http/server.ts',
  pino: 'http',
  'eventsource-parser': 'upstream/chunks.ts',
  'pg-boss': 'jobs/dispatcher.ts',
  postgres: 'store/connect.ts',
  '@electric-sql/pglite': 'store/connect.ts',
};

function importsOf(file: string): string[] {
  const source = readFileSync(join(src, file), 'utf8');
  return [...source.matchAll(/(?:from|import|import\(|require\w*\()\s*'([^']+)'/g)].map((match) => match[1] as string);
}

function roomOf(file: string): string {
  const [first] = file.split('/') as [string];
  return first.replace(/\.ts$/, '');
}

describe('imports', () => {
  it.each(files)('%s keeps to the table', (file) => {
    const room = roomOf(file);
    if (shared.includes(room)) return;
    const allowed = rooms[room];
    expect(allowed, `${room} is not in the table`).toBeDefined();
    for (const target of importsOf(file).filter((name) => name.startsWith('.'))) {
      const other = roomOf(relative(src, resolve(src, dirname(file), target)));
      if (other === room || shared.includes(other)) continue;
      expect(allowed, `${file} imports ${target}`).toContain(other);
    }
  });

  it('each outside package has one home', () => {
    for (const file of files) {
      for (const name of importsOf(file)) {
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

  it('no file of src is longer than 300 lines', () => {
    const long = files.filter((file) => readFileSync(join(src, file), 'utf8').split('\n').length > 301);
    expect(long).toEqual([]);
  });
});
