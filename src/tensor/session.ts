// The only importer of onnxruntime-node. Its run() blocks the calling thread, so sessions live in engine threads and training processes.
// Knows tensors by name; nothing of models. The library's telemetry is switched off before it loads.
process.env.ORT_DISABLE_TELEMETRY = '1';

import { createRequire } from 'node:module';
import type * as Ort from 'onnxruntime-node';
import { SteerError } from '../errors.ts';
import { takingTurn } from './device-turn.ts';

// A static import would be hoisted above the line that switches telemetry off.
const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof Ort;

/** Row-major values with their shape. */
export interface Tensor {
  readonly data: Float32Array | BigInt64Array | Uint8Array;
  readonly shape: readonly number[];
}

/** What computes a graph: the processor, or a graphics device behind one of these. */
export type Provider = 'cpu' | 'webgpu' | 'cuda' | 'coreml' | 'dml';

/** Values that stay where they were computed: they can be fed again, not read. On the webgpu provider nothing of them crosses the bus. */
export interface HeldTensor {
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Frees the memory; runs that were fed with it are not harmed. */
  dispose(): void;
}

export interface SessionOptions {
  /** Threads of one run; the process's cores when absent. */
  threads?: number;
  /** Names the wrong model in an error. */
  name?: string;
  /** cpu when absent. */
  provider?: Provider;
  /** Holds the files of values the graph only points at; they are read while it opens, and some stay mapped. */
  folder?: string | undefined;
  /** Outputs that stay where they are computed. */
  held?: readonly string[];
}

/** The providers this build of the runtime may have; which of them work here only opening a session tells. */
export function builtProviders(): string[] {
  return ort.listSupportedBackends().map(({ name }) => name);
}

export class Session {
  readonly #session: Ort.InferenceSession;
  readonly #name: string;
  readonly #held: ReadonlySet<string>;
  readonly #turn: <Result>(work: () => Promise<Result>) => Promise<Result>;

  private constructor(session: Ort.InferenceSession, { name = 'graph', provider, held = [] }: SessionOptions) {
    this.#session = session;
    this.#name = name;
    this.#held = new Set(held);
    this.#turn = turnOf(provider);
  }

  /** Compiles ONNX bytes. Blocks the thread while the runtime optimises the graph. Throws when the provider does not open here. */
  static async open(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
    const { threads, provider = 'cpu', held = [], folder } = options;
    const session = await turnOf(provider)(() =>
      ort.InferenceSession.create(model, {
        executionProviders: [provider],
        executionMode: 'sequential',
        interOpNumThreads: 1,
        logSeverityLevel: 3,
        ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
        ...(folder === undefined ? {} : { extra: { session: { model_external_initializers_file_folder_path: folder } } }),
        ...(provider === 'cpu' ? {} : { preferredOutputLocation: Object.fromEntries(held.map((name) => [name, 'gpu-buffer'])) }),
      }),
    );
    return new Session(session, options);
  }

  get inputs(): readonly string[] {
    return this.#session.inputNames;
  }

  /** Runs the graph; every input must be fed. The answers are fresh copies. Throws when the runtime refuses a feed. */
  async run(feeds: Feeds, outputs?: readonly string[]): Promise<Record<string, Tensor>> {
    return (await this.step(feeds, outputs)).values;
  }

  /** As run, with the outputs that stay where they are beside those that are read. */
  async step(
    feeds: Feeds,
    outputs?: readonly string[],
  ): Promise<{ values: Record<string, Tensor>; held: Record<string, HeldTensor> }> {
    const tensors: Record<string, Ort.Tensor> = {};
    for (const name of this.#session.inputNames) {
      const feed = feeds[name];
      if (!feed) throw new Error(`${this.#name}: input ${name} was not fed; fed: ${Object.keys(feeds).join(', ')}`);
      tensors[name] = feed instanceof Held ? feed.tensor : toOrt(feed as Tensor);
    }
    try {
      const results = await this.#turn(() => (outputs ? this.#session.run(tensors, [...outputs]) : this.#session.run(tensors)));
      const [values, held]: [Record<string, Tensor>, Record<string, HeldTensor>] = [{}, {}];
      for (const [name, tensor] of Object.entries(results)) {
        if (this.#held.has(name)) held[name] = new Held(tensor);
        else values[name] = fromOrt(tensor);
      }
      return { values, held };
    } catch (cause) {
      throw new SteerError('internal_error', `${this.#name}: the runtime refused the run: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  /** Frees the native session; safe only between runs. */
  async dispose(): Promise<void> {
    await this.#turn(() => this.#session.release());
  }
}

/** What an input may be fed with. */
export type Feeds = Readonly<Record<string, Tensor | HeldTensor>>;

class Held implements HeldTensor {
  readonly tensor: Ort.Tensor;

  constructor(tensor: Ort.Tensor) {
    this.tensor = tensor;
  }

  get shape(): readonly number[] {
    return this.tensor.dims;
  }

  get bytes(): number {
    return this.tensor.size * (this.tensor.type === 'int64' ? 8 : 4);
  }

  dispose(): void {
    if (this.tensor.location === 'cpu') return;
    if (discarded.push(this.tensor) === 1) setImmediate(() => void takingTurn(async () => discard()));
  }
}

/** Freeing is use of the device as well: it waits for the thread's next turn. */
const discarded: Ort.Tensor[] = [];

function discard(): void {
  for (const tensor of discarded.splice(0)) tensor.dispose();
}

function turnOf(provider: Provider = 'cpu'): typeof takingTurn {
  if (provider !== 'webgpu') return (work) => work();
  return (work) =>
    takingTurn(() => {
      discard();
      return work();
    });
}

function toOrt({ data, shape }: Tensor): Ort.Tensor {
  if (data instanceof Float32Array) return new ort.Tensor('float32', data, shape);
  if (data instanceof BigInt64Array) return new ort.Tensor('int64', data, shape);
  return new ort.Tensor('bool', data, shape);
}

function fromOrt(tensor: Ort.Tensor): Tensor {
  return { data: tensor.data as Tensor['data'], shape: tensor.dims };
}
