// The config.json that Hugging Face transformers uses, as a shape and back. What it says otherwise than the shape can, it is refused for.
import { own } from '../own.ts';
import { type Config, configSchema, type Family, readFields, readScaling, refuse, scalingFields } from './families/family.ts';
import { gemma3 } from './families/gemma3.ts';
import { granite, graniteHybrid } from './families/granite.ts';
import { llama } from './families/llama.ts';
import { mistral } from './families/mistral.ts';
import { qwen2 } from './families/qwen2.ts';
import { qwen3 } from './families/qwen3.ts';
import { smollm3 } from './families/smollm3.ts';
import { type LlamaShape, type ModelType, plainLlama, type WeightType } from './shape.ts';

/** By model_type as it is written. */
const families: Record<ModelType, Family> = { llama, qwen2, qwen3, mistral, gemma3_text: gemma3, granite, smollm3 };
/** By model_type as it is read. */
const readFamilies: Record<string, Family> = { ...families, granitemoehybrid: graniteHybrid };

const newerQwen = 'Qwen3.5 and Qwen3-Next mix attention with gated delta nets';
const liquid = 'LFM2 and LFM2.5 mix attention with short convolutions';
/** Why models that people will try are not read. */
const unread: Record<string, string> = {
  ...{ lfm2: liquid, lfm2_moe: liquid, qwen3_5: newerQwen, qwen3_5_text: newerQwen, qwen3_next: newerQwen },
  gemma3: 'Gemma 3 of 4B and more reads images too; its text-only sizes are 270M and 1B',
};

/** The shape a parsed config.json describes; `where` names the file in messages. Throws invalid_model naming the field it cannot follow. */
export function parseShape(configJson: unknown, where: string): LlamaShape {
  const type = (configJson as { model_type?: unknown } | null)?.model_type;
  const family = typeof type === 'string' ? own(readFamilies, type) : undefined;
  if (!family) {
    const why = typeof type === 'string' ? own(unread, type) : undefined;
    const read = Object.keys(readFamilies).join(', ');
    throw refuse(where, 'model_type', `one of ${read}${why ? ` (${why})` : ''}`, type);
  }
  const said = Object.entries(configJson as object).filter(([, value]) => value !== null);
  const config = readFields(configSchema, { ...family.defaults, ...Object.fromEntries(said) }, where);
  const heads = config.num_attention_heads;
  const field = config.rope_parameters ? 'rope_parameters' : 'rope_scaling';
  const rope = config.rope_parameters ?? config.rope_scaling ?? {};
  const partial = config.partial_rotary_factor ?? 1;
  const shape: LlamaShape = {
    ...plainLlama,
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads,
    kvHeads: config.num_key_value_heads ?? heads,
    headDim: config.head_dim ?? config.hidden_size / heads,
    contextLength: config.max_position_embeddings,
    ropeTheta: rope.rope_theta ?? config.rope_theta ?? 10_000,
    ropeScaling: readScaling({ partial_rotary_factor: partial, ...rope }, field, where),
    normEpsilon: config.rms_norm_eps,
    tiedEmbeddings: config.tie_word_embeddings,
    ...family.traits(config, where),
  };
  refuseUnsupported(config, shape, where);
  return shape;
}

function refuseUnsupported(config: Config, shape: LlamaShape, where: string): void {
  const { heads, kvHeads, headDim } = shape;
  const [field, activation] = shape.activation === 'silu' ? ['hidden_act', 'silu'] : ['hidden_activation', 'gelu_pytorch_tanh'];
  if (config[field] !== activation) throw refuse(where, field, `"${activation}"`, config[field]);
  // attention_bias puts a bias on the output projection as well, which the forward graph has no place for.
  if (config.attention_bias) throw refuse(where, 'attention_bias', 'false', true);
  if (config.mlp_bias) throw refuse(where, 'mlp_bias', 'false', true);
  if (config.quantization_config) throw refuse(where, 'quantization_config', 'absent (full weights)', config.quantization_config);
  if (heads % kvHeads !== 0) throw refuse(where, 'num_key_value_heads', `a divisor of num_attention_heads ${heads}`, kvHeads);
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) {
    throw refuse(where, 'head_dim', 'an even whole number (hidden_size / num_attention_heads when absent)', headDim);
  }
  if (shape.slidingWindow === null) refuseWindows(config, shape, where);
}

/** Where the shape has no windows, the config may name none. */
function refuseWindows(config: Config, { modelType, contextLength }: LlamaShape, where: string): void {
  const other = config.layer_types?.find((type) => !['full_attention', 'attention'].includes(type));
  if (other !== undefined) throw refuse(where, 'layer_types', '"full_attention" throughout', other);
  const windowUsed = modelType === 'mistral' || config.use_sliding_window === true;
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
  const { architecture, fields } = families[shape.modelType];
  return {
    architectures: [architecture],
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
    rope_scaling: scalingFields(shape.ropeScaling),
    rms_norm_eps: shape.normEpsilon,
    tie_word_embeddings: shape.tiedEmbeddings,
    hidden_act: shape.activation === 'silu' ? 'silu' : 'gelu_pytorch_tanh',
    attention_bias: false,
    attention_dropout: 0,
    ...fields(shape),
    initializer_range: 0.02,
    bos_token_id: tokenIds.bos ?? null,
    eos_token_id: tokenIds.eos ?? null,
    use_cache: true,
    torch_dtype: dtype,
  };
}
