// What GGUF calls the families of models and their tensors, for both directions, and what its tensors hold otherwise than Hugging Face's.
import { SteerError } from '../../errors.ts';

export interface GgufFamily {
  /** Of config.json. */
  modelType: string;
  /** Rows of queries and keys lie in rotary pairs, where Hugging Face has the two of a pair half a head apart. */
  pairedRows?: boolean;
  /** What the file adds to the weights of norms. */
  normShift?: number;
  /** Parts of a layer that are called otherwise than `layerParts` says. */
  parts?: Record<string, string>;
}

/** By general.architecture. Mistral is a Llama there. */
export const families: Record<string, GgufFamily> = {
  llama: { modelType: 'llama', pairedRows: true },
  qwen2: { modelType: 'qwen2' },
  qwen3: { modelType: 'qwen3' },
  granite: { modelType: 'granite', pairedRows: true },
  smollm3: { modelType: 'smollm3', pairedRows: true },
  gemma3: {
    modelType: 'gemma3_text',
    normShift: 1,
    parts: {
      post_attention_layernorm: 'post_attention_norm',
      pre_feedforward_layernorm: 'ffn_norm',
      post_feedforward_layernorm: 'post_ffw_norm',
    },
  },
};

/** The family of a file. Throws invalid_model, with the families that are read, for another. */
export function familyOf(path: string, architecture: unknown): GgufFamily {
  const family = typeof architecture === 'string' && Object.hasOwn(families, architecture) ? families[architecture] : undefined;
  if (family) return family;
  const found = JSON.stringify(architecture)?.slice(0, 80) ?? 'nothing';
  throw new SteerError(
    'invalid_model',
    `${path}: expected general.architecture to be one of ${Object.keys(families).join(', ')}, found ${found}.`,
  );
}

const wholeParts: Record<string, string> = {
  'model.embed_tokens': 'token_embd',
  'model.norm': 'output_norm',
  lm_head: 'output',
};
const layerParts: Record<string, string> = {
  input_layernorm: 'attn_norm',
  post_attention_layernorm: 'ffn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

const theirs = /^(?:model\.layers\.(\d+)\.)?(.+)\.(weight|bias)$/;
const ggufs = /^(?:blk\.(\d+)\.)?(.+)\.(weight|bias)$/;

/** GGUF's name of a parameter that Hugging Face has; undefined where it has none. */
export function ggufName(name: string, family: GgufFamily): string | undefined {
  const [, layer, part = '', kind] = theirs.exec(name) ?? [];
  const given = (layer === undefined ? wholeParts : { ...layerParts, ...family.parts })[part];
  return given && `${layer === undefined ? '' : `blk.${layer}.`}${given}.${kind}`;
}

/** Hugging Face's name of a tensor of GGUF; one that has none keeps its own. */
export function huggingFaceName(name: string, family: GgufFamily): string {
  const [, layer, given, kind] = ggufs.exec(name) ?? [];
  const parts = Object.entries(layer === undefined ? wholeParts : { ...layerParts, ...family.parts });
  const part = parts.find(([, each]) => each === given)?.[0];
  return part === undefined ? name : `${layer === undefined ? '' : `model.layers.${layer}.`}${part}.${kind}`;
}

/** Whether the parameter of this name of Hugging Face lies in rotary pairs. */
export function isPaired(name: string, { pairedRows }: GgufFamily): boolean {
  return pairedRows === true && /self_attn\.[qk]_proj\.weight$/.test(name);
}

/** The row of the file that a row of Hugging Face's is: of each head, the two of a rotary pair side by side. */
export function pairedRow(row: number, headDim: number): number {
  const within = row % headDim;
  return row - within + 2 * (within % (headDim / 2)) + Math.floor(within / (headDim / 2));
}
