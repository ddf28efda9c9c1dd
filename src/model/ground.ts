// What a predictor was trained on, as far as short runs of words tell: a Bloom filter of those its training replies held, and how many others replies
// that were held out of training had. It tells text on which ratings say little; chosen among others by bench/ground.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SteerError } from '../errors.ts';
import { faultText } from '../shape-faults.ts';
import { exists, readJson, writeJson } from './formats/json-file.ts';

export interface Ground {
  /** Share of the reply's runs of two and three words that are new or rare to training. */
  unseen: number;
  /** More of them than all but one in a hundred held-out replies have, for its length. */
  unlike: boolean;
}

export const groundFile = 'ground.json';
/** In base64, with what stands beside it, less than 64 KB. */
export const mostFilterBytes = 45_000;
/** Of one word or two nothing can be known: a name nobody had would be told. */
const leastWords = 3;
/**
 * Runs that are new come together, around a name, so their number spreads wider than the square root of all. With this power one limit gives about as
 * many false alarms at every length: bench/ground.
 */
const spread = 0.6;
/** Runs are known by so many bits of a hash: few enough to count them all in memory. */
export const keyBits = 24;
const mostHashes = 8;

const groundSchema = z.object({
  format_version: z.literal(1, 'only format_version 1 is read here'),
  /** Bits of the filter, lowest of each byte first. */
  filter: z
    .base64()
    .min(1)
    .max(mostFilterBytes * 2),
  hashes: z.int().min(1).max(mostHashes),
  /** Share of unseen runs in held-out replies, and the most there may be of them beyond it, in units of runs ^ 0.6. */
  expected: z.number().min(0).max(1),
  limit: z.number().nonnegative(),
  /** Held-out replies both were read from. */
  held_out: z.int().positive(),
});
export type GroundRecord = z.infer<typeof groundSchema>;

/** Letters of scripts without spaces count as words. */
const pieces =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]|[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{N}]+)*|[.!?;:\n。！？]+/gu;
const word = /^[\p{L}\p{M}\p{N}]/u;
const boundary = '|';
/** Far more than a reply has, and read in milliseconds. A few characters become eighteen when they are normalised, so what that gives is cut as well. */
export const mostCharacters = 20_000;

/** Keys of the runs of two and three in the start of a text, each sentence with its boundaries; none goes across one. */
export function runsOf(text: string): { words: number; keys: number[] } {
  const line = [boundary];
  let words = 0;
  const read = text.slice(0, mostCharacters).normalize('NFKC').toLowerCase().slice(0, mostCharacters);
  for (const [piece] of read.matchAll(pieces)) {
    if (word.test(piece)) words = line.push(piece) && words + 1;
    else if (line.at(-1) !== boundary) line.push(boundary);
  }
  if (line.at(-1) !== boundary) line.push(boundary);
  const keys: number[] = [];
  for (const length of [2, 3]) {
    for (let i = 0; i + length <= line.length; i++) keys.push(keyOf(line.slice(i, i + length).join(' ')));
  }
  return { words, keys };
}

/** FNV-1a, mixed, so that its upper bits are as good as its lower ones. */
function keyOf(run: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < run.length; i++) hash = Math.imul(hash ^ run.charCodeAt(i), 0x01000193);
  return mixed(hash) >>> (32 - keyBits);
}

/** The finaliser of MurmurHash3. */
function mixed(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Places of a key in a filter of so many bits. */
function* placesOf(key: number, hashes: number, bits: number): Generator<number> {
  for (let i = 1; i <= hashes; i++) yield mixed(key + (i << keyBits)) % bits;
}

/** A filter of these keys. */
export function filterOf(keys: readonly number[]): { filter: Uint8Array; hashes: number } {
  const filter = new Uint8Array(Math.min(mostFilterBytes, Math.max(1, keys.length)));
  const bits = filter.length * 8;
  const hashes = Math.min(mostHashes, Math.max(1, Math.round((bits / Math.max(1, keys.length)) * Math.LN2)));
  for (const key of keys) for (const place of placesOf(key, hashes, bits)) filter[place >> 3]! |= 1 << (place & 7);
  return { filter, hashes };
}

/** Runs of a text, and how many of them the filter does not hold; null for one too short to say. */
export function countUnseen(
  text: string,
  { filter, hashes }: ReturnType<typeof filterOf>,
): { unseen: number; runs: number } | null {
  const { words, keys } = runsOf(text);
  if (words < leastWords) return null;
  const holds = (key: number) =>
    [...placesOf(key, hashes, filter.length * 8)].every((place) => filter[place >> 3]! & (1 << (place & 7)));
  return { unseen: keys.filter((key) => !holds(key)).length, runs: keys.length };
}

/** How far the unseen runs of a text are beyond what is expected. */
export function beyond({ unseen, runs }: { unseen: number; runs: number }, expected: number): number {
  return (unseen - expected * runs) / runs ** spread;
}

/** Tells replies that are unlike those of the record; undefined for what is too short. */
export function groundReader({ filter, hashes, expected, limit }: GroundRecord): (reply: string) => Ground | undefined {
  const read = { filter: new Uint8Array(Buffer.from(filter, 'base64')), hashes };
  return (reply) => {
    const counts = countUnseen(reply, read);
    return counts ? { unseen: counts.unseen / counts.runs, unlike: beyond(counts, expected) > limit } : undefined;
  };
}

/** The record of a predictor's folder; null in one without, as earlier versions wrote them. Throws invalid_model for a damaged one. */
export async function readGround(folder: string): Promise<GroundRecord | null> {
  const path = join(folder, groundFile);
  if (!(await exists(path))) return null;
  const parsed = groundSchema.safeParse(await readJson(path));
  if (parsed.success) return parsed.data;
  const fault = faultText(parsed.error, 'content');
  throw new SteerError('invalid_model', `${path}: ${fault}. Copy it again, or remove it: then nothing is said of unlike text.`);
}

/** Writes the record, or removes that of a model that was there before. */
export async function writeGround(folder: string, ground: GroundRecord | null | undefined): Promise<void> {
  if (ground) await writeJson(join(folder, groundFile), ground);
  else await rm(join(folder, groundFile), { force: true });
}
