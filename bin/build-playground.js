// Bundles the playground for browsers: one script, one style sheet and the page, and beside them the API reference. Plain JavaScript, since it runs
// before anything is compiled.
import { cpSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Writes index.html and assets/ into `out`. */
export async function buildPlayground(out) {
  const { build } = await import('esbuild');
  const source = join(root, 'src', 'playground');
  const assets = join(out, 'assets');
  mkdirSync(assets, { recursive: true });
  await build({
    entryPoints: { app: join(source, 'app.tsx'), docs: join(source, 'docs.ts') },
    outdir: assets,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'error',
  });
  cpSync(join(source, 'index.html'), join(out, 'index.html'));
  cpSync(join(source, 'docs.html'), join(out, 'docs.html'));
  const reference = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js']) cpSync(join(reference, name), join(assets, name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPlayground(join(root, 'dist', 'playground'));
