// From the chunks of an upstream to the events of one reply. Where the upstream tells token ids (vLLM, this server) they are what the text is
// made from, by the model's own tokenizer and as for a model that runs here; else its text is taken.
import { SteerError } from '../errors.ts';
import type { CompletionEvent, TokenLikelihood } from '../generation/language-model.ts';
import type { Choice, Chunk } from './chunks.ts';
import type { ReplyReader } from './dialect.ts';

/** Bytes a token stands for at most, taken over a reply: in English there are some four. */
const mostTokenBytes = 16;
/** Beyond them: hosts that do not count thoughts write these too. */
const spareBytes = 2 ** 16;

export interface ReplyOptions {
  index: number;
  /** Tokens that were asked for at most. */
  maxTokens: number;
  /** Likeliest tokens told beside each; null tells nothing. */
  topLogprobs: number | null;
  /** Ids that end the reply; vLLM tells the one that did, and it is no part of the reply. */
  stopTokens: ReadonlySet<number>;
}

type Delta = CompletionEvent & { kind: 'delta' };
type End = CompletionEvent & { kind: 'end' };

/** Reads one reply as it comes. */
export class UpstreamReply {
  readonly #text: ReplyReader;
  readonly #options: ReplyOptions;
  /** Of the reply; undefined until the upstream has told an id. */
  #tokens: number | undefined;
  #chunks = 0;
  /** Of text, with one for each chunk, so that empty ones come to an end too. */
  #bytes = 0;
  #usage: Chunk['usage'];

  constructor(text: ReplyReader, options: ReplyOptions) {
    this.#text = text;
    this.#options = options;
  }

  /** Whether a stop string was met; nothing more is wanted then. */
  get stopped(): boolean {
    return this.#text.stopped;
  }

  /** Whether the reply may be as long as it is with the chunk, which is counted; where not, the upstream does not keep to the length it was told. */
  admits({ choices: [choice] }: Chunk): boolean {
    const { text = '', reasoning = '', token_ids: ids } = choice ?? {};
    this.#bytes += 1 + Buffer.byteLength(text) + Buffer.byteLength(reasoning) + (ids?.length ?? 0);
    return this.#bytes <= mostTokenBytes * this.#options.maxTokens + spareBytes;
  }

  /** What the chunk adds; nothing where that is not certain yet. Throws invalid_request when likelihoods were asked for and are not told. */
  take({ choices, usage }: Chunk): Delta | undefined {
    this.#usage = usage ?? this.#usage;
    const [choice] = choices;
    if (!choice) return undefined;
    const ids = idsOf(choice);
    if (this.#options.topLogprobs !== null && choice.text !== '' && !choice.logprobs && !choice.told) throw withoutLikelihoods();
    if (ids) return this.#takeIds(ids, choice);
    const { reasoning = '' } = choice;
    if (this.#tokens !== undefined || (choice.text === '' && reasoning === '')) return undefined;
    this.#chunks++;
    const delta = this.#delta(this.#text.pushText(choice.text), choice.told ?? []);
    return reasoning === '' ? delta : { kind: 'delta', index: this.#options.index, text: '', ...delta, reasoning };
  }

  /** The rest of the text, once the upstream said why the reply ended; `closed` by a token that ends replies. */
  finish(closed: boolean): Delta | undefined {
    return this.#delta(this.#text.finish(closed), []);
  }

  end(finishReason: End['finishReason'], deadline: boolean): End {
    const { completion_tokens: counted, prompt_tokens: promptTokens } = this.#usage ?? {};
    const completionTokens = this.#tokens ?? counted ?? this.#chunks;
    const { text } = this.#text;
    const { index } = this.#options;
    const told = { ...(promptTokens === undefined ? {} : { promptTokens }), ...(deadline ? { deadline } : {}) };
    return { kind: 'end', index, text, finishReason, completionTokens, ...told };
  }

  #takeIds(ids: number[], choice: Choice): Delta | undefined {
    let text = '';
    const told: TokenLikelihood[] = [];
    this.#tokens ??= 0;
    for (const [place, id] of ids.entries()) {
      if (this.#options.stopTokens.has(id)) continue;
      this.#tokens++;
      text += this.#text.push(id);
      if (this.#options.topLogprobs !== null) told.push(likelihoodAt(choice, place, id, this.#options.topLogprobs));
      if (this.#text.stopped) break;
    }
    return this.#delta(text, told);
  }

  #delta(text: string, tokens: TokenLikelihood[]): Delta | undefined {
    if (text === '' && tokens.length === 0) return undefined;
    return { kind: 'delta', index: this.#options.index, text, ...(tokens.length > 0 ? { tokens } : {}) };
  }
}

function idsOf({ token_ids: ids, logprobs }: Choice): number[] | undefined {
  if (ids) return ids;
  return logprobs && logprobs.tokens.length > 0 ? logprobs.tokens.map(idOf) : undefined;
}

function idOf(name: string): number {
  const id = /^token_id:(\d{1,9})$/.exec(name)?.[1];
  if (id === undefined) throw withoutLikelihoods();
  return Number(id);
}

function likelihoodAt({ logprobs }: Choice, place: number, token: number, count: number): TokenLikelihood {
  const logprob = logprobs?.token_logprobs[place];
  if (typeof logprob !== 'number') throw withoutLikelihoods();
  const top = Object.entries(logprobs?.top_logprobs?.[place] ?? {})
    .map(([name, value]) => ({ token: idOf(name), logprob: value }))
    // vLLM adds the picked token to the likeliest where it is not one of them.
    .toSorted((a, b) => b.logprob - a.logprob)
    .slice(0, count);
  return { token, logprob, top };
}

function withoutLikelihoods(): SteerError {
  const message =
    'logprobs: the upstream that runs this model does not tell token ids with how likely they were. Leave logprobs out.';
  return new SteerError('invalid_request', message, { details: { param: 'logprobs' } });
}
