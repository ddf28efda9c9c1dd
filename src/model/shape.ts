// The shape of a Llama-like model, read from and written to the config.json that Hugging Face transformers uses. Dimension letters: V vocabulary, D
// hidden, F intermediate, H heads × head size, K kv heads × head size.
import { z } from 'zod';
import { SteerError } from '../errors.ts';
import { faultsOf } from '../shape-faults.ts';

/** Llama 3's stretching of the slow rotary frequencies. */
interface RopeScaling {
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  originalContextLength: number;
}

type ModelType = 'llama' | 'qwen2' | 'qwen3' | 'mistral';

export interface LlamaShape {
  modelType: ModelType;
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
  /** Biases on the query, key and value projections (Qwen2). */
  attentionBias: boolean;
  /** RMS norms on queries and keys, per head (Qwen3). */
  queryKeyNorm: boolean;
}

export type WeightType = 'float32' | 'float16' | 'bfloat16';

const architectures: Record<ModelType, string> = {
  llama: 'LlamaForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  mistral: 'MistralForCausalLM',
};

const upTo = (most: number) => z.number().int().min(1).max(most);
/** Far above every model there is; beyond them, listing a shape's tensors or laying out its tables would take a machine's memory. */
const most = { layers: 2 ** 10, heads: 2 ** 12, width: 2 ** 20, vocabulary: 2 ** 24, context: 2 ** 24 };

const ropeSchema = z.looseObject({
  rope_type: z.string().optional(),
  /** The older spelling of rope_type. */
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: upTo(most.context).optional(),
  partial_rotary_factor: z.number().optional(),
});

const configSchema = z.looseObject({
  model_type: z.enum(['llama', 'qwen2', 'qwen3', 'mistral']),
  vocab_size: upTo(most.vocabulary),
  hidden_size: upTo(most.width),
  intermediate_size: upTo(most.width),
  num_hidden_layers: upTo(most.layers),
  num_attention_heads: upTo(most.heads),
  num_key_value_heads: upTo(most.heads).nullish(),
  head_dim: upTo(most.width).nullish(),
  max_position_embeddings: upTo(most.context),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  hidden_act: z.string().default('silu'),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  sliding_window: z.number().nullish(),
  use_sliding_window: z.boolean().nullish(),
  layer_types: z.array(z.string()).nullish(),
  partial_rotary_factor: z.number().nullish(),
  quantization_config: z.unknown().optional(),
});

type Config = z.infer<typeof configSchema>;

/** The shape a parsed config.json describes; `where` names the file in messages. Throws invalid_model naming the field it cannot follow. */
export function parseShape(configJson: unknown, where: string): LlamaShape {
  const parsed = configSchema.safeParse(configJson);
  if (!parsed.success) throw refuseFault(parsed.error, configJson, where);
  const config = parsed.data;
  const heads = config.num_attention_heads;
  const shape: LlamaShape = {
    modelType: config.model_type,
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads,
    kvHeads: config.num_key_value_heads ?? heads,
    headDim: config.head_dim ?? (config.model_type === 'qwen3' ? 128 : config.hidden_size / heads),
    contextLength: config.max_position_embeddings,
    ...parseRope(config, where),
    normEpsilon: config.rms_norm_eps,
    tiedEmbeddings: config.tie_word_embeddings,
    attentionBias: config.model_type === 'qwen2',
    queryKeyNorm: config.model_type === 'qwen3',
  };
  refuseUnsupported(config, shape, where);
  return shape;
}

function refuseFault(error: z.ZodError, config: unknown, where: string): SteerError {
  const [{ path: field, words }] = faultsOf(error);
  const type = (config as { model_type?: unknown } | null)?.model_type;
  if (field === 'model_type') {
    return refuse(where, field, `one of ${Object.keys(architectures).join(', ')}`, type);
  }
  return new SteerError('invalid_model', `${where}: ${field ? `field ${field}: ` : ''}${words}.`);
}

function refuse(where: string, field: string, expected: string, found: unknown): SteerError {
  const shown = found === undefined ? 'nothing' : JSON.stringify(found)?.slice(0, 80);
  return new SteerError('invalid_model', `${where}: expected ${field} to be ${expected}, found ${shown}.`);
}

function parseRope(config: Config, where: string): Pick<LlamaShape, 'ropeTheta' | 'ropeScaling'> {
  const field = config.rope_parameters ? 'rope_parameters' : 'rope_scaling';
  const rope = config.rope_parameters ?? config.rope_scaling ?? {};
  const kind = rope.rope_type ?? rope.type ?? 'default';
  const ropeTheta = rope.rope_theta ?? config.rope_theta ?? 10_000;
  const partial = rope.partial_rotary_factor ?? config.partial_rotary_factor ?? 1;
  if (partial !== 1) throw refuse(where, 'partial_rotary_factor', '1', partial);
  if (kind === 'default') return { ropeTheta, ropeScaling: null };
  if (kind !== 'llama3') throw refuse(where, `${field}.rope_type`, '"default" or "llama3"', kind);
  const needed = (name: 'factor' | 'low_freq_factor' | 'high_freq_factor' | 'original_max_position_embeddings') => {
    const value = rope[name];
    if (value === undefined) throw refuse(where, `${field}.${name}`, 'a positive number', value);
    return value;
  };
  const ropeScaling = {
    factor: needed('factor'),
    lowFreqFactor: needed('low_freq_factor'),
    highFreqFactor: needed('high_freq_factor'),
    originalContextLength: needed('original_max_position_embeddings'),
  };
  if (ropeScaling.highFreqFactor <= ropeScaling.lowFreqFactor) {
    throw refuse(
      where,
      `${field}.high_freq_factor`,
      `above low_freq_factor ${ropeScaling.lowFreqFactor}`,
      ropeScaling.highFreqFactor,
    );
  }
  return { ropeTheta, ropeScaling };
}

function refuseUnsupported(config: Config, shape: LlamaShape, where: string): void {
  const { heads, kvHeads, headDim, contextLength } = shape;
  if (config.hidden_act !== 'silu') throw refuse(where, 'hidden_act', '"silu"', config.hidden_act);
  // attention_bias puts a bias on the output projection as well, which the forward graph has no place for.
  if (config.attention_bias) throw refuse(where, 'attention_bias', 'false', true);
  if (config.mlp_bias) throw refuse(where, 'mlp_bias', 'false', true);
  if (config.quantization_config) throw refuse(where, 'quantization_config', 'absent (full weights)', config.quantization_config);
  if (heads % kvHeads !== 0) throw refuse(where, 'num_key_value_heads', `a divisor of num_attention_heads ${heads}`, kvHeads);
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) {
    throw refuse(where, 'head_dim', 'an even whole number (hidden_size / num_attention_heads when absent)', headDim);
  }
  const sliding = config.layer_types?.find((type) => type !== 'full_attention');
  if (sliding !== undefined) throw refuse(where, 'layer_types', '"full_attention" throughout', sliding);
  const windowUsed = shape.modelType === 'mistral' || config.use_sliding_window === true;
  if (windowUsed && config.sliding_window && config.sliding_window < contextLength) {
    throw refuse(where, 'sliding_window', `null or at least max_position_embeddings ${contextLength}`, config.sliding_window);
  }
}

/** The config.json that transformers, vLLM and llama.cpp read back as this shape. */
export function configJson(
  shape: LlamaShape,
  dtype: WeightType,
  tokenIds: { bos?: number; eos?: number },
): Record<string, unknown> {
  const { ropeScaling } = shape;
  return {
    architectures: [architectures[shape.modelType]],
    model_type: shape.modelType,
    vocab_size: shape.vocabSize,
    hidden_size: shape.hiddenSize,
    intermediate_size: shape.intermediateSize,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headDim,
    max_position_embeddings: shape.contextLength,
    // The older spelling: every reader understands it, transformers 5 included.
    rope_theta: shape.ropeTheta,
    rope_scaling: ropeScaling && {
      rope_type: 'llama3',
      factor: ropeScaling.factor,
      low_freq_factor: ropeScaling.lowFreqFactor,
      high_freq_factor: ropeScaling.highFreqFactor,
      original_max_position_embeddings: ropeScaling.originalContextLength,
    },
    rms_norm_eps: shape.normEpsilon,
    tie_word_embeddings: shape.tiedEmbeddings,
    hidden_act: 'silu',
    attention_bias: false,
    attention_dropout: 0,
    ...(shape.modelType === 'llama' ? { mlp_bias: false } : { sliding_window: null, use_sliding_window: false }),
    initializer_range: 0.02,
    bos_token_id: tokenIds.bos ?? null,
    eos_token_id: tokenIds.eos ?? null,
    use_cache: true,
    torch_dtype: dtype,
  };
}

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

/** Inverse rotary frequencies in radians per position, headDim / 2 of them, with Llama 3 scaling when the shape has it. */
export function ropeFrequencies(shape: LlamaShape): Float64Array {
  const { headDim, ropeTheta, ropeScaling } = shape;
  const frequencies = Float64Array.from({ length: headDim / 2 }, (_, i) => ropeTheta ** ((-2 * i) / headDim));
  return ropeScaling ? frequencies.map((frequency) => stretch(frequency, ropeScaling)) : frequencies;
}

// Fast rotations stay, those slower than the original context are divided by factor, between the two a straight line.
function stretch(frequency: number, scaling: RopeScaling): number {
  const { factor, lowFreqFactor, highFreqFactor } = scaling;
  const turns = (scaling.originalContextLength * frequency) / (2 * Math.PI);
  const kept = Math.min(1, Math.max(0, (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)));
  return kept * frequency + (1 - kept) * (frequency / factor);
}
