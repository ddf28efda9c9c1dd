// The predictor: a Llama trunk and one linear head whose outputs fall into one distribution per attribute, read at the last token.
// Training objective and scoring graph share the head. Dimension letters: R readings, D hidden, L levels of all attributes together.
import { causalBias, forwardTrunk, type Network, rowPositions } from '../model/forward.ts';
import type { LoadedNetwork } from '../model/loaded-network.ts';
import type { LlamaShape } from '../model/shape.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { Node } from '../tensor/graph.ts';
import * as t from '../tensor/primitives.ts';
import { type Objective, packedBias } from '../training/objective.ts';

const headWeight = 'score.weight';
const headBias = 'score.bias';

export function levelCounts(schema: AttributeSchema): number[] {
  return schema.attributes.map(({ levels }) => levels.length);
}

/** Parameters of the head beside the trunk's: score.weight (L, D), score.bias (L). */
export function headShapes(schema: AttributeSchema, shape: LlamaShape): Map<string, number[]> {
  const L = levelCounts(schema).reduce((a, b) => a + b, 0);
  return new Map([
    [headWeight, [L, shape.hiddenSize]],
    [headBias, [L]],
  ]);
}

/** Scores of all levels of all attributes, one attribute after the other. states (R, D) → (R, L). */
function headLogits(network: Network, states: Node): Node {
  return t.add(t.matmul(states, network.parameter(headWeight), { transposeB: true }), network.parameter(headBias));
}

/** Applies f to each attribute's levels. x (R, L) → (R, L). */
function perAttribute(x: Node, schema: AttributeSchema, f: (levels: Node) => Node): Node {
  let start = 0;
  const parts = levelCounts(schema).map((count) => {
    const part = f(t.slice(x, 1, start, start + count));
    start += count;
    return part;
  });
  return t.concat(parts, 1);
}

/**
 * Cross-entropy against soft targets, summed over the labels present, in nats. Feeds: ids (B, T), segments (B, T),
 * ends (R) flat places of the last tokens, goals (R, L) target distributions with zeros where a label is missing, inverse_weight ().
 * Its readings are log probabilities (R, L).
 */
export function predictorObjective(
  shape: LlamaShape,
  schema: AttributeSchema,
  network: Network,
  { B, T, R }: { B: number; T: number; R: number },
): Objective {
  const segments = t.input('segments', 'int64', [B, T]);
  const tokens = { ids: t.input('ids', 'int64', [B, T]), positions: rowPositions(B, T), bias: packedBias(segments) };
  const { hidden: states } = forwardTrunk(shape, network, tokens);
  const last = t.gather(t.reshape(states, [B * T, shape.hiddenSize]), t.input('ends', 'int64', [R]));
  const logProbabilities = perAttribute(headLogits(network, last), schema, t.logSoftmax);
  const goals = t.input('goals', 'float32', logProbabilities.shape);
  const total = t.reshape(t.sum(t.mul(goals, logProbabilities)), []);
  return { loss: t.mul(t.neg(total), t.input('inverse_weight', 'float32', [])), readings: logProbabilities };
}

/**
 * Outputs of the scoring graph: probabilities (R, L). Feeds: ids and positions (R, T), right-padded, and ends (R) flat places of the
 * last tokens. Causal attention never looks at the padding.
 */
export function scoringOutputs(
  { shape, network }: Pick<LoadedNetwork, 'shape' | 'network'>,
  schema: AttributeSchema,
): Record<string, Node> {
  const ids = t.input('ids', 'int64', ['R', 'T']);
  const positions = t.input('positions', 'int64', ['R', 'T']);
  const ends = t.input('ends', 'int64', ['R']);
  const lastPositions = t.reshape(t.gather(t.reshape(positions, ['R·T', 1]), ends), ['R', 1]);
  const last = { ends, positions: lastPositions, bias: causalBias(positions, lastPositions) };
  const states = forwardTrunk(shape, network, { ids, positions, bias: causalBias(positions), last }).hidden; // (R, 1, D)
  return { probabilities: perAttribute(headLogits(network, t.reshape(states, ['R', shape.hiddenSize])), schema, t.softmax) };
}
