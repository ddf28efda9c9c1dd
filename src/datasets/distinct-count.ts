// Counts different values of a long stream in eight bytes or so each: 64 bits of a hash stand for a value. A database that sorts them all to count
// them would hold up everyone else meanwhile.
import { createHash } from 'node:crypto';

const firstSlots = 1_024;

export class DistinctCount {
  count = 0;
  /** Two words a slot; the second of a slot in use is not 0. */
  #words = new Uint32Array(2 * firstSlots);

  /** A value of any length. */
  add(value: string): void {
    this.addHash(createHash('sha256').update(value).digest('hex'));
  }

  /** A value whose SHA-256 in hex is known; its first 16 digits do. */
  addHash(hex: string): void {
    const [high, low] = [Number.parseInt(hex.slice(0, 8), 16), Number.parseInt(hex.slice(8, 16), 16) || 1];
    if (!place(this.#words, high, low)) return;
    if (++this.count * 4 <= this.#words.length) return;
    const old = this.#words;
    this.#words = new Uint32Array(2 * old.length);
    for (let i = 0; i < old.length; i += 2) if (old[i + 1] !== 0) place(this.#words, old[i]!, old[i + 1]!);
  }
}

/** Whether the value was new. */
function place(words: Uint32Array, high: number, low: number): boolean {
  const mask = words.length - 1;
  let at = (2 * low) & mask;
  for (; words[at + 1] !== 0; at = (at + 2) & mask) if (words[at] === high && words[at + 1] === low) return false;
  words[at] = high;
  words[at + 1] = low;
  return true;
}
