// The least GGUF file that is a whole model: a Llama of one layer and eight tokens, all its numbers 0.
import { float32, type ggufFile, list, text, uint32 } from './gguf-file.ts';

const spellings = ['<s>', '</s>', '<|eot|>', 'a', 'b', 'ab', 'Ġ', '[PAD7]'];
export type Values = Parameters<typeof ggufFile>[0];

/** The header of a Llama of one layer, with what a test says otherwise; undefined takes a value out. */
export function llama(further: Record<string, Values[number][1] | undefined> = {}): Values {
  const values: Record<string, Values[number][1] | undefined> = {
    'general.architecture': text('llama'),
    'llama.context_length': uint32(64),
    'llama.embedding_length': uint32(8),
    'llama.block_count': uint32(1),
    'llama.feed_forward_length': uint32(12),
    'llama.attention.head_count': uint32(2),
    'llama.attention.layer_norm_rms_epsilon': float32(1e-5),
    'tokenizer.ggml.model': text('gpt2'),
    'tokenizer.ggml.pre': text('gpt-2'),
    'tokenizer.ggml.tokens': list(spellings.map(text)),
    'tokenizer.ggml.token_type': list([3, 3, 3, 1, 1, 1, 1, 5].map(uint32)),
    'tokenizer.ggml.merges': list([text('a b')]),
    'tokenizer.ggml.bos_token_id': uint32(0),
    'tokenizer.ggml.eos_token_id': uint32(1),
    'tokenizer.ggml.eot_token_id': uint32(2),
    ...further,
  };
  return Object.entries(values).filter((entry): entry is Values[number] => entry[1] !== undefined);
}

export const tensors = [
  { name: 'token_embd.weight', shape: [8, 8] },
  ...['attn_norm', 'ffn_norm'].map((name) => ({ name: `blk.0.${name}.weight`, shape: [8] })),
  ...['attn_q', 'attn_k', 'attn_v', 'attn_output'].map((name) => ({ name: `blk.0.${name}.weight`, shape: [8, 8] })),
  ...['ffn_gate', 'ffn_up'].map((name) => ({ name: `blk.0.${name}.weight`, shape: [12, 8] })),
  { name: 'blk.0.ffn_down.weight', shape: [8, 12] },
  { name: 'output_norm.weight', shape: [8] },
];
