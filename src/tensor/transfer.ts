// Carries tensors to where a provider computes, and back: a tensor that stays there can only be read through a graph.
import type { Node } from './graph.ts';
import { emitOnnx } from './onnx.ts';
import { input } from './primitives.ts';
import { type HeldTensor, type Provider, Session, type Tensor } from './session.ts';

type Shapes = ReadonlyMap<string, readonly number[]>;

export class Transfer {
  readonly #up: Session;
  readonly #down: Session;

  readonly #back: readonly string[];

  private constructor(up: Session, down: Session, back: readonly string[]) {
    this.#up = up;
    this.#down = down;
    this.#back = back;
  }

  /** For float32 tensors: shapes by name of those that go there, and of those among them that come back. */
  static async open(there: Shapes, back: Shapes, provider: Provider): Promise<Transfer> {
    const graph = (shapes: Shapes): Record<string, Node> =>
      Object.fromEntries([...shapes].map(([name, shape]) => [carried(name), input(name, 'float32', shape)]));
    const [going, coming] = [graph(there), graph(back)];
    const up = await Session.open(emitOnnx(going, provider), { provider, name: 'upload', held: Object.keys(going) });
    return new Transfer(up, await Session.open(emitOnnx(coming, provider), { provider, name: 'download' }), [...back.keys()]);
  }

  async up(tensors: ReadonlyMap<string, Tensor>): Promise<Map<string, HeldTensor>> {
    const { held } = await this.#up.step(Object.fromEntries(tensors));
    return new Map([...tensors.keys()].map((name) => [name, held[carried(name)]!]));
  }

  /** Copies of those that come back; all of them stay there as well. */
  async down(tensors: ReadonlyMap<string, HeldTensor>): Promise<Map<string, Tensor>> {
    const values = await this.#down.run(Object.fromEntries(tensors));
    return new Map(this.#back.map((name) => [name, values[carried(name)]!]));
  }

  async dispose(): Promise<void> {
    await this.#up.dispose();
    await this.#down.dispose();
  }
}

function carried(name: string): string {
  return `carried:${name}`;
}
