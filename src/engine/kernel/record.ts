// What a kernel is told: a record of words in memory, and how they are read. Every kernel is a function of (record, task, thread).
import { type Code, type Definition, define, type Frame, i32, type Local } from './wasm.ts';

/** Bytes of a record: a line of the processor's cache for its words, one for the claims on its tasks and one for those that are done. */
export const recordBytes = 192;
export const claimsAt = 64;
export const doneAt = 128;

export interface Words {
  /** The kernel's own word `index` as i32. */
  word(index: number): Code;
  /** A variable that holds the word. */
  held(index: number): Local;
}

type Build = (frame: Frame, words: Words, task: Local, thread: Local) => readonly Code[];

export function kernel(name: string, build: Build): Definition {
  return define(name, 3, (frame, record, task, thread) => {
    const opening: Code[] = [];
    const words: Words = {
      word: (index) => i32.load(record.get, 8 + 4 * index),
      held(index) {
        const local = frame.local('i32');
        opening.push(local.set(words.word(index)));
        return local;
      },
    };
    const body = build(frame, words, task!, thread!);
    return [...opening, ...body];
  });
}

/** A kernel over rows: its first word is their number, its second how many a task takes. */
export function rowKernel(name: string, build: (frame: Frame, words: Words, row: Local) => readonly Code[]): Definition {
  return kernel(name, (frame, words, task) => {
    const row = frame.local('i32');
    const end = frame.local('i32');
    const body = build(frame, words, row);
    const start = i32.mul(task.get, words.word(1));
    return [end.set(least(frame, i32.add(start, words.word(1)), words.word(0))), frame.each(row, start, end.get, 1, ...body)];
  });
}

/** The smaller of two counts. */
export function least(frame: Frame, a: Code, b: Code): Code {
  const [x, y] = [frame.local('i32'), frame.local('i32')];
  return [...x.set(a), ...y.set(b), ...x.get, ...y.get, ...i32.ltS(x.get, y.get), 0x1b];
}

/** base + index · stride. */
export function at(base: Code, index: Code, stride: Code): Code {
  return i32.add(base, i32.mul(index, stride));
}
