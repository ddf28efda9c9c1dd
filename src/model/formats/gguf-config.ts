// The header of a GGUF file as the config.json and generation_config.json of Hugging Face, so that a model is read one way wherever it comes from.
import { z } from 'zod';
import { SteerError } from '../../errors.ts';
import { faultsOf } from '../../shape-faults.ts';
import type { HeaderValue } from './gguf-cursor.ts';
import { familyOf } from './gguf-families.ts';
import type { GgufHeader } from './gguf-header.ts';

const number = z.number();
/** A list has a number for each layer. */
const perLayer = z.union([number, z.array(number).min(1)]);

/** Values below the name of the architecture. Whether they fit a model, parseShape says. */
const ownSchema = z.object({
  context_length: number,
  embedding_length: number,
  block_count: number,
  feed_forward_length: perLayer,
  'attention.head_count': perLayer,
  'attention.head_count_kv': perLayer.optional(),
  'attention.key_length': number.optional(),
  'attention.value_length': number.optional(),
  'attention.layer_norm_rms_epsilon': number,
  'attention.sliding_window': number.optional(),
  'attention.sliding_window_pattern': z.union([number, z.array(z.boolean())]).optional(),
  'attention.scale': number.optional(),
  'rope.dimension_count': number.optional(),
  'rope.freq_base': number.optional(),
  'rope.freq_base_swa': number.optional(),
  'rope.scaling.type': z.string().optional(),
  'rope.scaling.factor': number.optional(),
  embedding_scale: number.optional(),
  residual_scale: number.optional(),
  logit_scale: number.optional(),
  expert_count: number.optional(),
});
type Own = z.infer<typeof ownSchema>;

const tokenSchema = z.object({
  bos_token_id: number.optional(),
  eos_token_id: number.optional(),
  eot_token_id: number.optional(),
  eom_token_id: number.optional(),
  padding_token_id: number.optional(),
});

const samplingSchema = z.object({
  temp: number.optional(),
  top_k: number.optional(),
  top_p: number.optional(),
  min_p: number.optional(),
  penalty_repeat: number.optional(),
});

/** Which layers of a Gemma 3 see everything, and the base of the rotary frequencies of the others; llama.cpp knows both by heart. */
const gemma = { fullEvery: 6, localBase: 10_000, widestLayers: 62 };
/** SmolLM3's every fourth layer has no rotary embedding. */
const smolNoRopeEvery = 4;

/** What a family says in config.json beyond what all do. */
const furtherFields: Record<string, (own: Own, headDim: number) => Record<string, unknown>> = {
  gemma3: (own, headDim) => {
    const pattern = own['attention.sliding_window_pattern'] ?? gemma.fullEvery;
    const windowed = (i: number) => (typeof pattern === 'number' ? (i + 1) % pattern !== 0 : pattern[i] === true);
    const heads = uniform(own['attention.head_count']);
    return {
      hidden_activation: 'gelu_pytorch_tanh',
      query_pre_attn_scalar: own.block_count === gemma.widestLayers ? own.embedding_length / heads : headDim,
      rope_local_base_freq: asWritten(own['rope.freq_base_swa'] ?? gemma.localBase),
      sliding_window: own['attention.sliding_window'] ?? null,
      layer_types: layers(own, (i) => (windowed(i) ? 'sliding_attention' : 'full_attention')),
    };
  },
  granite: (own, headDim) => ({
    embedding_multiplier: asWritten(own.embedding_scale ?? 1),
    residual_multiplier: asWritten(own.residual_scale ?? 1),
    logits_scaling: asWritten(own.logit_scale ?? 1),
    // What llama.cpp takes where the file says nothing; transformers would take 1.
    attention_multiplier: asWritten(own['attention.scale'] ?? 1 / Math.sqrt(headDim)),
  }),
  smollm3: (own) => ({
    no_rope_layers: layers(own, (i) => ((i + 1) % smolNoRopeEvery === 0 ? 0 : 1)),
    no_rope_layer_interval: smolNoRopeEvery,
  }),
};

/** Far above every model, and no list too long for memory; parseShape refuses such counts with its own words. */
const mostListedLayers = 2 ** 10;
const layers = <Value>({ block_count: count }: Own, of: (layer: number) => Value): Value[] =>
  Array.from({ length: Math.min(count, mostListedLayers) }, (_, i) => of(i));

/** The shortest decimal of which the float32 is made: 0.00001, not 0.000009999999747. */
function asWritten(float: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === Math.fround(float)) return short;
  }
  return float;
}

const uniform = (value: number | number[]): number => (typeof value === 'number' ? value : value[0]!);

/** Values of the header below a prefix, without it. Throws invalid_model naming the value that is amiss. */
function under<Schema extends z.ZodType>({ path, values }: GgufHeader, prefix: string, schema: Schema): z.infer<Schema> {
  const found: [string, HeaderValue][] = [];
  for (const [key, value] of values) if (key.startsWith(prefix)) found.push([key.slice(prefix.length), value]);
  const parsed = schema.safeParse(Object.fromEntries(found));
  if (parsed.success) return parsed.data;
  const [fault] = faultsOf(parsed.error);
  throw new SteerError('invalid_model', `${path}: ${prefix}${fault.path}: ${fault.words}.`);
}

/** Width of a head. */
export function headDimOf(header: GgufHeader): number {
  return headDim(under(header, `${header.values.get('general.architecture')}.`, ownSchema));
}

function headDim(own: Own): number {
  return own['attention.key_length'] ?? own.embedding_length / uniform(own['attention.head_count']);
}

/** What config.json would say; `stretches` are the divisors of the rotary frequencies, where the file has some. Throws invalid_model. */
export function configOf(header: GgufHeader, stretches: Float32Array | undefined): Record<string, unknown> {
  const { path, values, tensors } = header;
  const architecture = values.get('general.architecture') as string;
  const { modelType } = familyOf(path, architecture);
  const own = under(header, `${architecture}.`, ownSchema);
  refuseUneven(path, architecture, own);
  const tokens = under(header, 'tokenizer.ggml.', tokenSchema);
  const ends = [tokens.eos_token_id, tokens.eot_token_id, tokens.eom_token_id].filter((id) => id !== undefined);
  const width = headDim(own);
  const theta = asWritten(own['rope.freq_base'] ?? 10_000);
  return {
    model_type: modelType,
    vocab_size: tensors.get('token_embd.weight')?.shape[0],
    hidden_size: own.embedding_length,
    intermediate_size: uniform(own.feed_forward_length),
    num_hidden_layers: own.block_count,
    num_attention_heads: uniform(own['attention.head_count']),
    num_key_value_heads: uniform(own['attention.head_count_kv'] ?? own['attention.head_count']),
    head_dim: width,
    max_position_embeddings: own.context_length,
    rope_theta: theta,
    rope_scaling: stretches ? stretchedLikeLlama3(path, stretches, theta, width) : scalingOf(own),
    partial_rotary_factor: (own['rope.dimension_count'] ?? width) / width,
    rms_norm_eps: asWritten(own['attention.layer_norm_rms_epsilon']),
    tie_word_embeddings: !tensors.has('output.weight'),
    bos_token_id: tokens.bos_token_id ?? null,
    eos_token_id: [...new Set(ends)],
    pad_token_id: tokens.padding_token_id ?? null,
    ...(Object.hasOwn(furtherFields, architecture) && furtherFields[architecture]!(own, width)),
  };
}

function scalingOf(own: Own): Record<string, unknown> | null {
  const type = own['rope.scaling.type'] ?? 'none';
  return type === 'none' ? null : { rope_type: type, factor: own['rope.scaling.factor'] };
}

/** Throws invalid_model for what config.json has no field for. */
function refuseUneven(path: string, architecture: string, own: Own): void {
  const refuse = (key: keyof Own, expected: string) => {
    const found = JSON.stringify(own[key])?.slice(0, 80);
    throw new SteerError('invalid_model', `${path}: expected ${architecture}.${key} to be ${expected}, found ${found}.`);
  };
  for (const key of ['feed_forward_length', 'attention.head_count', 'attention.head_count_kv'] as const) {
    const value = own[key];
    if (Array.isArray(value) && value.some((each) => each !== value[0])) refuse(key, 'the same for every layer');
  }
  if ((own.expert_count ?? 0) > 0) refuse('expert_count', '0, since models of experts are not read');
  if (own['attention.value_length'] !== undefined && own['attention.value_length'] !== headDim(own)) {
    refuse('attention.value_length', `that of keys, ${headDim(own)}`);
  }
}

/** Llama 3's own choice; no file says them. */
const [lowFrequencyFactor, highFrequencyFactor] = [1, 4];
/** Of a divisor, in float32 and computed in another order. */
const divisorTolerance = 1e-4;

/**
 * The settings of Llama 3's stretching that make these divisors: the largest is the factor, and of the contexts a model can first have been trained
 * on, powers of two, one fits. Throws invalid_model where none does.
 */
function stretchedLikeLlama3(path: string, divisors: Float32Array, theta: number, width: number): Record<string, unknown> {
  const factor = asWritten(Math.max(...divisors));
  for (let context = 32; context <= 2 ** 20; context *= 2) {
    const fits = divisors.every((divisor, i) => {
      const turns = (context * theta ** ((-2 * i) / width)) / (2 * Math.PI);
      const kept = Math.min(1, Math.max(0, (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor)));
      const expected = 1 / (kept + (1 - kept) / factor);
      return Math.abs(divisor / expected - 1) < divisorTolerance;
    });
    if (!fits) continue;
    return {
      rope_type: 'llama3',
      factor,
      low_freq_factor: lowFrequencyFactor,
      high_freq_factor: highFrequencyFactor,
      original_max_position_embeddings: context,
    };
  }
  throw new SteerError('invalid_model', `${path}: expected rope_freqs.weight to stretch as Llama 3 does, found other divisors.`);
}

/** What generation_config.json would say of how replies are best drawn; undefined where the file does not. */
export function samplingOf(header: GgufHeader): Record<string, unknown> | undefined {
  const { temp, penalty_repeat, ...same } = under(header, 'general.sampling.', samplingSchema);
  const found = Object.entries({ temperature: temp, repetition_penalty: penalty_repeat, ...same });
  const told = found.flatMap(([name, value]) => (value === undefined ? [] : [[name, asWritten(value)] as const]));
  return told.length === 0 ? undefined : Object.fromEntries(told);
}
