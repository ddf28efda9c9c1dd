// What a training run carries from step to step: parameters and optimiser moments, and the compiled graphs that renew them.
import { type AdamW, accumulationStep, slots, updateStep } from '../tensor/adamw.ts';
import type { Node } from '../tensor/graph.ts';
import { emitOnnx } from '../tensor/onnx.ts';
import { input } from '../tensor/primitives.ts';
import { Session, type Tensor } from '../tensor/session.ts';
import type { MicroBatch } from './batches.ts';
import { type Network, plainNetwork } from './forward.ts';
import { adapterInputs, type Lora, loraNetwork } from './lora.ts';
import type { Objective } from './objective.ts';
import type { LlamaShape } from './shape.ts';

export interface Parameters {
  shapes: ReadonlyMap<string, number[]>;
  values: ReadonlyMap<string, Float32Array>;
}

export interface StepOptions {
  adamw: AdamW;
  accumulation: number;
  lora: Lora | null;
  threads?: number;
}

interface Sessions {
  accumulate: Session | null;
  update: Session;
  evaluate: Session;
}

interface StepResult {
  loss: number;
  gradientNorm: number;
}

/** Parameters, moments and graphs of one run. */
export class TrainingState {
  /** Every tensor fed under its own name: fixed and trained parameters, and `m:` and `v:` of the trained ones. */
  readonly tensors: Map<string, Tensor>;
  /** Names and shapes of the parameters that change. */
  readonly trained: ReadonlyMap<string, number[]>;
  readonly #sessions: Sessions;

  private constructor(tensors: Map<string, Tensor>, trained: ReadonlyMap<string, number[]>, sessions: Sessions) {
    this.tensors = tensors;
    this.trained = trained;
    this.#sessions = sessions;
  }

  /** Builds and compiles the graphs. With LoRA the adapters and every parameter that is not the trunk's are trained. */
  static async open(
    shape: LlamaShape,
    trunk: ReadonlySet<string>,
    parameters: Parameters,
    objective: (network: Network) => Objective,
    options: StepOptions,
  ): Promise<TrainingState> {
    const nodes = new Map([...parameters.shapes].map(([name, dims]) => [name, input(name, 'float32', dims)]));
    const { network, trained } = trainedNetwork(shape, trunk, nodes, options.lora);
    const { loss } = objective(network);
    const accumulates = options.accumulation > 1;
    const compile = (outputs: Record<string, Node>, name: string) =>
      Session.open(emitOnnx(outputs), { name, ...(options.threads === undefined ? {} : { threads: options.threads }) });
    const sessions = {
      accumulate: accumulates ? await compile(accumulationStep(loss, trained), 'accumulation step') : null,
      update: await compile(updateStep(loss, trained, options.adamw, accumulates), 'update step'),
      evaluate: await compile({ loss }, 'evaluation'),
    };
    const shapes = new Map([...trained].map(([name, node]) => [name, node.shape as number[]]));
    return new TrainingState(firstTensors(parameters, shapes), shapes, sessions);
  }

  /** One update from the micro-batches of a step. */
  async update(batches: readonly MicroBatch[], learningRate: number, step: number): Promise<StepResult> {
    const weight = batches.reduce((total, batch) => total + batch.weight, 0);
    const shared = {
      inverse_weight: number(1 / Math.max(weight, 1e-9)),
      learning_rate: number(learningRate),
      step: number(step),
    };
    let sums = this.#sessions.accumulate ? zeroSums(this.trained) : {};
    let loss = 0;
    for (const batch of batches.slice(0, -1)) {
      const answer = await this.#sessions.accumulate!.run({ ...this.#feeds(batch), ...shared, ...sums });
      loss += first(answer.loss);
      sums = Object.fromEntries([...this.trained.keys()].map((name) => [slots.sum(name), answer[slots.next(slots.sum(name))]!]));
    }
    const answer = await this.#sessions.update.run({ ...this.#feeds(batches.at(-1)!), ...shared, ...sums });
    for (const name of this.trained.keys()) {
      for (const slot of [name, slots.first(name), slots.second(name)]) this.tensors.set(slot, answer[slots.next(slot)]!);
    }
    return { loss: loss + first(answer.loss), gradientNorm: first(answer.gradient_norm) };
  }

  /** Sum of the weighted losses of a micro-batch, in the objective's unit. */
  async evaluate(batch: MicroBatch): Promise<number> {
    const answer = await this.#sessions.evaluate.run({ ...this.#feeds(batch), inverse_weight: number(1) });
    return first(answer.loss);
  }

  value(name: string): Float32Array {
    return this.tensors.get(name)!.data as Float32Array;
  }

  #feeds(batch: MicroBatch): Record<string, Tensor> {
    return { ...Object.fromEntries(this.tensors), ...batch.feeds };
  }

  async dispose(): Promise<void> {
    for (const session of Object.values(this.#sessions)) await session?.dispose();
  }
}

function trainedNetwork(shape: LlamaShape, trunk: ReadonlySet<string>, nodes: Map<string, Node>, lora: Lora | null) {
  const plain = plainNetwork((name) => nodes.get(name)!, shape);
  if (!lora) return { network: plain, trained: nodes };
  const adapters = adapterInputs(shape, lora);
  const extra = [...nodes].filter(([name]) => !trunk.has(name));
  return { network: loraNetwork(plain, adapters, lora), trained: new Map([...adapters, ...extra]) };
}

function firstTensors({ shapes, values }: Parameters, trained: ReadonlyMap<string, number[]>): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, data] of values) {
    tensors.set(name, { data, shape: shapes.get(name) ?? trained.get(name)! });
  }
  for (const [name, shape] of trained) {
    const size = shape.reduce((a, b) => a * b, 1);
    tensors.set(slots.first(name), { data: new Float32Array(size), shape });
    tensors.set(slots.second(name), { data: new Float32Array(size), shape });
  }
  return tensors;
}

function zeroSums(trained: ReadonlyMap<string, number[]>): Record<string, Tensor> {
  return Object.fromEntries(
    [...trained].map(([name, shape]) => [slots.sum(name), { data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape }]),
  );
}

function number(value: number): Tensor {
  return { data: Float32Array.of(value), shape: [] };
}

function first(tensor: Tensor | undefined): number {
  return Number(tensor!.data[0]);
}
