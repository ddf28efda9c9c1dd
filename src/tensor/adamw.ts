// One training step as a graph: gradients, accumulation, clipping by global norm and AdamW with decoupled weight decay. Loshchilov & Hutter 2019,
// with PyTorch's order of operations.
import { gradient } from './gradient.ts';
import type { Node } from './graph.ts';
import * as t from './primitives.ts';

export interface AdamW {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** Largest global norm of the gradients; larger ones are scaled down to it. */
  clipNorm: number;
}

export const defaultAdamW: AdamW = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 };

/** Names of the tensors of one parameter in feeds and answers; next(...) is the renewed one. */
export const slots = {
  first: (name: string): string => `m:${name}`,
  second: (name: string): string => `v:${name}`,
  sum: (name: string): string => `g:${name}`,
  next: (name: string): string => `next:${name}`,
};

/** Outputs of a graph that adds this micro-batch's gradients to the sums fed: loss, and next(sum(name)) for each parameter. */
export function accumulationStep(loss: Node, trained: ReadonlyMap<string, Node>): Record<string, Node> {
  const outputs: Record<string, Node> = { loss };
  const gradients = accumulated(loss, trained, true);
  for (const [name, g] of gradients) outputs[slots.next(slots.sum(name))] = g;
  return outputs;
}

/**
 * Outputs of a graph that makes one update: loss, gradient_norm, and each parameter and its moments as next(...).
 * Feeds besides the objective's: learning_rate (), step () counting from 1, m: and v: of each parameter, and g: when `accumulates`.
 */
export function updateStep(
  loss: Node,
  trained: ReadonlyMap<string, Node>,
  options: AdamW,
  accumulates: boolean,
): Record<string, Node> {
  const gradients = accumulated(loss, trained, accumulates);
  const squares = new Map([...gradients].map(([name, g]) => [name, t.mul(g, g)]));
  const norm = t.sqrt(t.addAll([...squares.values()].map((square) => t.reshape(t.sum(square), []))));
  const factors = stepFactors(options, norm);
  const outputs: Record<string, Node> = { loss, gradient_norm: norm };
  for (const [name, parameter] of trained) {
    const first = t.input(slots.first(name), 'float32', parameter.shape);
    const second = t.input(slots.second(name), 'float32', parameter.shape);
    const moments = { g: gradients.get(name)!, square: squares.get(name)!, first, second };
    const renewed = renew(parameter, moments, factors);
    outputs[slots.next(name)] = renewed.parameter;
    outputs[slots.next(slots.first(name))] = renewed.first;
    outputs[slots.next(slots.second(name))] = renewed.second;
  }
  return outputs;
}

function accumulated(loss: Node, trained: ReadonlyMap<string, Node>, accumulates: boolean): Map<string, Node> {
  const gradients = gradient(loss, [...trained.values()]);
  const named = [...trained.keys()].map((name, i): [string, Node] => [name, gradients[i] as Node]);
  if (!accumulates) return new Map(named);
  return new Map(named.map(([name, g]) => [name, t.add(g, t.input(slots.sum(name), 'float32', g.shape))]));
}

/** Scalars of one update, so that each parameter is passed over as few times as possible. */
interface Factors {
  beta1: Node;
  beta2: Node;
  /** (1 − β₁) · c, where c ≤ 1 clips the gradients. */
  ofGradient: Node;
  /** (1 − β₂) · c². */
  ofSquare: Node;
  /** 1 − lr · decay, for the parameters that decay. */
  keep: Node;
  /** lr √(1 − β₂ᵗ) / (1 − β₁ᵗ). */
  rate: Node;
  /** ε √(1 − β₂ᵗ). */
  epsilon: Node;
}

function stepFactors({ beta1, beta2, epsilon, weightDecay, clipNorm }: AdamW, norm: Node): Factors {
  const learningRate = t.input('learning_rate', 'float32', []);
  const step = t.input('step', 'float32', []);
  const remaining = (beta: number): Node => t.sub(t.scalar(1), t.exp(t.mul(step, t.scalar(Math.log(beta)))));
  const clip = t.minimum(t.scalar(1), t.div(t.scalar(clipNorm), t.add(norm, t.scalar(1e-6))));
  const spread = t.sqrt(remaining(beta2));
  return {
    beta1: t.scalar(beta1),
    beta2: t.scalar(beta2),
    ofGradient: t.mul(clip, t.scalar(1 - beta1)),
    ofSquare: t.mul(t.mul(clip, clip), t.scalar(1 - beta2)),
    keep: t.sub(t.scalar(1), t.mul(learningRate, t.scalar(weightDecay))),
    rate: t.div(t.mul(learningRate, spread), remaining(beta1)),
    epsilon: t.mul(t.scalar(epsilon), spread),
  };
}

interface Moments {
  g: Node;
  /** g². */
  square: Node;
  first: Node;
  second: Node;
}

// m ← β₁m + (1−β₁)cg,  v ← β₂v + (1−β₂)c²g²,  p ← (1 − lr·decay) p − rate · m / (√v + ε');  matrices decay, vectors do not
function renew(p: Node, { g, square, first: m, second: v }: Moments, f: Factors) {
  const first = t.add(t.mul(m, f.beta1), t.mul(g, f.ofGradient));
  const second = t.add(t.mul(v, f.beta2), t.mul(square, f.ofSquare));
  const move = t.mul(t.div(first, t.add(t.sqrt(second), f.epsilon)), f.rate);
  const kept = p.shape.length > 1 ? t.mul(p, f.keep) : p;
  return { parameter: t.sub(kept, move), first, second };
}
