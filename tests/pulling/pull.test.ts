// Pulling from a hub: what is taken, what is told, and that nothing half-done looks like a model.

import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { vectorsName } from '../../src/model/vectors/kept-vectors.ts';
import { lockModel } from '../../src/pulling/pulled.ts';
import { readEntry } from '../../src/registry/scan.ts';
import { HubServer, sha256 } from './hub-server.ts';
import { firstSha, openPlace, secondSha } from './pulling.ts';

const place = openPlace();
const card = (name: string) => JSON.parse(readFileSync(place.at('data', 'models', name, 'pulled.json'), 'utf8'));
const bytesOf = (...parts: string[]) => readFileSync(place.at('data', 'models', ...parts));

test('a repository of safetensors is laid down with its hashes, licence and revision, and becomes the default', async () => {
  const pulled = await place.pull('maker/tiny');
  expect(pulled).toMatchObject({ name: 'tiny', licence: 'mit', fetched: true, chats: true, becameDefault: true });
  expect(place.there()).toEqual(['default', 'tiny']);
  expect(readFileSync(place.at('data', 'models', 'default'), 'utf8')).toBe('tiny\n');
  expect(bytesOf('tiny', 'model.safetensors')).toEqual(place.tiny.files['model.safetensors']);
  expect(card('tiny')).toMatchObject({
    licence: 'mit',
    source: { from: 'hub', repository: 'maker/tiny', revision: firstSha },
  });
  const weights = card('tiny').files.find(({ path }: { path: string }) => path === 'model.safetensors');
  expect(weights.sha256).toBe(sha256(place.tiny.files['model.safetensors']!));
  expect(place.notes.join('\n')).toContain(`Its licence is mit: ${place.hub.url}/maker/tiny`);
});

test('of a repository of GGUF files the best is taken, or the one asked for, at the revision asked for', async () => {
  const { gguf } = place.tiny;
  const other = Buffer.concat([gguf, Buffer.alloc(1)]);
  const files = { 'tiny-Q4_K_M.gguf': other, 'tiny-Q8_0.gguf': gguf, 'mmproj-tiny-F16.gguf': other, 'imatrix.gguf': other };
  place.hub.repositories.set('maker/tiny-GGUF', { sha: secondSha, files });
  await place.pull('maker/tiny-GGUF');
  expect(card('tiny').files.map(({ path }: { path: string }) => path)).toEqual(['tiny-Q8_0.gguf']);
  await place.pull(`maker/tiny-GGUF@${secondSha}:tiny-Q4_K_M.gguf`, { name: 'small' });
  expect(bytesOf('small', 'tiny-Q4_K_M.gguf')).toEqual(other);
  const page = `${place.hub.url}/maker/tiny-GGUF/blob/main/tiny-Q4_K_M.gguf`;
  await place.pull(page, { name: 'from-page' });
  expect(card('from-page').source).toMatchObject({ from: 'hub', revision: secondSha });
});

test('what is there is not fetched again; a changed revision is told and fetched by force', async () => {
  await place.pull('maker/tiny-GGUF');
  const before = place.hub.fetched.length;
  expect(await place.pull('maker/tiny-GGUF')).toMatchObject({ fetched: false });
  expect(place.notes.at(-1)).toMatch(/there already .*nothing newer/);
  await place.pull('maker/tiny-GGUF', { hub: { offline: true } });
  expect(place.notes.at(-1)).toContain('The hub was not asked');
  const changed = Buffer.concat([place.tiny.gguf, Buffer.from('!')]);
  place.hub.repositories.set('maker/tiny-GGUF', { sha: secondSha, files: { 'tiny-Q8_0.gguf': changed } });
  await place.pull('maker/tiny-GGUF');
  expect(place.notes.at(-1)).toContain('main is now at bbbbbbbbbbbb; --force fetches that.');
  expect(place.hub.fetched).toHaveLength(before);
  writeFileSync(place.at('data', 'models', 'tiny', vectorsName), 'mine');
  expect(await place.pull('maker/tiny-GGUF', { force: true })).toMatchObject({ fetched: true });
  expect([bytesOf('tiny', 'tiny-Q8_0.gguf'), String(bytesOf('tiny', vectorsName))]).toEqual([changed, 'mine']);
  expect(place.there()).toEqual(['default', 'tiny']);
});

test('another content under the same revision is refused, and the model that is there stays', async () => {
  await place.pull('maker/tiny-GGUF');
  const changed = Buffer.concat([place.tiny.gguf, Buffer.from('!')]);
  place.hub.repositories.set('maker/tiny-GGUF', { sha: firstSha, files: { 'tiny-Q8_0.gguf': changed } });
  await expect(place.pull('maker/tiny-GGUF', { force: true })).rejects.toThrow(/when .* was first pulled/);
  expect(bytesOf('tiny', 'tiny-Q8_0.gguf')).toEqual(place.tiny.gguf);
});

test('the default stays with the first; a model without a template never takes it', async () => {
  const { 'tokenizer_config.json': settings, ...rest } = place.tiny.files;
  place.hub.repositories.set('maker/mute', { sha: firstSha, files: rest });
  expect(await place.pull('maker/mute')).toMatchObject({ chats: false, becameDefault: false });
  expect(await place.pull('maker/tiny')).toMatchObject({ chats: true, becameDefault: true });
  expect(await place.pull('maker/tiny-GGUF', { name: 'second' })).toMatchObject({ chats: true, becameDefault: false });
  expect(settings).toBeDefined();
});

test('a schema that is chosen stands on its card, unless it came with one', async () => {
  await place.pull('maker/tiny-GGUF', { name: 'second', schema: 'helpsteer' });
  const { id, schema } = await readEntry(place.at('data', 'models', 'second'));
  expect([id, schema.name, schema.attributes.map(({ default: level }) => level)]).toEqual([
    'second',
    'helpsteer',
    [null, null, null, null, null],
  ]);
  const own = Buffer.from(JSON.stringify({ format_version: 1, kind: 'base', name: 'own', attribute_schema: 'npc' }));
  place.hub.repositories.set('maker/own', { sha: firstSha, files: { ...place.tiny.files, 'steerlm.json': own } });
  await expect(place.pull('maker/own', { schema: 'helpsteer' })).rejects.toThrow('a card of its own');
});

describe('names', () => {
  test('one that is taken is refused before anything is fetched', async () => {
    mkdirSync(place.at('models', 'tiny'), { recursive: true });
    await expect(place.pull('maker/tiny')).rejects.toMatchObject({ code: 'conflict', details: { param: 'name' } });
    await place.pull('maker/tiny-GGUF', { name: 'mine' });
    await expect(place.pull('maker/tiny', { name: 'mine' })).rejects.toThrow(
      /mine is there already, and another one: tiny-Q8_0.gguf/,
    );
    mkdirSync(place.at('data', 'models', 'hand-made'));
    await expect(place.pull('maker/tiny', { name: 'hand-made' })).rejects.toThrow(/was not pulled/);
    for (const name of ['default', '../x', '.x', '']) {
      await expect(place.pull('maker/tiny', { name })).rejects.toMatchObject({ code: 'invalid_request' });
    }
    expect(place.hub.fetched).toHaveLength(1);
  });

  test('of the catalogue: the nearest is told', async () => {
    await expect(place.pull('smollm2-135')).rejects.toThrow(/Did you mean smollm2-135m\?/);
    await expect(place.pull('gpt')).rejects.toThrow(/Known are smollm2-135m, /);
  });
});

test('a second pull of the same model at the same time is refused', async () => {
  mkdirSync(place.at('data', 'models'), { recursive: true });
  const release = await lockModel(place.at('data', 'models'), 'tiny');
  await expect(place.pull('maker/tiny')).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('The model tiny'),
  });
  release();
  await place.pull('maker/tiny');
  expect(place.there()).toEqual(['default', 'tiny']);
});

describe('what is no model here leaves nothing', () => {
  test.each([
    ['3 .bin, 1 .md', { 'a.bin': 1, 'b.bin': 1, 'c.bin': 1, 'README.md': 1 }],
    ['1 .safetensors, 1 .json', { 'model.safetensors': 1, 'config.json': 1 }],
    ['2 .gguf', { 'tiny-IQ2_XS.gguf': 1, 'tiny-Q8_0-00001-of-00002.gguf': 1 }],
    ['no files', {}],
  ])('%s', async (found, files) => {
    const content = Object.fromEntries(Object.keys(files).map((name) => [name, Buffer.from('x')]));
    place.hub.repositories.set('maker/odd', { sha: firstSha, files: content });
    await expect(place.pull('maker/odd')).rejects.toThrow(`found ${found}`);
    expect(place.hub.fetched).toEqual([]);
    expect(place.there()).toEqual([]);
  });

  test('a shape that is not read is refused before its weights are fetched', async () => {
    const files = { ...place.tiny.files, 'config.json': Buffer.from('{"model_type": "mamba"}') };
    place.hub.repositories.set('maker/odd', { sha: firstSha, files });
    await expect(place.pull('maker/odd')).rejects.toMatchObject({
      code: 'invalid_model',
      message: expect.stringContaining('mamba'),
    });
    expect(place.hub.fetched.map(({ path }) => path)).toEqual([`/maker/odd/resolve/${firstSha}/config.json`]);
    expect(place.there()).toEqual([]);
  });

  test('a GGUF that is none, or is cut', async () => {
    for (const content of [Buffer.from('<html>'), place.tiny.gguf.subarray(0, 200)]) {
      place.hub.repositories.set('maker/odd', { sha: firstSha, files: { 'odd.gguf': content } });
      await expect(place.pull('maker/odd')).rejects.toMatchObject({ code: 'invalid_model' });
      expect(place.there()).toEqual([]);
    }
  });

  test('a file that is not there: the one there is', async () => {
    await expect(place.pull('maker/tiny-GGUF:tiny-Q4_0.gguf')).rejects.toThrow('There is tiny-Q8_0.gguf.');
    await expect(place.pull('maker/tiny-GGUF:README.md')).rejects.toThrow(/no \.gguf file/);
  });
});

describe('a full disk', () => {
  test('is seen before the start', async () => {
    const freeBytes = async () => 1_000_000;
    const refused = place.pull('maker/tiny', { freeBytes });
    await expect(refused).rejects.toMatchObject({
      code: 'disk_full',
      message: expect.stringMatching(/Expected \d+ MB free .*found 1 MB/),
    });
    expect(place.hub.fetched).toEqual([]);
  });

  test.runIf(existsSync('/dev/full'))('in the middle is one line, and leaves nothing that looks like a model', async () => {
    place.hub.cuts = [100];
    const stopped = new AbortController();
    await expect(place.pull('maker/tiny-GGUF', { sleep: async () => stopped.abort(), signal: stopped.signal })).rejects.toThrow(
      'Stopped',
    );
    const part = place.at('data', 'models', '.tiny.partial', 'tiny-Q8_0.gguf.part');
    rmSync(part);
    symlinkSync('/dev/full', part);
    await expect(place.pull('maker/tiny-GGUF')).rejects.toMatchObject({
      code: 'disk_full',
      message: `There is no room left on the disk of ${place.at('data', 'models', '.tiny.partial')}.`,
    });
    expect(place.there()).toEqual(['.tiny.partial']);
  });
});

test('files and folders of this machine, and addresses, are pulled as well', async () => {
  const { files, gguf } = place.tiny;
  writeFileSync(place.at('Some Model.gguf'), gguf);
  expect(await place.pull(place.at('Some Model.gguf'))).toMatchObject({ name: 'some-model', chats: true });
  mkdirSync(place.at('own'));
  for (const [name, content] of Object.entries(files)) writeFileSync(place.at('own', name), content);
  writeFileSync(place.at('own', 'notes.txt'), 'not taken');
  expect(await place.pull(place.at('own'))).toMatchObject({ name: 'own', chats: true, fetched: true });
  expect(existsSync(place.at('data', 'models', 'own', 'notes.txt'))).toBe(false);
  expect(await place.pull(place.at('own'))).toMatchObject({ fetched: false });
  const other = await HubServer.open();
  try {
    other.repositories.set('any/where', { sha: firstSha, files: { 'far.gguf': gguf } });
    const address = `${other.url}/any/where/resolve/main/far.gguf`;
    expect(await place.pull(address, { hub: { token: 'hf_secret' } })).toMatchObject({ name: 'far' });
    expect(other.fetched[0]!.headers.authorization).toBeUndefined();
    expect(card('far')).toMatchObject({ source: { from: 'address', place: address }, files: [{ sha256: sha256(gguf) }] });
    await expect(place.pull(`${other.url}/any/where/resolve/main/none.gguf`)).rejects.toMatchObject({ code: 'not_found' });
  } finally {
    await other.close();
  }
  await expect(place.pull('http://example.com/x.gguf')).rejects.toThrow(/expected an https address/);
  await expect(place.pull(place.at('nowhere'))).rejects.toMatchObject({ code: 'not_found' });
});

test('of a folder of this machine one .gguf is taken, and several are named', async () => {
  mkdirSync(place.at('downloads'));
  for (const name of ['a.zip', 'mmproj-F16.gguf', 'notes.txt']) writeFileSync(place.at('downloads', name), 'x');
  writeFileSync(place.at('downloads', 'tiny-Q4_K_M.gguf'), place.tiny.gguf);
  await place.pull(place.at('downloads'));
  expect(place.notes).toContainEqual(expect.stringContaining(`downloads: tiny-Q4_K_M.gguf from ${place.at('downloads')}`));
  writeFileSync(place.at('downloads', 'other-Q8_0.gguf'), place.tiny.gguf);
  await expect(place.pull(place.at('downloads'), { name: 'again' })).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringMatching(/expected one \.gguf file in .*, found 2: other-Q8_0\.gguf, tiny-Q4_K_M\.gguf\. Name the one/),
  });
  expect(place.there()).toEqual(['default', 'downloads']);
});

test('in a folder of this machine only files are models, and their names steer no terminal', async () => {
  mkdirSync(place.at('odd', 'folder.gguf'), { recursive: true });
  symlinkSync(place.at('nowhere'), place.at('odd', 'link.gguf'));
  symlinkSync('/dev/null', place.at('odd', 'device.gguf'));
  await expect(place.pull(place.at('odd'))).rejects.toThrow(/found no files/);
  writeFileSync(place.at('tiny.gguf'), place.tiny.gguf);
  symlinkSync(place.at('tiny.gguf'), place.at('odd', 'tiny.gguf'));
  await place.pull(place.at('odd'));
  expect(bytesOf('odd', 'tiny.gguf')).toEqual(place.tiny.gguf);
  writeFileSync(place.at('odd', 'a\u001b[31m\nb.gguf'), place.tiny.gguf);
  await expect(place.pull(place.at('odd'), { name: 'again' })).rejects.toThrow('found 2: a [31m b.gguf, tiny.gguf. Name');
});

test('what lies here under another name is copied, unless it is damaged or force is used', async () => {
  await place.pull('maker/tiny-GGUF');
  await place.pull('maker/tiny-GGUF', { name: 'second' });
  expect(place.notes).toContain('tiny-Q8_0.gguf is copied from tiny, which has the same file.');
  expect(bytesOf('second', 'tiny-Q8_0.gguf')).toEqual(place.tiny.gguf);
  expect(place.hub.fetched).toHaveLength(1);
  await place.pull('maker/tiny-GGUF', { name: 'third', force: true });
  expect(place.hub.fetched).toHaveLength(2);
  for (const name of ['tiny', 'second', 'third']) writeFileSync(place.at('data', 'models', name, 'tiny-Q8_0.gguf'), 'damaged');
  await place.pull('maker/tiny-GGUF', { name: 'fourth' });
  expect(place.hub.fetched).toHaveLength(3);
  expect(bytesOf('fourth', 'tiny-Q8_0.gguf')).toEqual(place.tiny.gguf);
});

test.each<[string, (path: string) => void]>([
  ['a folder', (path) => mkdirSync(path)],
  ['a link to nothing', (path) => symlinkSync('nothing', path)],
  // There is nothing that root may not read.
  ...(process.getuid?.() === 0
    ? []
    : [['unreadable', (path: string) => writeFileSync(path, 'x', { mode: 0 })] as [string, (path: string) => void]]),
])('what lies here in its place but is %s is fetched', async (_, lay) => {
  await place.pull('maker/tiny-GGUF');
  const path = place.at('data', 'models', 'tiny', 'tiny-Q8_0.gguf');
  rmSync(path);
  lay(path);
  await place.pull('maker/tiny-GGUF', { name: 'second' });
  expect(bytesOf('second', 'tiny-Q8_0.gguf')).toEqual(place.tiny.gguf);
  expect(place.hub.fetched).toHaveLength(2);
});

test('a file that was whole when a pull was stopped is not fetched again', async () => {
  const shard = (n: number) => `model-0000${n}-of-00002.safetensors`;
  const { 'model.safetensors': weights, ...rest } = place.tiny.files;
  const halves = { [shard(1)]: weights!, [shard(2)]: Buffer.concat([weights!, Buffer.alloc(1)]) };
  place.hub.repositories.set('maker/parts', { sha: firstSha, files: { ...rest, ...halves } });
  const stop = new AbortController();
  place.hub.onContent = () => place.hub.fetched.at(-1)!.path.endsWith(shard(2)) && stop.abort();
  await expect(place.pull('maker/parts', { signal: stop.signal })).rejects.toMatchObject({ code: 'cancelled' });
  // Two whole models are none that is read here; what counts is what was asked for.
  await expect(place.pull('maker/parts')).rejects.toMatchObject({ code: 'invalid_model' });
  expect(place.hub.fetched.filter(({ path }) => path.endsWith(shard(1)))).toHaveLength(1);
  expect(place.hub.fetched.filter(({ path }) => path.endsWith(shard(2)))).toHaveLength(2);
});

test('what the tools of the hub keep on this machine is copied', async () => {
  const folder = place.at('home', 'hub', 'models--maker--tiny-GGUF', 'snapshots', firstSha);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/tiny-Q8_0.gguf`, place.tiny.gguf);
  await place.pull('maker/tiny-GGUF');
  expect(place.hub.fetched).toEqual([]);
  writeFileSync(`${folder}/tiny-Q8_0.gguf`, 'damaged');
  await place.pull('maker/tiny-GGUF', { name: 'again' });
  expect(bytesOf('again', 'tiny-Q8_0.gguf')).toEqual(place.tiny.gguf);
});
