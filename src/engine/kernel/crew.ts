// The threads that work through lists of kernel calls, and the memory they share. The caller is one of them; the others sleep while there is nothing
// to do.
import { Worker } from 'node:worker_threads';
import { SteerError } from '../../errors.ts';
import { builtEntry } from '../../tensor/built-entry.ts';
import { meeting } from './crew-code.ts';
import type { CompiledKernels, KernelName } from './kernels.ts';
import { mostPages, mostRecords } from './kernels.ts';
import { claimsAt, doneAt, recordBytes } from './record.ts';

export const pageBytes = 65_536;
const programAt = 1024;

interface Functions {
  work(program: number, records: number, run: number, thread: number): void;
  alone(program: number, records: number): void;
  wake(): void;
}

/** What a helping thread is started with. */
export interface HelperData {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  thread: number;
}

export class Crew {
  readonly threads: number;
  readonly memory: WebAssembly.Memory;
  readonly #functions: Functions;
  readonly #places: CompiledKernels['places'];
  readonly #helpers: Worker[];
  #words: Int32Array;
  #records = 0;
  #run = 0;
  #end: number;

  private constructor(kernels: CompiledKernels, threads: number, memory: WebAssembly.Memory, functions: Functions) {
    const { module, places } = kernels;
    this.threads = threads;
    this.memory = memory;
    this.#functions = functions;
    this.#places = places;
    this.#words = new Int32Array(memory.buffer);
    this.#end = programAt + mostRecords * recordBytes;
    this.#helpers = Array.from({ length: threads - 1 }, (_, index) => {
      const workerData: HelperData = { module, memory, thread: index + 1 };
      const worker = new Worker(builtEntry(import.meta.url, './helper-entry.ts'), { workerData, execArgv: [] });
      worker.unref();
      return worker;
    });
  }

  static async open(kernels: CompiledKernels, threads: number): Promise<Crew> {
    const initial = Math.ceil((programAt + mostRecords * recordBytes) / pageBytes);
    const memory = new WebAssembly.Memory({ initial, maximum: mostPages, shared: true });
    const instance = await WebAssembly.instantiate(kernels.module, { env: { memory } });
    return new Crew(kernels, threads, memory, instance.exports as unknown as Functions);
  }

  /** Bytes handed out. */
  get bytes(): number {
    return this.#end;
  }

  /** So many bytes, at a multiple of 64. They are never given back. Throws overloaded where there is no more memory. */
  allocate(bytes: number): number {
    const start = Math.ceil(this.#end / 64) * 64;
    const missing = Math.ceil((start + bytes) / pageBytes) - this.memory.buffer.byteLength / pageBytes;
    if (missing > 0) this.#grow(missing);
    this.#end = start + bytes;
    return start;
  }

  floats(at: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, length);
  }

  integers(at: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, at, length);
  }

  /** Begins a new list. */
  begin(): void {
    this.#records = 0;
    this.#run = (this.#run + 1) | 0;
  }

  /** Adds a call of a kernel for each of `tasks` tasks, which begin when everything before them is done. */
  add(kernel: KernelName, tasks: number, ...words: readonly number[]): void {
    const record = (programAt + this.#records * recordBytes) >> 2;
    this.#records++;
    // First of all: a thread that is late must not take the new words for a task of its own run.
    Atomics.store(this.#words, record + (claimsAt >> 2) + 1, this.#run);
    this.#words[record + (claimsAt >> 2)] = 0;
    this.#words[record + (doneAt >> 2) + 1] = this.#run;
    this.#words[record + (doneAt >> 2)] = 0;
    this.#words[record] = this.#places[kernel]!;
    this.#words[record + 1] = tasks;
    for (let i = 0; i < words.length; i++) this.#words[record + 2 + i] = words[i]!;
  }

  /** Works through the list. */
  run(): void {
    if (this.#helpers.length === 0) {
      this.#functions.alone(programAt, this.#records);
      return;
    }
    this.#words[meeting.program >> 2] = programAt;
    this.#words[meeting.records >> 2] = this.#records;
    Atomics.store(this.#words, meeting.run >> 2, this.#run);
    if (Atomics.load(this.#words, meeting.sleeping >> 2) > 0) this.#functions.wake();
    this.#functions.work(programAt, this.#records, this.#run, 0);
  }

  /** Sends the other threads home. */
  async dispose(): Promise<void> {
    const exits = this.#helpers.map((worker) => {
      worker.ref();
      return new Promise((resolve) => worker.once('exit', resolve));
    });
    Atomics.store(this.#words, meeting.over >> 2, 1);
    Atomics.add(this.#words, meeting.run >> 2, 1);
    this.#functions.wake();
    await Promise.all(exits);
  }

  #grow(pages: number): void {
    try {
      this.memory.grow(pages);
    } catch (cause) {
      throw new SteerError('overloaded', `Expected room for ${pages} more pages of 64 KiB beside ${this.#end} bytes.`, { cause });
    }
    this.#words = new Int32Array(this.memory.buffer);
  }
}
