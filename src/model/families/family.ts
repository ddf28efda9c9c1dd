// What a family of models is to whoever reads and writes config.json, and the fields that all families share.
import { z } from 'zod';
import { SteerError } from '../../errors.ts';
import { faultsOf } from '../../shape-faults.ts';
import type { LlamaShape, RopeScaling } from '../shape.ts';

export interface Family {
  /** Its class in transformers. */
  architecture: string;
  /** What transformers takes where config.json says nothing, if not what it takes for a Llama. */
  defaults?: Readonly<Record<string, unknown>>;
  /** What a shape of the family has that a plain Llama's has not. Throws invalid_model naming what cannot be followed. */
  traits(config: Config, where: string): Partial<LlamaShape>;
  /** Fields of config.json beside those that all families have. */
  fields(shape: LlamaShape): Record<string, unknown>;
}

const upTo = (most: number) => z.number().int().min(1).max(most);
/** Far above every model there is; beyond them, listing a shape's tensors or laying out its tables would take a machine's memory. */
export const most = { layers: 2 ** 10, heads: 2 ** 12, width: 2 ** 20, vocabulary: 2 ** 24, context: 2 ** 24 };

export const ropeSchema = z.looseObject({
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

export const configSchema = z.looseObject({
  model_type: z.string(),
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

export type Config = z.infer<typeof configSchema>;

/** The fields of config.json that `schema` names. Throws invalid_model naming the first that is amiss. */
export function readFields<S extends z.ZodType>(schema: S, config: unknown, where: string): z.infer<S> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const [{ path: field, words }] = faultsOf(parsed.error);
  throw new SteerError('invalid_model', `${where}: ${field ? `field ${field}: ` : ''}${words}.`);
}

export function refuse(where: string, field: string, expected: string, found: unknown): SteerError {
  const shown = found === undefined ? 'nothing' : JSON.stringify(found)?.slice(0, 80);
  return new SteerError('invalid_model', `${where}: expected ${field} to be ${expected}, found ${shown}.`);
}

type Rope = z.infer<typeof ropeSchema>;
type ScalingField = 'factor' | 'low_freq_factor' | 'high_freq_factor' | 'original_max_position_embeddings';

/** The scaling of rotary frequencies that `field` of config.json asks for. Throws invalid_model for one that is not computed here. */
export function readScaling(rope: Rope, field: string, where: string): RopeScaling | null {
  const kind = rope.rope_type ?? rope.type ?? 'default';
  const partial = rope.partial_rotary_factor ?? 1;
  if (partial !== 1) throw refuse(where, 'partial_rotary_factor', '1', partial);
  if (kind === 'default') return null;
  const needed = (name: ScalingField) => {
    const value = rope[name];
    if (value === undefined) throw refuse(where, `${field}.${name}`, 'a positive number', value);
    return value;
  };
  if (kind === 'linear') return { factor: needed('factor') };
  if (kind !== 'llama3') throw refuse(where, `${field}.rope_type`, '"default", "linear" or "llama3"', kind);
  const scaling = {
    factor: needed('factor'),
    lowFreqFactor: needed('low_freq_factor'),
    highFreqFactor: needed('high_freq_factor'),
    originalContextLength: needed('original_max_position_embeddings'),
  };
  if (scaling.highFreqFactor <= scaling.lowFreqFactor) {
    const expected = `above low_freq_factor ${scaling.lowFreqFactor}`;
    throw refuse(where, `${field}.high_freq_factor`, expected, scaling.highFreqFactor);
  }
  return scaling;
}

/** The scaling as config.json spells it. */
export function scalingFields(scaling: RopeScaling | null): Record<string, unknown> | null {
  if (!scaling) return null;
  if (!('lowFreqFactor' in scaling)) return { rope_type: 'linear', factor: scaling.factor };
  return {
    rope_type: 'llama3',
    factor: scaling.factor,
    low_freq_factor: scaling.lowFreqFactor,
    high_freq_factor: scaling.highFreqFactor,
    original_max_position_embeddings: scaling.originalContextLength,
  };
}
