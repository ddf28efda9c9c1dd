// A tokenizer.json in the terms of GGUF: its tokens with their kinds, and the name llama.cpp has for the way it cuts words. What llama.cpp would
// cut otherwise is refused, since such a model would read other tokens there than it learnt.
import { SteerError } from '../../errors.ts';
import type { TokenizerJson } from '../tokenizer/tokenizer-json.ts';
import type { Splitter } from '../tokenizer/word-cuts.ts';
import type { GgufValue } from './gguf-format.ts';
import { cutsAtSpaces } from './gguf-merges.ts';
import { wordPatterns } from './gguf-words.ts';

/** What a token is, as the format counts it; a plain one is text that is one token wherever it stands. */
export const tokenKinds = { normal: 1, unknown: 2, control: 3, plain: 4, unused: 5, byte: 6 };
const byteByItself = /^<0x[0-9A-F]{2}>$/;

/** Values of the header for a vocabulary of `size`. Throws invalid_model for a tokenizer llama.cpp has no name for. */
export function ggufTokenizer(json: TokenizerJson, size: number, ends: readonly number[]): Map<string, GgufValue> {
  const sentencePiece = json.model.byte_fallback === true;
  const { tokens, types } = tokensOf(json, size, sentencePiece);
  const values = new Map<string, GgufValue>([
    ['tokenizer.ggml.model', { string: sentencePiece ? 'llama' : 'gpt2' }],
    ['tokenizer.ggml.pre', { string: sentencePiece ? 'default' : cutOf(json.pre_tokenizer) }],
    ['tokenizer.ggml.tokens', { strings: tokens }],
    ['tokenizer.ggml.token_type', { int32s: types }],
  ]);
  if (sentencePiece) {
    refuseOtherSpaces(json);
    refuseUnordered(json);
    // Merges are found by the scores of what they make: the earlier learnt, the higher.
    values.set('tokenizer.ggml.scores', { float32s: tokens.map((_, id) => -id) });
  } else {
    const merges = json.model.merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' ')));
    values.set('tokenizer.ggml.merges', { strings: merges });
  }
  const [end] = ends;
  if (end !== undefined) values.set('tokenizer.ggml.eos_token_id', { uint32: end });
  const unknown = json.model.unk_token ? json.model.vocab[json.model.unk_token] : undefined;
  if (unknown !== undefined) values.set('tokenizer.ggml.unknown_token_id', { uint32: unknown });
  // Nothing is put around a prompt: so this program trains and asks.
  values.set('tokenizer.ggml.add_bos_token', { bool: false });
  values.set('tokenizer.ggml.add_eos_token', { bool: false });
  values.set('tokenizer.ggml.add_space_prefix', { bool: sentencePiece });
  return values;
}

function tokensOf({ model, added_tokens }: TokenizerJson, size: number, sentencePiece: boolean) {
  const tokens = Array.from({ length: size }, (_, id) => `[unused${id}]`);
  const types = new Array<number>(size).fill(tokenKinds.unused);
  for (const [spelling, id] of Object.entries(model.vocab)) {
    tokens[id] = spelling;
    types[id] = sentencePiece && byteByItself.test(spelling) ? tokenKinds.byte : tokenKinds.normal;
  }
  for (const { id, content, special } of added_tokens) {
    tokens[id] = content;
    types[id] = content === model.unk_token ? tokenKinds.unknown : special ? tokenKinds.control : tokenKinds.plain;
  }
  return { tokens, types };
}

/** llama.cpp's name for a byte-level pre-tokenizer. */
function cutOf(splitter: Splitter | null): string {
  if (splitter?.type === 'ByteLevel' && splitter.use_regex !== false && !splitter.add_prefix_space) return 'gpt-2';
  const [first, second, ...rest] = splitter?.type === 'Sequence' ? (splitter.pretokenizers as Splitter[]) : [];
  if (second?.type === 'ByteLevel' && !second.add_prefix_space && rest.length === 0) {
    const words = second.use_regex !== false;
    if (first?.type === 'Digits' && first.individual_digits && words) return 'smollm';
    const pattern = (first?.pattern as { Regex?: string } | undefined)?.Regex;
    const isolates = first?.type === 'Split' && first.behavior === 'Isolated' && !first.invert && !words;
    const known = isolates ? Object.entries(wordPatterns).find(([, cut]) => cut === pattern) : undefined;
    if (known) return known[0];
  }
  throw new SteerError(
    'invalid_model',
    `Expected a tokenizer that cuts words as GPT-2, Llama 3, Qwen 2 or SmolLM does, found ${JSON.stringify(splitter)?.slice(0, 200)}. ` +
      'llama.cpp would read other tokens than the model learnt; serve it from its safetensors.',
  );
}

function refuseOtherSpaces({ normalizer, pre_tokenizer }: TokenizerJson): void {
  const steps = (normalizer?.type === 'Sequence' ? normalizer.normalizers : [normalizer]) as (Splitter | null)[];
  const written = steps.map((step) => step?.type).join();
  if (written === 'Prepend,Replace' && (pre_tokenizer === null || cutsAtSpaces(pre_tokenizer))) return;
  if (normalizer === null && pre_tokenizer?.type === 'Metaspace' && pre_tokenizer.prepend_scheme !== 'never') return;
  throw new SteerError(
    'invalid_model',
    `Expected a tokenizer that writes spaces as Llama 2's does, found the normalizer ${JSON.stringify(normalizer)?.slice(0, 200)}. ` +
      'llama.cpp has no such tokenizer; serve the model from its safetensors.',
  );
}

function refuseUnordered({ model }: TokenizerJson): void {
  let last = -1;
  for (const merge of model.merges) {
    const made = model.vocab[typeof merge === 'string' ? merge.replace(' ', '') : merge.join('')] ?? -1;
    if (made < last) {
      throw new SteerError(
        'invalid_model',
        `Expected the merges of the tokenizer in the order of the ids they make, found ${made} after ${last}. llama.cpp would merge in another order.`,
      );
    }
    last = made;
  }
}
