// Gemma 3, text alone: embeddings times √width, GeLU in the gate, norms before and after attention and MLP and on queries and keys, all with weights
// less 1, and most layers windowed with a rotary base of their own. Source: Gemma 3 Technical Report, 2025; as transformers computes it in float32,
// where √width is not rounded to bfloat16.
import { z } from 'zod';
import type { LlamaShape } from '../shape.ts';
import { type Config, type Family, most, readFields, readScaling, refuse, ropeSchema } from './family.ts';

const windowed = 'sliding_attention';
const full = 'full_attention';
const capped = z.null('expected null, scores are not capped here').optional();

const schema = z.looseObject({
  query_pre_attn_scalar: z.int().min(1),
  sliding_window: z.int().min(1).max(most.context),
  layer_types: z.array(z.enum([windowed, full])).nullish(),
  /** Every so manieth layer sees all, where layer_types does not say which. */
  sliding_window_pattern: z.int().min(1),
  rope_local_base_freq: z.number().positive(),
  /** The spelling of transformers 5, in place of rope_theta, rope_local_base_freq and rope_scaling. */
  rope_parameters: z.looseObject({ [windowed]: ropeSchema, [full]: ropeSchema }).nullish(),
  use_bidirectional_attention: z.literal(false, 'expected false, tokens see what comes before them alone').nullish(),
  attn_logit_softcapping: capped,
  final_logit_softcapping: capped,
});

/** What transformers takes where a config leaves it out. */
const defaults = {
  head_dim: 256,
  num_key_value_heads: 4,
  hidden_activation: 'gelu_pytorch_tanh',
  query_pre_attn_scalar: 256,
  sliding_window: 4096,
  sliding_window_pattern: 6,
  rope_theta: 1_000_000,
  rope_local_base_freq: 10_000,
  tie_word_embeddings: true,
};

function traits(config: Config, where: string): Partial<LlamaShape> {
  const found = readFields(schema, config, where);
  const layers = config.num_hidden_layers;
  const types =
    found.layer_types ?? Array.from({ length: layers }, (_, i) => ((i + 1) % found.sliding_window_pattern ? windowed : full));
  if (types.length !== layers) throw refuse(where, 'layer_types', `a list of ${layers}`, types);
  return {
    modelType: 'gemma3_text',
    queryKeyNorm: true,
    outputNorms: true,
    normOffset: 1,
    activation: 'gelu',
    embeddingMultiplier: Math.sqrt(config.hidden_size),
    attentionMultiplier: 1 / Math.sqrt(found.query_pre_attn_scalar),
    slidingWindow: found.sliding_window,
    windowedLayers: types.flatMap((type, layer) => (type === windowed ? [layer] : [])),
    ...rotations(config, found, where),
  };
}

type Rotations = Pick<LlamaShape, 'ropeTheta' | 'ropeScaling' | 'localRopeTheta'>;

function rotations(config: Config, found: z.infer<typeof schema>, where: string): Rotations {
  const { rope_parameters: both } = found;
  const whole = both ? both[full] : (config.rope_scaling ?? {});
  const local = both?.[windowed] ?? {};
  const field = both ? `rope_parameters.${full}` : 'rope_scaling';
  if (readScaling(local, `rope_parameters.${windowed}`, where)) {
    throw refuse(where, `rope_parameters.${windowed}.rope_type`, '"default"', local.rope_type);
  }
  return {
    ropeTheta: whole.rope_theta ?? config.rope_theta ?? defaults.rope_theta,
    ropeScaling: readScaling(whole, field, where),
    localRopeTheta: local.rope_theta ?? found.rope_local_base_freq,
  };
}

export const gemma3: Family = {
  architecture: 'Gemma3ForCausalLM',
  defaults,
  traits,
  fields: ({ layers, windowedLayers, slidingWindow, attentionMultiplier, localRopeTheta }) => ({
    hidden_activation: 'gelu_pytorch_tanh',
    query_pre_attn_scalar: Math.round(attentionMultiplier! ** -2),
    sliding_window: slidingWindow,
    layer_types: Array.from({ length: layers }, (_, layer) => (windowedLayers.includes(layer) ? windowed : full)),
    rope_local_base_freq: localRopeTheta,
  }),
};
