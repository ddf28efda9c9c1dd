// The vocabulary of a GGUF file as tokenizer.json and tokenizer_config.json have it. Byte-level BPE comes with merges, SentencePiece with scores. No
// Unicode normalisation: llama.cpp knows none.
import { SteerError } from '../../errors.ts';
import type { HeaderValue, Scalar } from './gguf-cursor.ts';
import { type GgufHeader, readList, readTexts } from './gguf-header.ts';
import { mergesOf, type Piece, spaceCuts } from './gguf-merges.ts';
import { tokenKinds } from './gguf-tokenizer.ts';
import { wordCut, wordCutNames } from './gguf-words.ts';

const prefix = 'tokenizer.ggml.';

/** The content of tokenizer.json. Throws invalid_model for a kind of tokenizer that is not read, or lists that do not fit each other. */
export async function ggufTokenizerJson(header: GgufHeader): Promise<Record<string, unknown>> {
  const kind = header.values.get(`${prefix}model`);
  const tokens = await readTokens(header);
  const kinds = (await listOf(header, 'token_type', 'number', tokens.length)) ?? tokens.map(() => tokenKinds.normal);
  switch (kind) {
    case 'gpt2':
      return await byteLevel(header, tokens, kinds);
    case 'llama':
      return await sentencePiece(header, tokens, kinds);
    default:
      throw refusal(header, 'model', 'gpt2 (byte-level BPE) or llama (SentencePiece)', kind);
  }
}

/** Words of the vocabulary with their ids, but for control tokens, tokens that were added and room for more. Throws invalid_model as above. */
export async function ggufWords(header: GgufHeader): Promise<[string, number][]> {
  const tokens = await readTokens(header);
  const kinds = (await listOf(header, 'token_type', 'number', tokens.length)) ?? tokens.map(() => tokenKinds.normal);
  const isWord = (id: number) => kinds[id] === tokenKinds.normal || kinds[id] === tokenKinds.byte;
  return tokens.flatMap((token, id): [string, number][] => (isWord(id) ? [[token, id]] : []));
}

function refusal({ path }: GgufHeader, key: string, expected: string, found: HeaderValue | undefined): SteerError {
  const shown = JSON.stringify(found)?.slice(0, 80) ?? 'nothing';
  return new SteerError('invalid_model', `${path}: expected ${prefix}${key} to be ${expected}, found ${shown}.`);
}

async function readTokens(header: GgufHeader): Promise<readonly string[]> {
  const tokens = await listOf(header, 'tokens', 'string');
  if (tokens) return tokens;
  throw refusal(header, 'tokens', 'a list of texts', undefined);
}

interface Types {
  string: string;
  number: number;
}

/** A list of values of one type; undefined where there is none. Throws invalid_model for another type or length. */
async function listOf<Type extends keyof Types>(
  header: GgufHeader,
  key: string,
  type: Type,
  length?: number,
): Promise<readonly Types[Type][] | undefined> {
  const list = await readList(header, `${prefix}${key}`);
  if (!list) return;
  const first: Scalar | undefined = list[0];
  if (first !== undefined && typeof first !== type) throw refusal(header, key, `a list of ${type}s`, first);
  if (length !== undefined && list.length !== length) throw refusal(header, key, `a list of ${length} values`, list.length);
  return list as readonly Types[Type][];
}

/** Tokens beside the vocabulary: control tokens, and texts that are one token wherever they stand in a template. */
function addedTokens(tokens: readonly string[], kinds: readonly number[], isAdded: (id: number) => boolean) {
  return tokens.flatMap((content, id) => {
    const special = kinds[id] === tokenKinds.control || kinds[id] === tokenKinds.unknown;
    if (content === '' || !(special || (kinds[id] === tokenKinds.plain && isAdded(id)))) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

async function byteLevel(header: GgufHeader, tokens: readonly string[], kinds: readonly number[]) {
  const name = header.values.get(`${prefix}pre`) ?? 'default';
  const cut = typeof name === 'string' ? wordCut(name) : undefined;
  if (!cut) throw refusal(header, 'pre', `one of ${wordCutNames().join(', ')}`, name);
  const merges = await listOf(header, 'merges', 'string');
  if (!merges) throw refusal(header, 'merges', 'a list of texts', undefined);
  return {
    version: '1.0',
    added_tokens: addedTokens(tokens, kinds, () => true),
    normalizer: null,
    pre_tokenizer: cut.splitter,
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      unk_token: null,
      ignore_merges: cut.wholeWords,
      vocab: normalTokens(tokens, kinds),
      merges,
    },
  };
}

function normalTokens(tokens: readonly string[], kinds: readonly number[]): Map<string, number> {
  const vocab = new Map<string, number>();
  for (let id = 0; id < tokens.length; id++) if (kinds[id] === tokenKinds.normal) vocab.set(tokens[id]!, id);
  return vocab;
}

async function sentencePiece(header: GgufHeader, tokens: readonly string[], kinds: readonly number[]) {
  const scores = await listOf(header, 'scores', 'number', tokens.length);
  if (!scores) throw refusal(header, 'scores', 'a list of numbers', undefined);
  // Runs of white space that are tokens by themselves: found like other pieces, and before them.
  const isSpace = (id: number) => kinds[id] === tokenKinds.plain && /^\s+$/.test(tokens[id]!);
  const unknown = tokens[idOf(header, 'unknown_token_id') ?? kinds.indexOf(tokenKinds.unknown)];
  const vocab = new Map<string, number>();
  const pieces: Piece[] = [];
  for (const [id, token] of tokens.entries()) {
    const [space, normal] = [isSpace(id), kinds[id] === tokenKinds.normal];
    const spelling = space ? token.replaceAll(' ', '▁') : token;
    if (space || normal) pieces.push({ spelling, score: space ? Number.POSITIVE_INFINITY : scores[id]! });
    if (space || normal || kinds[id] === tokenKinds.byte || token === unknown) vocab.set(spelling, id);
  }
  const prefixed = header.values.get(`${prefix}add_space_prefix`) !== false;
  const spaces = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const first = { type: 'Strip', content: ' ', start: 1, stop: 0 };
  return {
    version: '1.0',
    added_tokens: addedTokens(tokens, kinds, (id) => !isSpace(id)),
    normalizer: { type: 'Sequence', normalizers: [...(prefixed ? [{ type: 'Prepend', prepend: '▁' }] : []), spaces] },
    pre_tokenizer: spaceCuts(pieces),
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixed ? [first] : []),
      ],
    },
    model: {
      type: 'BPE',
      unk_token: unknown ?? null,
      fuse_unk: true,
      byte_fallback: true,
      vocab,
      merges: await mergesOf(pieces),
    },
  };
}

function idOf({ values }: GgufHeader, key: string): number | undefined {
  const id = values.get(`${prefix}${key}`);
  return typeof id === 'number' ? id : undefined;
}

/** Tokens by what they are for, in the words of tokenizer_config.json. */
const namedTokens = { bos_token: 'bos', eos_token: 'eos', unk_token: 'unknown', pad_token: 'padding', sep_token: 'seperator' };

/** Whether llama.cpp begins a text with the beginning-of-sequence token where the file does not say. */
function beginsUnasked({ values }: GgufHeader): boolean {
  return values.get(`${prefix}model`) === 'llama' || wordCut(String(values.get(`${prefix}pre`)))?.begun === true;
}

/** The content of tokenizer_config.json: the chat template, tokens by what they are for, how a text begins. Throws invalid_model. */
export async function ggufSettings(header: GgufHeader): Promise<Record<string, unknown>> {
  const ids = Object.values(namedTokens).map((key) => idOf(header, `${key}_token_id`) ?? -1);
  const tokens = await readTexts(header, `${prefix}tokens`, ids);
  const named = Object.keys(namedTokens).flatMap((name, i) => (tokens[i] === undefined ? [] : [[name, tokens[i]]]));
  const template = header.values.get('tokenizer.chat_template');
  return {
    ...Object.fromEntries(named),
    add_bos_token: (header.values.get(`${prefix}add_bos_token`) ?? beginsUnasked(header)) === true,
    ...(typeof template === 'string' && { chat_template: template }),
  };
}
