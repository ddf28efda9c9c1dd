// The pages for people: the playground at /, the API reference at /docs, and what both load. Open to everyone, since they hold no data: what they show
// they ask for like any other caller, with a key where the server has one.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AppEnv, RequestContext } from '../app-context.ts';
import { describeApi } from '../openapi.ts';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
};

interface Served {
  type: string;
  etag: string;
  /** By content encoding. */
  bodies: Record<'br' | 'gzip' | 'identity', () => Uint8Array<ArrayBuffer>>;
}

/** Nothing from elsewhere is loaded, and nothing here may be framed. */
const headers = {
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Adds the pages. */
export function addPlayground(app: OpenAPIHono<AppEnv>): void {
  const files = once(readPlayground);
  const document = once(() => serve('.json', Buffer.from(JSON.stringify(describeApi(app)))));
  for (const [path, name] of [
    ['/', 'index.html'],
    ['/docs', 'docs.html'],
  ] as const) {
    app.get(path, (c, next) => answer(c, files().get(name)) ?? next());
  }
  app.get('/assets/:name', (c, next) => answer(c, files().get(`assets/${c.req.param('name')}`)) ?? next());
  app.get('/openapi.json', (c) => answer(c, document())!);
}

/** Whether the address shows pages to people, and no data. */
export function isPage(path: string): boolean {
  return path === '/' || path === '/docs' || path === '/openapi.json' || path.startsWith('/assets/');
}

/** What the build left: beside the compiled program, or under dist where the sources run. */
function readPlayground(): Map<string, Served> {
  const folder = ['../../../playground', '../../../dist/playground']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(join(path, 'index.html')));
  if (folder === undefined) return new Map();
  const names = ['index.html', 'docs.html', ...readdirSync(join(folder, 'assets')).map((name) => `assets/${name}`)];
  return new Map(names.map((name) => [name, serve(extname(name), readFileSync(join(folder, name)))]));
}

function serve(ending: string, content: Buffer): Served {
  return {
    type: types[ending] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(content).digest('base64url').slice(0, 16)}"`,
    bodies: {
      br: once(() => new Uint8Array(brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }))),
      gzip: once(() => new Uint8Array(gzipSync(content))),
      identity: () => new Uint8Array(content),
    },
  };
}

function answer(c: RequestContext, file: Served | undefined): Response | undefined {
  if (!file) return undefined;
  const encoding = (['br', 'gzip'] as const).find((name) => c.req.header('accept-encoding')?.includes(name)) ?? 'identity';
  const said = { ...headers, etag: file.etag, vary: 'Accept-Encoding', 'cache-control': 'no-cache' };
  if (c.req.header('if-none-match') === file.etag) return c.body(null, 304, said);
  const named = encoding === 'identity' ? {} : { 'content-encoding': encoding };
  return c.body(file.bodies[encoding](), 200, { ...said, ...named, 'content-type': file.type });
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
