// SmolLM3: a Llama of which some layers do not rotate queries and keys.
import { z } from 'zod';
import { type Family, readFields, refuse } from './family.ts';

const schema = z.looseObject({
  /** 1 where a layer rotates. */
  no_rope_layers: z.array(z.union([z.literal(0), z.literal(1)])).nullish(),
  no_rope_layer_interval: z.int().min(1).default(4),
});

export const smollm3: Family = {
  architecture: 'SmolLM3ForCausalLM',
  defaults: { tie_word_embeddings: true, rope_theta: 2_000_000 },
  traits(config, where) {
    const layers = config.num_hidden_layers;
    const { no_rope_layers: listed, no_rope_layer_interval: interval } = readFields(schema, config, where);
    if (listed && listed.length < layers) throw refuse(where, 'no_rope_layers', `a list of ${layers}`, listed);
    const rotates = (layer: number) => (listed ? listed[layer] === 1 : (layer + 1) % interval !== 0);
    return { modelType: 'smollm3', unrotatedLayers: [...Array(layers).keys()].filter((layer) => !rotates(layer)) };
  },
  fields: ({ layers, unrotatedLayers }) => ({
    mlp_bias: false,
    // By itself, transformers takes an id that a small vocabulary does not have.
    pad_token_id: null,
    sliding_window: null,
    use_sliding_window: false,
    no_rope_layers: Array.from({ length: layers }, (_, layer) => Number(!unrotatedLayers.includes(layer))),
  }),
};
