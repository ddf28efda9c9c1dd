// Granite: a Llama with four multipliers. Granite 4 without experts and state spaces is the same model under the name of its hybrid family, gate and
// up in one matrix; weights.ts reads that in two, and what is written here is a plain Granite.
import { z } from 'zod';
import type { LlamaShape } from '../shape.ts';
import { type Config, type Family, most, readFields, refuse } from './family.ts';

const multiplier = z.number().positive().default(1);
const schema = z.looseObject({
  embedding_multiplier: multiplier,
  attention_multiplier: multiplier,
  residual_multiplier: multiplier,
  logits_scaling: multiplier,
});

function traits(config: Config, where: string): Partial<LlamaShape> {
  const found = readFields(schema, config, where);
  return {
    modelType: 'granite',
    embeddingMultiplier: found.embedding_multiplier,
    attentionMultiplier: found.attention_multiplier,
    residualMultiplier: found.residual_multiplier,
    logitsScaling: found.logits_scaling,
  };
}

export const granite: Family = {
  architecture: 'GraniteForCausalLM',
  traits,
  fields: (shape) => ({
    mlp_bias: false,
    embedding_multiplier: shape.embeddingMultiplier,
    attention_multiplier: shape.attentionMultiplier,
    residual_multiplier: shape.residualMultiplier,
    logits_scaling: shape.logitsScaling,
  }),
};

const hybridSchema = z.looseObject({
  num_local_experts: z.literal(0, 'expected 0, experts are not computed here'),
  shared_intermediate_size: z.int().min(1).max(most.width),
  position_embedding_type: z.literal('rope', 'expected "rope", attention without positions is not computed here'),
  normalization_function: z.literal('rmsnorm').nullish(),
});
const attentionLayers = ['attention', 'full_attention'];

export const graniteHybrid: Family = {
  ...granite,
  traits(config, where) {
    const others = config.layer_types?.find((type) => !attentionLayers.includes(type));
    if (!config.layer_types || others !== undefined) {
      throw refuse(where, 'layer_types', '"attention" throughout, state spaces are not computed here', others);
    }
    const { shared_intermediate_size: intermediateSize } = readFields(hybridSchema, config, where);
    return { ...traits(config, where), intermediateSize };
  },
};
