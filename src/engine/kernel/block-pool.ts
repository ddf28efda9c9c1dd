// Blocks of keys and values, counted by how many use each: prompts, replies under the same prompt and beginnings that are kept share them. A free
// block is used again before the memory grows.

export interface BlockSource {
  readonly blockBytes: number;
  /** Address of a new block. Throws overloaded where there is no more memory. */
  newBlock(): number;
  /** Makes a block ready for another sequence. */
  clearBlock(block: number): void;
  copyBlock(from: number, to: number): void;
}

export class BlockPool {
  readonly #source: BlockSource;
  readonly #users = new Map<number, number>();
  readonly #free: number[] = [];

  constructor(source: BlockSource) {
    this.#source = source;
  }

  /** Of the blocks in use. */
  get bytes(): number {
    return this.#users.size * this.#source.blockBytes;
  }

  take(): number {
    const used = this.#free.pop();
    if (used !== undefined) this.#source.clearBlock(used);
    const block = used ?? this.#source.newBlock();
    this.#users.set(block, 1);
    return block;
  }

  retain(block: number): number {
    this.#users.set(block, this.#users.get(block)! + 1);
    return block;
  }

  release(block: number): void {
    const users = this.#users.get(block)! - 1;
    if (users > 0) {
      this.#users.set(block, users);
      return;
    }
    this.#users.delete(block);
    this.#free.push(block);
  }

  /** A block only its holder uses: the same one, or a copy in its place. */
  own(block: number): number {
    if (this.#users.get(block) === 1) return block;
    const copy = this.take();
    this.#source.copyBlock(block, copy);
    this.release(block);
    return copy;
  }
}
