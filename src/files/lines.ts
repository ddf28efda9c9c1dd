// Bytes as UTF-8 text, and text as lines, while they stream by. Holds no more than a chunk or a line, skips blank text without holding it, and lets
// other work of the process have its turn after so much.
import { setImmediate } from 'node:timers/promises';
import { SteerError } from '../errors.ts';
import { Stint } from '../event-loop.ts';

/** Longest line or record held in memory, in characters. */
export const maxRecordLength = 64 * 2 ** 20;
/** Blanks kept of a line that begins with nothing else; no indentation is as long. */
const mostIndent = 64 * 1024;
/** Characters looked through in one go. */
const pieceLength = 256 * 1024;
/** What a line costs its reader beside its characters: as much as so many of them. A refused one takes some 50 µs. */
export const lineWork = 2 * 1024;

export interface Line {
  text: string;
  /** From 1. */
  line: number;
}

/** UTF-8 text of the bytes, without byte order mark. Throws `invalid_dataset`. */
export async function* decodeText(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let offset = 0;
  for await (const chunk of bytes) {
    yield decode(() => decoder.decode(chunk, { stream: true }), offset);
    offset += chunk.length;
  }
  const rest = decode(() => decoder.decode(), offset);
  if (rest !== '') yield rest;
}

function decode(run: () => string, offset: number): string {
  try {
    return run();
  } catch {
    const message = `expected UTF-8 text, found other bytes shortly after byte ${offset}; convert the file first`;
    throw new SteerError('invalid_dataset', message);
  }
}

/** The chunks until the signal is aborted: a few packed bytes may stand for a great deal of blank text, and only here is all of it seen. Throws `cancelled`. */
export async function* untilAborted<T>(signal: AbortSignal | undefined, chunks: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const chunk of chunks) {
    if (signal?.aborted) throw new SteerError('cancelled', 'Reading was cancelled.');
    yield chunk;
  }
}

/** The text in pieces, other work having its turn between them. */
export async function* inTurns(chunks: AsyncIterable<string>, stint = new Stint()): AsyncGenerator<string> {
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += pieceLength) {
      const piece = chunk.slice(from, from + pieceLength);
      yield piece;
      if (stint.isOver(piece.length)) await setImmediate();
    }
  }
}

/** Lines without their ends. Throws `invalid_dataset` with the number of one longer than maxRecordLength. */
export async function* readLines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  const reader = new LineReader(chunks);
  try {
    for (let next = await reader.next(); next; next = await reader.next()) yield next.text;
  } finally {
    await reader.close();
  }
}

/** Lines with something in them, without what is blank before it. `first` is the number of the first one. Throws as readLines does. */
export async function* readFilledLines(chunks: AsyncIterable<string>, first = 1): AsyncGenerator<Line> {
  const reader = new LineReader(chunks, first);
  try {
    for (let next = await reader.nextFilled(); next; next = await reader.nextFilled()) yield next;
  } finally {
    await reader.close();
  }
}

/** For who wants blank lines here and not there. To be closed. */
export class LineReader {
  readonly #pieces: AsyncGenerator<string>;
  readonly #stint = new Stint();
  #piece = '';
  #at = 0;
  #line: number;

  constructor(chunks: AsyncIterable<string>, first = 1) {
    this.#pieces = inTurns(chunks, this.#stint);
    this.#line = first;
  }

  /** Throws as readLines does. */
  async next(): Promise<Line | undefined> {
    if (this.#stint.isOver(lineWork)) await setImmediate();
    let text = '';
    let blank = true;
    while (await this.#fill()) {
      const end = this.#piece.indexOf('\n', this.#at);
      const part = this.#piece.slice(this.#at, end === -1 ? undefined : end);
      blank &&= firstFilled(part, 0).at === part.length;
      if (!blank || text.length < mostIndent) text += part;
      if (text.length > maxRecordLength) throw tooLong(`line ${this.#line}`);
      this.#at = end === -1 ? this.#piece.length : end + 1;
      if (end !== -1) return { text: text.endsWith('\r') ? text.slice(0, -1) : text, line: this.#line++ };
    }
    return text === '' ? undefined : { text, line: this.#line };
  }

  /** The next line with something in it, without what is blank before that. Throws as readLines does. */
  async nextFilled(): Promise<Line | undefined> {
    while (await this.#fill()) {
      const { at, newlines } = firstFilled(this.#piece, this.#at);
      this.#at = at;
      this.#line += newlines;
      if (at < this.#piece.length) return await this.next();
    }
    return undefined;
  }

  async close(): Promise<void> {
    await this.#pieces.return(undefined);
  }

  /** Whether anything is left. */
  async #fill(): Promise<boolean> {
    while (this.#at === this.#piece.length) {
      const next = await this.#pieces.next();
      if (next.done) return false;
      this.#piece = next.value;
      this.#at = 0;
    }
    return true;
  }
}

/** The first place from `from` on that is not blank, the text's length where there is none, and the line ends before it. */
export function firstFilled(text: string, from: number): { at: number; newlines: number } {
  let newlines = 0;
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === newline) newlines++;
    else if (!isBlank(code)) break;
  }
  return { at, newlines };
}

const tab = 9;
const newline = 10;
const carriageReturn = 13;
const space = 32;
const lastAscii = 127;
/** Beyond ASCII, as String.prototype.trim has it: byte order marks and the separators of Unicode, too. */
const wideBlanks = new Set(Array.from({ length: 2 ** 16 }, (_, code) => code).filter(isWideBlank));

function isWideBlank(code: number): boolean {
  return code > lastAscii && String.fromCharCode(code).trim() === '';
}

function isBlank(code: number): boolean {
  return code <= lastAscii ? code === space || (code >= tab && code <= carriageReturn) : wideBlanks.has(code);
}

export function tooLong(what: string): SteerError {
  const message = `${what} is longer than ${maxRecordLength / 2 ** 20} Mi characters; write one record per line`;
  return new SteerError('invalid_dataset', message);
}
