// The shape of a Llama-like model: its sizes, and what its family does otherwise than Llama. config-json.ts reads and writes it. Dimension letters: V
// vocabulary, D hidden, F intermediate, H heads × head size, K kv heads × head size.

/** Llama 3's stretching of the slow rotary frequencies, or all of them divided by `factor`. */
export type RopeScaling =
  | { factor: number }
  | { factor: number; lowFreqFactor: number; highFreqFactor: number; originalContextLength: number };

export type ModelType = 'llama' | 'qwen2' | 'qwen3' | 'mistral' | 'gemma3_text' | 'granite' | 'smollm3';

/** In what families differ. Everything that computes goes by these, never by the family's name. */
interface FamilyTraits {
  /** Names the family whose config.json is written. */
  modelType: ModelType;
  /** Biases on the query, key and value projections (Qwen2). */
  attentionBias: boolean;
  /** RMS norms on queries and keys, per head (Qwen3, Gemma 3). */
  queryKeyNorm: boolean;
  /** Norms on what attention and MLP answer, before it is added to the residual stream (Gemma 3). */
  outputNorms: boolean;
  /** Added to the weights of all norms (1 in Gemma 3). */
  normOffset: 0 | 1;
  /** Of the gate; gelu by its approximation by tanh (Gemma 3). */
  activation: 'silu' | 'gelu';
  /** What rows of the embedding table are multiplied by (Gemma 3, Granite). */
  embeddingMultiplier: number;
  /** What the products of queries and keys are multiplied by; null is 1 / √headDim (otherwise in Gemma 3, Granite). */
  attentionMultiplier: number | null;
  /** What the answers of attention and MLP are multiplied by (Granite). */
  residualMultiplier: number;
  /** What the scores of the vocabulary are divided by (Granite). */
  logitsScaling: number;
  /** Tokens that a windowed layer sees, a token's own included; null where no layer is windowed. */
  slidingWindow: number | null;
  windowedLayers: readonly number[];
  /** Rotary base of windowed layers, which know no scaling; null where it is that of the others. */
  localRopeTheta: number | null;
  /** Layers that do not rotate queries and keys (SmolLM3). */
  unrotatedLayers: readonly number[];
}

export interface LlamaShape extends FamilyTraits {
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  contextLength: number;
  ropeTheta: number;
  ropeScaling: RopeScaling | null;
  normEpsilon: number;
  /** The output projection is the embedding matrix itself. */
  tiedEmbeddings: boolean;
}

export const plainLlama: FamilyTraits = {
  modelType: 'llama',
  attentionBias: false,
  queryKeyNorm: false,
  outputNorms: false,
  normOffset: 0,
  activation: 'silu',
  embeddingMultiplier: 1,
  attentionMultiplier: null,
  residualMultiplier: 1,
  logitsScaling: 1,
  slidingWindow: null,
  windowedLayers: [],
  localRopeTheta: null,
  unrotatedLayers: [],
};

export type WeightType = 'float32' | 'float16' | 'bfloat16';

/** Every parameter in Hugging Face's names and order, with its dimensions; projections are (out, in). */
export function parameterShapes(shape: LlamaShape): Map<string, number[]> {
  const { vocabSize: V, hiddenSize: D, intermediateSize: F, headDim } = shape;
  const H = shape.heads * headDim;
  const K = shape.kvHeads * headDim;
  const shapes = new Map<string, number[]>([['model.embed_tokens.weight', [V, D]]]);
  for (let layer = 0; layer < shape.layers; layer++) {
    const at = `model.layers.${layer}.`;
    shapes.set(`${at}input_layernorm.weight`, [D]);
    for (const [name, out] of [['q', H] as const, ['k', K] as const, ['v', K] as const]) {
      shapes.set(`${at}self_attn.${name}_proj.weight`, [out, D]);
      if (shape.attentionBias) shapes.set(`${at}self_attn.${name}_proj.bias`, [out]);
    }
    shapes.set(`${at}self_attn.o_proj.weight`, [D, H]);
    if (shape.queryKeyNorm) {
      shapes.set(`${at}self_attn.q_norm.weight`, [headDim]);
      shapes.set(`${at}self_attn.k_norm.weight`, [headDim]);
    }
    shapes.set(`${at}post_attention_layernorm.weight`, [D]);
    if (shape.outputNorms) {
      for (const name of ['pre', 'post']) shapes.set(`${at}${name}_feedforward_layernorm.weight`, [D]);
    }
    shapes.set(`${at}mlp.gate_proj.weight`, [F, D]);
    shapes.set(`${at}mlp.up_proj.weight`, [F, D]);
    shapes.set(`${at}mlp.down_proj.weight`, [D, F]);
  }
  shapes.set('model.norm.weight', [D]);
  if (!shape.tiedEmbeddings) shapes.set('lm_head.weight', [V, D]);
  return shapes;
}

/** Number of trainable numbers in the model. */
export function parameterCount(shape: LlamaShape): number {
  let total = 0;
  for (const dims of parameterShapes(shape).values()) total += dims.reduce((product, dim) => product * dim, 1);
  return total;
}

/** Tokens that windowed layers see, a token's own included; null where every layer sees all of the context. */
export function windowTokens({ slidingWindow, windowedLayers, contextLength }: LlamaShape): number | null {
  return slidingWindow !== null && slidingWindow < contextLength && windowedLayers.length > 0 ? slidingWindow : null;
}

/** Tokens that this layer sees; null where it is all of the context. */
export function layerWindow(shape: LlamaShape, layer: number): number | null {
  return shape.windowedLayers.includes(layer) ? windowTokens(shape) : null;
}

/** What the products of queries and keys are multiplied by. */
export function attentionScale({ attentionMultiplier, headDim }: LlamaShape): number {
  return attentionMultiplier ?? 1 / Math.sqrt(headDim);
}

/** How a layer turns queries and keys: `local` where windowed layers have a rotary base of their own. */
export type RotationKind = 'none' | 'whole' | 'local';

export function rotationOf({ unrotatedLayers, localRopeTheta, windowedLayers }: LlamaShape, layer: number): RotationKind {
  if (unrotatedLayers.includes(layer)) return 'none';
  return localRopeTheta !== null && windowedLayers.includes(layer) ? 'local' : 'whole';
}

type Rotary = Pick<LlamaShape, 'headDim' | 'ropeTheta' | 'ropeScaling' | 'localRopeTheta'>;

/** Inverse rotary frequencies in radians per position, headDim / 2 of them, with the scaling of the shape. */
export function ropeFrequencies(shape: Rotary, kind: 'whole' | 'local' = 'whole'): Float64Array {
  const { headDim, ropeTheta, ropeScaling, localRopeTheta } = shape;
  const theta = kind === 'local' ? localRopeTheta! : ropeTheta;
  const frequencies = Float64Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim));
  return ropeScaling && kind === 'whole' ? frequencies.map((frequency) => stretch(frequency, ropeScaling)) : frequencies;
}

// Llama 3: fast rotations stay, those slower than the original context are divided by factor, between the two a straight line.
function stretch(frequency: number, scaling: RopeScaling): number {
  if (!('lowFreqFactor' in scaling)) return frequency / scaling.factor;
  const { factor, lowFreqFactor, highFreqFactor } = scaling;
  const turns = (scaling.originalContextLength * frequency) / (2 * Math.PI);
  const kept = Math.min(1, Math.max(0, (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)));
  return kept * frequency + (1 - kept) * (frequency / factor);
}
