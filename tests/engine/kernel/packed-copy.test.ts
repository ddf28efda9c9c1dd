// Packed copies: read as they were written, and made anew, which is said, where they are torn, stale or another model's; a model loads without them too.
import { mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PackedCopy } from '../../../src/engine/kernel/packed-copy.ts';
import { openRunner } from '../../../src/engine/open-runner.ts';

const bytesOf = (length: number, from = 1) => Uint8Array.from({ length }, (_, i) => (from + i * 7) % 251);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packed-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Made {
  copy: PackedCopy;
  notes: string[];
}

let places = 0;
function make({
  made = 'one',
  mostBytes = 2 ** 20,
  place = join(folder, `${places++}`, 'cache'),
} = {}): Made & { place: string } {
  const notes: string[] = [];
  return { copy: new PackedCopy({ folder: place, mostBytes }, made, (note) => notes.push(note)), notes, place };
}

it.each([64, 1003, 2 ** 23, 2 ** 23 + 1003])('reads %s bytes as they were written, for its owner alone', async (length) => {
  const { copy, notes } = make({ mostBytes: 2 ** 24 });
  const into = new Uint8Array(new SharedArrayBuffer(length));
  expect(await copy.read(into)).toBe(false);
  await copy.write(bytesOf(length));
  expect(await copy.read(into)).toBe(true);
  expect(Buffer.compare(into, bytesOf(length))).toBe(0);
  expect((await stat(copy.path)).mode & 0o777).toBe(0o600);
  expect(notes).toEqual([]);
});

const damages: [string, (path: string, other: string) => Promise<void>, RegExp][] = [
  ['torn', (path) => truncate(path, 700), /has 700 bytes instead of 1064/],
  [
    'changed in one bit',
    async (path) => {
      const bytes = await readFile(path);
      bytes[500]! ^= 4;
      await writeFile(path, bytes);
    },
    /is damaged/,
  ],
  ['that of another model', async (path, other) => writeFile(path, await readFile(other)), /is of another model/],
];

it.each(damages)('makes one anew that is %s, and says so', async (_, damage, told) => {
  const { copy, notes, place } = make();
  const other = make({ made: 'other', place });
  await copy.write(bytesOf(1000));
  await other.copy.write(bytesOf(1000, 5));
  await damage(copy.path, other.copy.path);
  const into = new Uint8Array(1000).fill(9);
  expect(await copy.read(into)).toBe(false);
  expect(into.every((byte) => byte === 0)).toBe(true);
  expect(notes).toEqual([expect.stringMatching(told)]);
  await copy.write(bytesOf(1000));
  expect(await copy.read(into)).toBe(true);
});

it('goes without one where none can be written, and says why', async () => {
  const { copy, notes } = make({ place: '/proc/none/cache' });
  await copy.write(bytesOf(64));
  expect(notes).toEqual([expect.stringMatching(/No packed copy is kept in \/proc\/none\/cache/)]);
  expect(await copy.read(new Uint8Array(64))).toBe(false);
});

it('drops those unused for longest, and what was left half written', async () => {
  const place = join(folder, 'bounded');
  const copies = ['a', 'b', 'c'].map((made) => make({ made, place, mostBytes: 2500 }).copy);
  const [first, second, third] = copies as [PackedCopy, PackedCopy, PackedCopy];
  await first.write(bytesOf(1000));
  await writeFile(join(place, '.1-x.packed'), bytesOf(50));
  await second.write(bytesOf(1000));
  for (const [i, path] of [join(place, '.1-x.packed'), second.path, first.path].entries()) await utimes(path, i + 1, i + 1);
  await third.write(bytesOf(1000));
  expect((await readdir(place)).map((name) => join(place, name)).sort()).toEqual([first.path, third.path].sort());
  await make({ made: 'd', place, mostBytes: 900 }).copy.write(bytesOf(1000));
  expect(await readdir(place)).toHaveLength(2);
});

it('gives the very same scores from a copy as from the files, and follows these when they change', async () => {
  const place = join(folder, 'model');
  const scoresOf = async () => {
    const notes: string[] = [];
    const packed = { folder: place, mostBytes: 2 ** 30, told: (note: string) => notes.push(note) };
    const sizes = { cacheBytes: 2 ** 24, prefixBytes: 0, sequences: 4 };
    const { runner, dispose } = await openRunner('models/npc', {
      threads: 1,
      precision: 'int8',
      provider: 'cpu',
      ...sizes,
      packed,
    });
    const reading = runner.read([5, 9, 300, 7]);
    await runner.advance(reading, 4);
    const scores = reading.scores!.slice();
    await dispose();
    return { scores, notes };
  };
  const first = await scoresOf();
  const [name] = await readdir(place);
  const written = (await stat(join(place, name!))).mtimeMs;
  const again = await scoresOf();
  expect(again.scores).toEqual(first.scores);
  await truncate(join(place, name!), 1000);
  const mended = await scoresOf();
  expect(mended.scores).toEqual(first.scores);
  expect(mended.notes).toHaveLength(1);
  expect((await stat(join(place, name!))).size).toBeGreaterThan(1000);
  expect(written).toBeGreaterThan(0);
});
