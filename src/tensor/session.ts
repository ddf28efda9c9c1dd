// The one door to onnxruntime-node. Its run() blocks the calling thread, so sessions live in engine threads and training processes.
// Knows tensors by name; nothing of models. The library's telemetry is switched off before it loads.
process.env.ORT_DISABLE_TELEMETRY = '1';

import { createRequire } from 'node:module';
import type * as Ort from 'onnxruntime-node';
import { SteerError } from '../errors.ts';

// A static import would be hoisted above the line that switches telemetry off.
const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof Ort;

/** Row-major values with their shape. */
export interface Tensor {
  readonly data: Float32Array | BigInt64Array | Uint8Array;
  readonly shape: readonly number[];
}

export interface SessionOptions {
  /** Threads of one run; the process's cores when absent. */
  threads?: number;
  /** Names the wrong model in an error. */
  name?: string;
}

export class Session {
  readonly #session: Ort.InferenceSession;
  readonly #name: string;

  private constructor(session: Ort.InferenceSession, name: string) {
    this.#session = session;
    this.#name = name;
  }

  /** Compiles ONNX bytes. Blocks the thread while the runtime optimises the graph. */
  static async open(model: Uint8Array, { threads, name = 'graph' }: SessionOptions = {}): Promise<Session> {
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ['cpu'],
      executionMode: 'sequential',
      interOpNumThreads: 1,
      logSeverityLevel: 3,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    });
    return new Session(session, name);
  }

  get inputs(): readonly string[] {
    return this.#session.inputNames;
  }

  /** Runs the graph; every input must be fed. The answers are fresh copies. Throws when the runtime refuses a feed. */
  async run(feeds: Readonly<Record<string, Tensor>>, outputs?: readonly string[]): Promise<Record<string, Tensor>> {
    const tensors: Record<string, Ort.Tensor> = {};
    for (const name of this.#session.inputNames) {
      const feed = feeds[name];
      if (!feed) throw new Error(`${this.#name}: input ${name} was not fed; fed: ${Object.keys(feeds).join(', ')}`);
      tensors[name] = toOrt(feed);
    }
    try {
      const results = await (outputs ? this.#session.run(tensors, [...outputs]) : this.#session.run(tensors));
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromOrt(tensor)]));
    } catch (cause) {
      throw new SteerError('internal_error', `${this.#name}: the runtime refused the run: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  /** Frees the native session; safe only between runs. */
  async dispose(): Promise<void> {
    await this.#session.release();
  }
}

function toOrt({ data, shape }: Tensor): Ort.Tensor {
  if (data instanceof Float32Array) return new ort.Tensor('float32', data, shape);
  if (data instanceof BigInt64Array) return new ort.Tensor('int64', data, shape);
  return new ort.Tensor('bool', data, shape);
}

function fromOrt(tensor: Ort.Tensor): Tensor {
  return { data: tensor.data as Tensor['data'], shape: tensor.dims };
}
