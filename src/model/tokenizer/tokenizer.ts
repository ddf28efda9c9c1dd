// Text to token ids and back, from a folder's tokenizer.json. Text is encoded by a tokenizer that knows no added token, so nothing a caller writes
// can become a control token; those are reached only by tokenId().
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { SteerError } from '../../errors.ts';
import { giveWay } from '../../event-loop.ts';
import { faultText } from '../../shape-faults.ts';
import { readModelFile, requireModelFile } from '../formats/gguf-folder.ts';
import { writeJson } from '../formats/json-file.ts';
import { type Lookups, lookupsOf } from './lookups.ts';
import { bytesBySpelling } from './token-bytes.ts';
import {
  asWritten,
  idsOfAdded,
  type ParsedTokenizer,
  spellingsById,
  type TokenizerJson,
  tokenizerSchema,
} from './tokenizer-json.ts';
import { beginningOf, namedTokensIn, type Settings, templateIn } from './tokenizer-settings.ts';
import { exactCuts, wordPattern } from './word-cuts.ts';

/** What we call of the library's tokenizer. */
interface Engine {
  normalizer: { normalize(text: string): string } | null;
  pre_tokenizer: { pre_tokenize(text: string, options: { section_index: number }): string[] } | null;
  model: Lookups & { _call(words: string[]): string[] };
  decoder: (Decoder & { decode(tokens: string[]): string; added_tokens: { content: string }[]; decoders?: Decoder[] }) | null;
}

/** One that joins bytes to text, or works step by step. */
interface Decoder {
  text_decoder?: InstanceType<typeof TextDecoder>;
}

const fileName = 'tokenizer.json';
const templateName = 'chat_template.jinja';
const settingsName = 'tokenizer_config.json';
/** Words whose ids are remembered; past this the memory starts afresh. */
const rememberedWords = 100_000;
const longestRememberedWord = 48;
/** Words of a long text that are looked up in one go: a few milliseconds where none is remembered. */
const wordsTogether = 64;

/** Told as text also where a tokenizer hides them: between them stands what a model thinks. */
const toldMarks = ['<think>', '</think>'];

/** The words of a text, and how each is spelt in the letters of the vocabulary. */
type Cut = { words: string[]; spell(word: string): string[] };
const asItStands: Cut['spell'] = (word) => [word];

export class Tokenizer {
  /** One more than the highest token id. */
  readonly size: number;
  /** Characters of the longest token: a text of n characters has at least n / longestToken tokens. */
  readonly longestToken: number;
  readonly #json: ParsedTokenizer;
  readonly #settings: Settings;
  readonly #engine: Engine;
  /** Spelling of every id, added tokens included; ids without one are absent. */
  readonly #spellings: string[];
  readonly #added: ReadonlyMap<string, number>;
  readonly #special: Set<number>;
  /** Added tokens that are text as they are spelt. */
  readonly #plain: Set<number>;
  readonly #bytesBySpelling: ReturnType<typeof bytesBySpelling>;
  readonly #cutsLikeGpt2: boolean;
  readonly #remembered = new Map<string, readonly number[]>();

  private constructor(json: ParsedTokenizer, settings: Settings, where: string, vocabSize = Number.POSITIVE_INFINITY) {
    this.#json = json;
    this.#settings = settings;
    const isSpecial = ({ special, content }: ParsedTokenizer['added_tokens'][number]) => special && !toldMarks.includes(content);
    this.#special = new Set(json.added_tokens.filter(isSpecial).map(({ id }) => id));
    this.#plain = new Set(json.added_tokens.filter((token) => !isSpecial(token)).map(({ id }) => id));
    this.#added = idsOfAdded(json);
    this.#spellings = spellingsById(json, vocabSize, where);
    this.size = this.#spellings.length;
    this.longestToken = this.#spellings.reduce((longest, spelling) => Math.max(longest, spelling.length), 1);
    this.#engine = buildEngine(json, where);
    this.#bytesBySpelling = bytesBySpelling(json.decoder);
    const cut = json.pre_tokenizer;
    this.#cutsLikeGpt2 = cut?.type === 'ByteLevel' && cut.use_regex !== false && !cut.add_prefix_space;
  }

  /** The tokenizer of a model folder. Throws invalid_model when it is missing, malformed, or has ids a vocabulary of `vocabSize` lacks. */
  static async open(folder: string, vocabSize = Number.POSITIVE_INFINITY): Promise<Tokenizer> {
    const { path, content } = await requireModelFile(folder, fileName);
    return Tokenizer.fromJson(content, path, await readSettings(folder), vocabSize);
  }

  /** The tokenizer a parsed tokenizer.json describes. Throws invalid_model naming the malformed field; only BPE is read. */
  static fromJson(json: unknown, where: string, settings: Settings = {}, vocabSize?: number): Tokenizer {
    const parsed = tokenizerSchema.safeParse(json);
    if (!parsed.success) {
      throw new SteerError('invalid_model', `${where}: ${faultText(parsed.error, 'content')}. Only BPE tokenizers are read.`);
    }
    return new Tokenizer(parsed.data, settings, where, vocabSize);
  }

  /**
   * Ids of the text, as text: no added token, no beginning or end of sequence. Some tokenizers put a space in front of what nothing precedes: say whether
   * a control token does.
   */
  encodeText(text: string, { afterToken = false }: { afterToken?: boolean } = {}): number[] {
    return this.#idsOf(this.#cut(text, afterToken));
  }

  /** The same of a long text, others of the thread let in between its words. */
  async encodeLongText(text: string, { afterToken = false }: { afterToken?: boolean } = {}): Promise<number[]> {
    const { words, spell } = this.#cut(text, afterToken);
    const ids: number[][] = [];
    for (let from = 0; from < words.length; from += wordsTogether) {
      await giveWay();
      ids.push(this.#idsOf({ words: words.slice(from, from + wordsTogether), spell }));
    }
    return ids.flat();
  }

  #cut(text: string, afterToken: boolean): Cut {
    const { normalizer, pre_tokenizer: splitter } = this.#engine;
    // One that puts a space in front of everything does so even of nothing.
    const normal = normalizer && text !== '' ? normalizer.normalize(text) : text;
    if (normal === '') return { words: [], spell: asItStands };
    // Remembered as they stand: spelling a word in byte letters costs more than looking it up.
    if (splitter && this.#cutsLikeGpt2) {
      return { words: normal.match(wordPattern) ?? [], spell: (word) => splitter.pre_tokenize(word, { section_index: 0 }) };
    }
    const section_index = afterToken ? 1 : 0;
    return { words: splitter ? splitter.pre_tokenize(normal, { section_index }) : [normal], spell: asItStands };
  }

  #idsOf({ words, spell }: Cut): number[] {
    const ids: number[] = [];
    for (const word of words) {
      const known = this.#remembered.get(word) ?? this.#remember(word, this.#encodeWord(spell(word)));
      for (const id of known) ids.push(id);
    }
    return ids;
  }

  #encodeWord(spelt: string[]): number[] {
    const model = this.#engine.model;
    const ids = model._call(spelt).map((token) => model.tokens_to_ids.get(token) ?? model.unk_token_id);
    return ids.filter((id) => id !== undefined);
  }

  #remember(word: string, ids: number[]): number[] {
    if (word.length > longestRememberedWord) return ids;
    if (this.#remembered.size >= rememberedWords) this.#remembered.clear();
    // A copy: the word may be a slice that keeps the whole text it came from alive.
    this.#remembered.set(Buffer.from(word).toString(), ids);
    return ids;
  }

  /** Id of a token by its spelling in the vocabulary, added tokens included. */
  tokenId(spelling: string): number | undefined {
    return this.#added.get(spelling) ?? this.#json.model.vocab.get(spelling);
  }

  /** The text of the ids. Special tokens, and ids the tokenizer lacks, stand for no text. */
  decode(ids: Iterable<number>): string {
    const tokens: string[] = [];
    for (const id of ids) {
      const spelling = this.isText(id) ? this.#spellings[id] : undefined;
      if (spelling !== undefined) tokens.push(spelling);
    }
    if (tokens.length === 0) return '';
    return this.#engine.decoder ? this.#engine.decoder.decode(tokens) : tokens.join('');
  }

  /** Whether the id stands for text: it is in the tokenizer and no special token. */
  isText(id: number): boolean {
    return this.#spellings[id] !== undefined && !this.#special.has(id);
  }

  /** Whether the id stands apart from texts: no text is encoded to it. */
  isAdded(id: number): boolean {
    return this.#special.has(id) || this.#plain.has(id);
  }

  /** The bytes an id stands for, which may be part of a character; none for ids that are no text, or where the decoder does not tell. */
  bytesOf(id: number): Uint8Array {
    const spelling = this.isText(id) ? this.#spellings[id] : undefined;
    if (spelling === undefined) return new Uint8Array();
    return this.#plain.has(id) ? new TextEncoder().encode(spelling) : (this.#bytesBySpelling?.(spelling) ?? new Uint8Array());
  }

  /** A tokenizer that has these spellings as special tokens too; new ones take the next ids, so the model's embeddings must grow with `size`. */
  withAddedTokens(spellings: readonly string[]): Tokenizer {
    const added = new Map(this.#json.added_tokens.map((token) => [token.content, token]));
    let next = this.size;
    for (const content of new Set(spellings)) {
      const id = this.tokenId(content) ?? next++;
      added.set(content, { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });
    }
    const tokens = [...added.values()].sort((a, b) => a.id - b.id);
    return new Tokenizer({ ...this.#json, added_tokens: tokens }, this.#settings, fileName);
  }

  /** A tokenizer whose tokenizer_config.json says these too. */
  withSettings(settings: Settings): Tokenizer {
    return new Tokenizer(this.#json, { ...this.#settings, ...settings }, fileName);
  }

  /** Jinja by which engines lay out a conversation, of several the one called default; undefined where the folder has none. */
  get chatTemplate(): string | undefined {
    return templateIn(this.#settings);
  }

  /** Tokens beside the vocabulary: control tokens, and texts that are one token wherever they stand in a template. */
  get addedTokens(): readonly { content: string; lstrip?: boolean | undefined; rstrip?: boolean | undefined }[] {
    return this.#json.added_tokens;
  }

  /** Spellings of tokens by what they are for: `bos_token`, `eos_token` and what else the settings name. */
  get namedTokens(): Record<string, string> {
    return namedTokensIn(this.#settings);
  }

  /** Spellings of the control tokens that stand before a text that begins a context, as transformers adds them. */
  get beginning(): string[] {
    const spellings = beginningOf(this.#settings, this.#json.post_processor);
    return spellings.filter((spelling) => this.isAdded(this.tokenId(spelling) ?? -1));
  }

  /** Spellings of the special tokens. */
  get specialSpellings(): string[] {
    return this.#json.added_tokens.filter(({ special }) => special).map(({ content }) => content);
  }

  /** What tokenizer.json holds. */
  toJson(): TokenizerJson {
    return asWritten(this.#json);
  }

  /** Writes tokenizer.json and tokenizer_config.json the way transformers reads them. */
  async save(folder: string): Promise<void> {
    await writeJson(join(folder, fileName), this.toJson());
    const described = Object.fromEntries(this.#json.added_tokens.map(({ id, ...token }) => [id, token]));
    await writeJson(join(folder, settingsName), {
      tokenizer_class: 'PreTrainedTokenizerFast',
      clean_up_tokenization_spaces: false,
      ...this.#settings,
      added_tokens_decoder: described,
    });
  }
}

/** tokenizer_config.json, with the chat template where that is a file of its own. */
async function readSettings(folder: string): Promise<Settings> {
  const found = await readModelFile(folder, settingsName);
  const settings = z.record(z.string(), z.unknown()).safeParse(found?.content).data;
  const template = await readFile(join(folder, templateName), 'utf8').catch(() => undefined);
  return { ...settings, ...(template !== undefined && { chat_template: template }) };
}

/** The chat template of a folder, of several the one called default; undefined where it has none. Reads no vocabulary. */
export async function readChatTemplate(folder: string): Promise<string | undefined> {
  return templateIn(await readSettings(folder));
}

/** The library looks at the settings of a step when that step first works. Throws what a malformed one makes it throw. */
function tryOut({ normalizer, pre_tokenizer: splitter, model, decoder }: Engine): void {
  const sample = 'a, 1';
  const text = normalizer?.normalize(sample) ?? sample;
  const spelt = model._call(splitter?.pre_tokenize(text, { section_index: 0 }) ?? [text]);
  if (spelt.length > 0) decoder?.decode(spelt);
}

/**
 * The library's tokenizer without added tokens and without the template that adds a beginning or end of sequence. Special tokens a vocabulary
 * holds itself (Llama 2's <s>, or a trained tokenizer's) leave it, with the merges that would spell them; the unknown token has to stay.
 */
function buildEngine(json: ParsedTokenizer, where: string): Engine {
  const { model } = json;
  const hidden = new Set(json.added_tokens.filter((token) => token.special).map((token) => token.content));
  if (model.unk_token) hidden.delete(model.unk_token);
  try {
    const cuts = json.pre_tokenizer && exactCuts(json.pre_tokenizer);
    const empty = { ...model, vocab: {}, merges: [] };
    const plain = { ...json, added_tokens: [], pre_tokenizer: cuts, post_processor: null, model: empty };
    const engine = new HuggingFaceTokenizer(plain, {}) as unknown as Engine;
    Object.assign(engine.model, lookupsOf(model, hidden));
    // The decoder must not read added tokens that count as text byte by byte.
    if (engine.decoder) engine.decoder.added_tokens = json.added_tokens.filter((token) => !token.special);
    // A byte order mark is text like any other.
    for (const step of [engine.decoder, ...(engine.decoder?.decoders ?? [])]) {
      if (step?.text_decoder) step.text_decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    }
    tryOut(engine);
    return engine;
  } catch (cause) {
    throw new SteerError('invalid_model', `${where} uses something this tokenizer cannot follow: ${(cause as Error).message}`, {
      cause,
    });
  }
}
