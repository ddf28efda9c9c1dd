// Keys and values of the beginnings of prompts, so that a persona many requests share is read once. A tree of chunks: what is found is what the very
// same tokens gave, never a hash that happens to agree. Least recently used leaves go first.
import { LeastRecent, type Used } from './least-recent.ts';
import { chunkTokens } from './scheduler.ts';

/** What is kept of a chunk: its keys and values as they leave the decoding graph, or whatever else leads to them. */
export interface Kept {
  readonly byteLength: number;
}

interface Branch<Rows> {
  children: Map<string, Chunk<Rows>>;
}

interface Chunk<Rows> extends Branch<Rows>, Used {
  rows: Rows;
  parent: Chunk<Rows> | undefined;
  key: string;
}

export class PrefixCache<Rows extends Kept = Float32Array> {
  readonly #mostBytes: number;
  readonly #chunk: number;
  readonly #onDropped: (rows: Rows) => void;
  readonly #root: Branch<Rows> = { children: new Map() };
  readonly #leaves = new LeastRecent<Chunk<Rows>>();
  /** How far each prompt has come, so that its next chunk is added from there: so many of its tokens lead to that branch. */
  readonly #places = new WeakMap<readonly number[], { tokens: number; adapter: string | undefined; branch: Branch<Rows> }>();
  #bytes = 0;
  #clock = 0;

  /** `chunk`: tokens that are kept together. */
  constructor(mostBytes: number, onDropped: (rows: Rows) => void = () => {}, chunk = chunkTokens) {
    this.#mostBytes = mostBytes;
    this.#chunk = chunk;
    this.#onDropped = onDropped;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Rows of the chunks the first `most` tokens of a prompt consist of, in order; never all of it, since its last token has to be read for its scores.
   * What was read under an adapter is found under that alone.
   */
  find(prompt: readonly number[], most = Number.POSITIVE_INFINITY, adapter?: string): Rows[] {
    const found = this.#follow(prompt, Math.min(most, prompt.length - 1), adapter);
    for (const chunk of found) chunk.usedAt = ++this.#clock;
    this.#places.set(prompt, { tokens: found.length * this.#chunk, adapter, branch: found.at(-1) ?? this.#root });
    return found.map(({ rows }) => rows);
  }

  /** Keeps the rows of the chunk of `prompt` that begins at `start`; the chunks before it must be there, else it is not kept. Says whether it is. */
  add(prompt: readonly number[], start: number, rows: Rows, adapter?: string): boolean {
    const branch = this.#branchAt(prompt, start, adapter);
    if (!branch) return false;
    const key = this.#keyOf(prompt, start, adapter);
    const known = branch.children.get(key);
    if (!known && rows.byteLength > this.#mostBytes) return false;
    const chunk = known ?? this.#grow(branch, key, rows);
    this.#places.set(prompt, { tokens: start + this.#chunk, adapter, branch: chunk });
    while (this.#bytes > this.#mostBytes) this.#evict();
    return !known;
  }

  /** Drops everything. */
  clear(): void {
    while (this.#root.children.size > 0) this.#evict();
  }

  #grow(branch: Branch<Rows>, key: string, rows: Rows): Chunk<Rows> {
    const parent = branch === this.#root ? undefined : (branch as Chunk<Rows>);
    const usedAt = ++this.#clock;
    const chunk: Chunk<Rows> = { rows, children: new Map(), parent, key, usedAt, queuedAt: undefined };
    branch.children.set(key, chunk);
    this.#leaves.put(chunk);
    this.#bytes += rows.byteLength;
    return chunk;
  }

  /** Where the first `tokens` of a prompt lead, from where it was left if that is there. */
  #branchAt(prompt: readonly number[], tokens: number, adapter: string | undefined): Branch<Rows> | undefined {
    const place = this.#places.get(prompt);
    if (place?.tokens === tokens && place.adapter === adapter && this.#holds(place.branch)) return place.branch;
    const chunks = this.#follow(prompt, tokens, adapter);
    return chunks.length * this.#chunk === tokens ? (chunks.at(-1) ?? this.#root) : undefined;
  }

  #holds(branch: Branch<Rows>): boolean {
    if (branch === this.#root) return true;
    const { parent, key } = branch as Chunk<Rows>;
    return (parent ?? this.#root).children.get(key) === branch;
  }

  /** The chunks that are kept of the first `tokens` of a prompt. */
  #follow(prompt: readonly number[], tokens: number, adapter: string | undefined): Chunk<Rows>[] {
    const chunks: Chunk<Rows>[] = [];
    for (let end = this.#chunk; end <= tokens; end += this.#chunk) {
      const chunk = (chunks.at(-1) ?? this.#root).children.get(this.#keyOf(prompt, end - this.#chunk, adapter));
      if (!chunk) break;
      chunks.push(chunk);
    }
    return chunks;
  }

  #evict(): void {
    const oldest = this.#leaves.take(({ children }) => children.size === 0)!;
    const { parent, key, rows } = oldest;
    // So that a prompt which stood there keeps none of the others alive.
    oldest.parent = undefined;
    (parent ?? this.#root).children.delete(key);
    if (parent?.children.size === 0) this.#leaves.put(parent);
    this.#bytes -= rows.byteLength;
    this.#onDropped(rows);
  }

  /** The first chunk of a prompt tells its adapter apart, and with it all that follow. */
  #keyOf(prompt: readonly number[], start: number, adapter: string | undefined): string {
    const ids = prompt.slice(start, start + this.#chunk).join();
    return start === 0 && adapter !== undefined ? `${adapter}:${ids}` : ids;
  }
}
