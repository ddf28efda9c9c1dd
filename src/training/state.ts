// What a training run carries from step to step: parameters and optimiser moments, and the compiled graphs that renew them. On a graphics device
// they stay there between steps; what the host holds of them is then as old as the last `settle`.

import { type Network, plainNetwork } from '../model/forward.ts';
import { adapterInputs, type Lora, loraNetwork } from '../model/lora.ts';
import type { LlamaShape } from '../model/shape.ts';
import { type AdamW, accumulationStep, slots, updateStep } from '../tensor/adamw.ts';
import type { Node } from '../tensor/graph.ts';
import { emitOnnx } from '../tensor/onnx.ts';
import { input } from '../tensor/primitives.ts';
import { type Feeds, type HeldTensor, type Provider, Session, type Tensor } from '../tensor/session.ts';
import { Transfer } from '../tensor/transfer.ts';
import type { MicroBatch } from './batches.ts';
import type { Objective } from './objective.ts';

export interface Parameters {
  shapes: ReadonlyMap<string, number[]>;
  values: ReadonlyMap<string, Float32Array>;
}

export interface StepOptions {
  adamw: AdamW;
  accumulation: number;
  lora: Lora | null;
  threads?: number;
  /** cpu when absent. */
  provider?: Provider;
  /** Nothing is to be trained: only what reads the held-out data is compiled. */
  evaluatesOnly?: boolean;
}

interface Sessions {
  accumulate: Session | null;
  update: Session | null;
  evaluate: Session;
}

/** What a look at one micro-batch finds. */
interface Evaluation {
  /** Sum of its weighted losses, in the objective's unit. */
  loss: number;
  /** As the objective tells them; null where it does not. */
  readings: Tensor | null;
}

interface StepResult {
  loss: number;
  gradientNorm: number;
}

/** Parameters, moments and graphs of one run. */
export class TrainingState {
  /** Names and shapes of the parameters that change. */
  readonly trained: ReadonlyMap<string, number[]>;
  /** Every tensor fed under its own name: fixed and trained parameters, and `m:` and `v:` of the trained ones. */
  readonly #tensors: Map<string, Tensor>;
  readonly #sessions: Sessions;
  /** Whether an evaluation tells readings. */
  readonly tellsReadings: boolean;
  /** To the device and back; null where the processor computes. */
  readonly #transfer: Transfer | null;
  /** The tensors as the device has them, once they are there. */
  #held: Map<string, HeldTensor> | undefined;
  /** Whether the host's tensors are as new. */
  #settled = true;

  private constructor(
    tensors: Map<string, Tensor>,
    trained: ReadonlyMap<string, number[]>,
    sessions: Sessions,
    transfer: Transfer | null,
    tellsReadings: boolean,
  ) {
    this.tellsReadings = tellsReadings;
    this.#tensors = tensors;
    this.trained = trained;
    this.#sessions = sessions;
    this.#transfer = transfer;
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
    const { loss, readings } = objective(network);
    const { accumulation, provider = 'cpu', threads, evaluatesOnly = false } = options;
    const accumulates = accumulation > 1;
    const compile = (outputs: Record<string, Node>, name: string) => {
      const held = provider === 'cpu' ? [] : Object.keys(outputs).filter((output) => output.startsWith(slots.next('')));
      return Session.open(emitOnnx(outputs, provider), { name, provider, held, ...(threads === undefined ? {} : { threads }) });
    };
    const sessions = {
      accumulate: accumulates && !evaluatesOnly ? await compile(accumulationStep(loss, trained), 'accumulation step') : null,
      update: evaluatesOnly ? null : await compile(updateStep(loss, trained, options.adamw, accumulates), 'update step'),
      evaluate: await compile({ loss, ...(readings ? { readings } : {}) }, 'evaluation'),
    };
    const shapes = new Map([...trained].map(([name, node]) => [name, node.shape as number[]]));
    const tensors = new Map([...fixedTensors(parameters), ...startingSlots(parameters, shapes)]);
    const shapesOf = (names: Iterable<string>) => new Map([...names].map((name) => [name, tensors.get(name)!.shape]));
    const transfer =
      provider === 'cpu' ? null : await Transfer.open(shapesOf(tensors.keys()), shapesOf(slotsOf(shapes)), provider);
    return new TrainingState(tensors, shapes, sessions, transfer, readings !== undefined);
  }

  /** One update from the micro-batches of a step. */
  async update(batches: readonly MicroBatch[], learningRate: number, step: number): Promise<StepResult> {
    const weight = batches.reduce((total, batch) => total + batch.weight, 0);
    const shared = {
      inverse_weight: number(1 / Math.max(weight, 1e-9)),
      learning_rate: number(learningRate),
      step: number(step),
    };
    const own = await this.#fed();
    let sums: Record<string, Tensor | HeldTensor> = this.#sessions.accumulate ? zeroSums(this.trained) : {};
    let loss = 0;
    for (const batch of batches.slice(0, -1)) {
      const { values, held } = await this.#sessions.accumulate!.step({ ...own, ...batch.feeds, ...shared, ...sums });
      loss += first(values.loss);
      release(Object.values(sums));
      const renewed = { ...values, ...held };
      sums = Object.fromEntries([...this.trained.keys()].map(slots.sum).map((sum) => [sum, renewed[slots.next(sum)]!]));
    }
    const { values, held } = await this.#sessions.update!.step({ ...own, ...batches.at(-1)!.feeds, ...shared, ...sums });
    release(Object.values(sums));
    for (const slot of slotsOf(this.trained)) {
      const next = slots.next(slot);
      if (this.#held) {
        this.#held.get(slot)!.dispose();
        this.#held.set(slot, held[next]!);
      } else this.#tensors.set(slot, values[next]!);
    }
    this.#settled = !this.#held;
    return { loss: loss + first(values.loss), gradientNorm: first(values.gradient_norm) };
  }

  /** Reads a micro-batch and changes nothing. */
  async evaluate(batch: MicroBatch): Promise<Evaluation> {
    const answer = await this.#sessions.evaluate.run({ ...(await this.#fed()), ...batch.feeds, inverse_weight: number(1) });
    return { loss: first(answer.loss), readings: answer.readings ?? null };
  }

  /** Brings what the steps renewed to the host, where `value` finds it. */
  async settle(): Promise<void> {
    if (this.#settled) return;
    for (const [slot, tensor] of await this.#transfer!.down(this.#held!)) this.#tensors.set(slot, tensor);
    this.#settled = true;
  }

  /** Goes on from these: every trained parameter and its moments. */
  restore(tensors: ReadonlyMap<string, Tensor>): void {
    for (const [slot, tensor] of tensors) this.#tensors.set(slot, tensor);
    this.#leaveDevice();
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** A parameter or moment as of the last `settle`; where the processor computes, as of the last step. */
  value(name: string): Float32Array {
    return this.#tensors.get(name)!.data as Float32Array;
  }

  async #fed(): Promise<Feeds> {
    if (!this.#transfer) return Object.fromEntries(this.#tensors);
    this.#held ??= await this.#transfer.up(this.#tensors);
    return Object.fromEntries(this.#held);
  }

  #leaveDevice(): void {
    release(this.#held?.values() ?? []);
    this.#held = undefined;
    this.#settled = true;
  }

  async dispose(): Promise<void> {
    this.#leaveDevice();
    await this.#transfer?.dispose();
    for (const session of Object.values(this.#sessions)) await session?.dispose();
  }
}

/** Names of the trained parameters and of their moments. */
function slotsOf(trained: ReadonlyMap<string, unknown>): string[] {
  return [...trained.keys()].flatMap((name) => [name, slots.first(name), slots.second(name)]);
}

function release(tensors: Iterable<Tensor | HeldTensor>): void {
  for (const tensor of tensors) if ('dispose' in tensor) tensor.dispose();
}

function trainedNetwork(shape: LlamaShape, trunk: ReadonlySet<string>, nodes: Map<string, Node>, lora: Lora | null) {
  const plain = plainNetwork((name) => nodes.get(name)!, shape);
  if (!lora) return { network: plain, trained: nodes };
  const adapters = adapterInputs(shape, lora);
  const extra = [...nodes].filter(([name]) => !trunk.has(name));
  return { network: loraNetwork(plain, adapters, lora), trained: new Map([...adapters, ...extra]) };
}

function fixedTensors({ shapes, values }: Parameters): Map<string, Tensor> {
  return new Map([...shapes].map(([name, shape]) => [name, { data: values.get(name)!, shape }]));
}

/** Trained parameters as a run is given them, with moments of zero. */
export function startingSlots({ values }: Parameters, trained: ReadonlyMap<string, number[]>): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, shape] of trained) {
    const size = shape.reduce((a, b) => a * b, 1);
    tensors.set(name, { data: values.get(name)!, shape });
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
