// Keys and values of the beginnings of prompts, so that a persona many requests share is read once. A tree of chunks: what is found is what the
// very same tokens gave, never a hash that happens to agree. Least recently used leaves go first. Knows no runtime.
import { chunkTokens } from './scheduler.ts';

/** What is kept of a chunk: its keys and values as they leave the decoding graph, or whatever else leads to them. */
export interface Kept {
  readonly byteLength: number;
}

interface Chunk<Rows> {
  rows: Rows;
  children: Map<string, Chunk<Rows>>;
  parent: Chunk<Rows> | null;
  key: string;
  usedAt: number;
}

export class PrefixCache<Rows extends Kept = Float32Array> {
  readonly #mostBytes: number;
  readonly #onDropped: (rows: Rows) => void;
  readonly #root = new Map<string, Chunk<Rows>>();
  #bytes = 0;
  #clock = 0;

  constructor(mostBytes: number, onDropped: (rows: Rows) => void = () => {}) {
    this.#mostBytes = mostBytes;
    this.#onDropped = onDropped;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Rows of the chunks a prompt begins with, in order; never all of it, since its last token has to be read for its scores. */
  find(prompt: readonly number[]): Rows[] {
    const found: Rows[] = [];
    let children = this.#root;
    for (let start = 0; start + chunkTokens < prompt.length; start += chunkTokens) {
      const chunk = children.get(keyOf(prompt, start));
      if (!chunk) break;
      chunk.usedAt = ++this.#clock;
      found.push(chunk.rows);
      children = chunk.children;
    }
    return found;
  }

  /** Keeps the rows of the chunk of `prompt` that begins at `start`; the chunks before it must be there, else it is not kept. Says whether it is. */
  add(prompt: readonly number[], start: number, rows: Rows): boolean {
    let children = this.#root;
    let parent: Chunk<Rows> | null = null;
    for (let at = 0; at < start; at += chunkTokens) {
      parent = children.get(keyOf(prompt, at)) ?? null;
      if (!parent) return false;
      children = parent.children;
    }
    const key = keyOf(prompt, start);
    if (children.has(key) || rows.byteLength > this.#mostBytes) return false;
    children.set(key, { rows, children: new Map(), parent, key, usedAt: ++this.#clock });
    this.#bytes += rows.byteLength;
    while (this.#bytes > this.#mostBytes) this.#evict();
    return true;
  }

  /** Drops everything. */
  clear(): void {
    while (this.#root.size > 0) this.#evict();
  }

  #evict(): void {
    let oldest: Chunk<Rows> | undefined;
    const visit = (children: Map<string, Chunk<Rows>>): void => {
      for (const chunk of children.values()) {
        if (chunk.children.size > 0) visit(chunk.children);
        else if (!oldest || chunk.usedAt < oldest.usedAt) oldest = chunk;
      }
    };
    visit(this.#root);
    if (!oldest) return;
    (oldest.parent?.children ?? this.#root).delete(oldest.key);
    this.#bytes -= oldest.rows.byteLength;
    this.#onDropped(oldest.rows);
  }
}

function keyOf(prompt: readonly number[], start: number): string {
  return prompt.slice(start, start + chunkTokens).join();
}
