// The cache of beginnings against one that looks at everything: what is found, what is kept and what goes first; and how much it looks at.
import { expect, it } from 'vitest';
import { LeastRecent, type Used } from '../../src/engine/least-recent.ts';
import { PrefixCache } from '../../src/engine/prefix-cache.ts';
import { chunkTokens } from '../../src/engine/scheduler.ts';
import { randomStream } from '../../src/random.ts';

interface Rows {
  byteLength: number;
}

/** Chunks by the letters that lead to them; lets go of the leaf whose last use is the longest ago. */
class NaiveCache {
  readonly #kept = new Map<string, { rows: Rows; usedAt: number }>();
  readonly dropped: Rows[] = [];
  readonly #mostBytes: number;
  #clock = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get bytes(): number {
    return [...this.#kept.values()].reduce((sum, { rows }) => sum + rows.byteLength, 0);
  }

  find(letters: string): Rows[] {
    const found: Rows[] = [];
    for (let i = 1; i <= letters.length; i++) {
      const chunk = this.#kept.get(letters.slice(0, i));
      if (!chunk) break;
      chunk.usedAt = ++this.#clock;
      found.push(chunk.rows);
    }
    return found;
  }

  add(letters: string, rows: Rows): boolean {
    const before = letters.slice(0, -1);
    if ((before && !this.#kept.has(before)) || this.#kept.has(letters) || rows.byteLength > this.#mostBytes) return false;
    this.#kept.set(letters, { rows, usedAt: ++this.#clock });
    while (this.bytes > this.#mostBytes) {
      const isLeaf = (at: string) => ![...this.#kept.keys()].some((other) => other.length > at.length && other.startsWith(at));
      const [oldest] = [...this.#kept].filter(([at]) => isLeaf(at)).toSorted(([, a], [, b]) => a.usedAt - b.usedAt);
      this.#kept.delete(oldest![0]);
      this.dropped.push(oldest![1].rows);
    }
    return true;
  }
}

/** A prompt with a chunk for each letter, and the token that is always read. */
const promptOf = (letters: string) =>
  [...letters].flatMap((letter) => Array<number>(chunkTokens).fill(letter.charCodeAt(0))).concat(1);

it('finds, keeps and lets go of what one that looks at everything does, however many readers are on their way', () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = randomStream('prefix-cache', seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const mostBytes = 20 + below(60);
    const dropped: Rows[] = [];
    const cache = new PrefixCache<Rows>(mostBytes, (rows) => dropped.push(rows));
    const naive = new NaiveCache(mostBytes);
    const readers: { letters: string; prompt: number[]; at: number }[] = [];
    for (let step = 0; step < 400; step++) {
      const where = `seed ${seed}, step ${step}`;
      if (readers.length === 0 || random() < 0.3) {
        const letters = Array.from({ length: 1 + below(6) }, () => 'abc'[below(3)]).join('');
        const prompt = promptOf(letters);
        const found = cache.find(prompt);
        expect(found, where).toEqual(naive.find(letters));
        readers.push({ letters, prompt, at: found.length });
        continue;
      }
      const place = below(readers.length);
      const reader = readers[place]!;
      if (reader.at === reader.letters.length) readers.splice(place, 1);
      else {
        const rows = { byteLength: 1 + below(12), step };
        const kept = cache.add(reader.prompt, reader.at * chunkTokens, rows);
        reader.at++;
        expect(kept, where).toBe(naive.add(reader.letters.slice(0, reader.at), rows));
      }
      expect([cache.bytes, dropped], where).toEqual([naive.bytes, naive.dropped]);
    }
    expect(dropped.length, `seed ${seed}`).toBeGreaterThan(20);
    cache.clear();
    expect(cache.bytes).toBe(0);
  }
});

it('looks at each chunk of a prompt once as it is added, however many lie before it', () => {
  const cache = new PrefixCache<Rows>(1_000);
  let looked = 0;
  const prompt = Object.assign(promptOf('abcdefgh'.repeat(25)), {
    slice(this: number[], start: number, end: number) {
      looked++;
      return Array.prototype.slice.call(this, start, end) as number[];
    },
  });
  expect(cache.find(prompt)).toEqual([]);
  looked = 0;
  for (let i = 0; i < 200; i++) expect(cache.add(prompt, i * chunkTokens, { byteLength: 1 })).toBe(true);
  expect(looked).toBe(200);
});

it('compares a few leaves to find the oldest of many', () => {
  const count = 4_096;
  let compared = 0;
  const things = Array.from({ length: count }, (_, i): Used => {
    let queuedAt: number | undefined;
    return {
      usedAt: (i * 2_654_435_761) % 2 ** 32,
      get queuedAt() {
        compared++;
        return queuedAt;
      },
      set queuedAt(value) {
        queuedAt = value;
      },
    };
  });
  const oldest = new LeastRecent<Used>();
  for (const thing of things) oldest.put(thing);
  const taken = Array.from(things, () => oldest.take(() => true)!.usedAt);
  expect(taken).toEqual(things.map(({ usedAt }) => usedAt).toSorted((a, b) => a - b));
  expect(oldest.take(() => true)).toBeUndefined();
  expect(compared).toBeLessThan(6 * count * Math.log2(count));
});

it('keeps what is read of one list under two adapters at once for each of them', () => {
  const cache = new PrefixCache<Rows & { of: string }>(100);
  const prompt = Array.from({ length: 2 * chunkTokens + 1 }, (_, i) => i);
  const rows = (of: string) => ({ byteLength: 1, of });
  const found = (adapter?: string) => cache.find(prompt, undefined, adapter).map(({ of }) => of);
  expect([found('a'), found()]).toEqual([[], []]);
  for (const start of [0, chunkTokens]) {
    expect(cache.add(prompt, start, rows(`a ${start}`), 'a')).toBe(true);
    expect(cache.add(prompt, start, rows(`${start}`))).toBe(true);
  }
  expect([found('a'), found(), found('')]).toEqual([['a 0', 'a 64'], ['0', '64'], []]);
});
