// A language model and a predictor small enough to know every answer by heart, and a shelf that serves them.
import { once } from 'node:events';
import { SteerError } from '../../src/errors.ts';
import type { ChatForm, CompletionEvent, CompletionRequest, LanguageModel } from '../../src/generation/language-model.ts';
import type { SamplingDefaults } from '../../src/model/sampling-defaults.ts';
import type { VectorCard } from '../../src/model/vectors/kept-vectors.ts';
import type { ConversationScore, Predictor } from '../../src/predictor/predictor.ts';
import { findModel, type ModelCard, type ModelReport, type Models } from '../../src/registry/models.ts';
import type { AttributeSchema, Label } from '../../src/steerlm/attributes.ts';
import type { Curves } from '../../src/steerlm/calibration.ts';
import type { Conversation } from '../../src/steerlm/conversation.ts';
import { controlTokens, layOutPrompt, type Piece } from '../../src/steerlm/prompt-layout.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import { Gate } from '../gate.ts';

const controls: string[] = Object.values(controlTokens);

/** One token per UTF-16 unit, after the three control tokens. */
function encodePieces(pieces: Piece[]): number[] {
  return pieces.flatMap((piece) =>
    'control' in piece ? [controls.indexOf(piece.control)] : [...piece.text].map((char) => char.charCodeAt(0) + 3),
  );
}

/** As a real model: what no tokenizer could bring into the context is refused unread. */
const certainlyTooLong = 16;

/** Game characters of which some attributes have a default and others are left open. */
const partlyOpen: AttributeSchema = {
  ...gameCharacters,
  attributes: gameCharacters.attributes.map((attribute) =>
    ['helpfulness', 'toxicity'].includes(attribute.name) ? attribute : { ...attribute, default: null },
  ),
};

/** Says `word<seed + index>` over and over, `replyWords` times, one word a token, and closes the turn with a newline. */
export class ParrotModel implements LanguageModel {
  readonly id: string = 'parrot';
  readonly revision = 'rev-1';
  readonly schema: AttributeSchema = partlyOpen;
  curves: Curves | undefined;
  sampling: SamplingDefaults | undefined;
  readonly contextLength: number = 512;
  readonly vocabSize = 2 ** 16 + 3;
  readonly mixes: boolean = true;
  readonly chat: ChatForm | null = 'labels';
  replyWords = 4;
  /** Passed before a reply begins. */
  readonly gate = new Gate();
  /** Says no more after its first event until its caller has left, so that no reply is over before, however slow the machine. */
  stays = false;
  /** Replies that have said their first event and stay. */
  staying = 0;
  /** Thrown after that many events. */
  failure: { afterEvents: number; error: unknown } | undefined;
  requests: CompletionRequest[] = [];
  signal: AbortSignal | undefined;
  /** How the latest completion ended. */
  ended: Promise<'finished' | 'cancelled' | 'left'> = Promise.resolve('finished');

  async layOut(conversation: Conversation, label: Label): Promise<Piece[]> {
    return layOutPrompt(this.schema, conversation, label);
  }

  encode(pieces: Piece[]): number[] {
    const ids = encodePieces(pieces);
    if (ids.length <= certainlyTooLong * this.contextLength) return ids;
    throw new SteerError('context_length_exceeded', `Expected at most ${this.contextLength} tokens, found ${ids.length}.`);
  }

  async encodeLong(pieces: Piece[]): Promise<number[]> {
    return encodePieces(pieces);
  }

  countTokens(text: string): number {
    return text.length;
  }

  readonly bytesOf = (token: number): Uint8Array => new TextEncoder().encode(String.fromCharCode(token - 3));

  complete(request: CompletionRequest, signal: AbortSignal): AsyncIterable<CompletionEvent> {
    this.requests.push(request);
    this.signal = signal;
    let settle: (how: 'finished' | 'cancelled' | 'left') => void = () => {};
    this.ended = new Promise((resolve) => {
      settle = resolve;
    });
    return this.speak(request, signal, settle);
  }

  private async *speak(
    request: CompletionRequest,
    signal: AbortSignal,
    settle: (how: 'finished' | 'cancelled' | 'left') => void,
  ): AsyncGenerator<CompletionEvent> {
    let events = 0;
    const { stays } = this;
    try {
      await this.gate.pass(signal);
      for (const event of eventsOf(request, this.replyWords)) {
        if (this.failure && events++ >= this.failure.afterEvents) throw this.failure.error;
        if (signal.aborted) {
          settle('cancelled');
          throw new SteerError('cancelled', 'The caller went away.');
        }
        yield event;
        if (stays && !signal.aborted) {
          this.staying++;
          await once(signal, 'abort');
        }
      }
      settle('finished');
    } finally {
      settle('left');
    }
  }

  async dispose(): Promise<void> {}
}

function eventsOf(request: CompletionRequest, replyWords: number): CompletionEvent[] {
  const replies = Array.from({ length: request.n }, (_, index) => {
    const words = Array.from({ length: replyWords }, (_, i) => `${i > 0 ? ' ' : ''}word${request.seed + index}`);
    const tokens = [...words, '\n'].slice(0, request.maxTokens);
    const stopped = tokens.findIndex((token) => request.stop.some((stop) => token.includes(stop)));
    const said = stopped < 0 ? tokens : tokens.slice(0, stopped);
    const ended = said.length <= replyWords && stopped < 0 ? ('length' as const) : ('stop' as const);
    return { index, said, ended };
  });
  const longest = Math.max(...replies.map((reply) => reply.said.length));
  const deltas = Array.from({ length: longest }, (_, step) =>
    replies.flatMap(({ index, said }) => {
      const text = said[step];
      if (text === undefined) return [];
      const token = text.charCodeAt(0) + 3;
      const told = { token, logprob: -0.5, top: [{ token, logprob: -0.5 }].slice(0, request.topLogprobs ?? 0) };
      return [{ kind: 'delta' as const, index, text, ...(typeof request.topLogprobs === 'number' ? { tokens: [told] } : {}) }];
    }),
  ).flat();
  // Last reply first, so that nobody can rely on the order of endings.
  const ends = replies.toReversed().map(({ index, said, ended }) => {
    return { kind: 'end' as const, index, text: said.join(''), finishReason: ended, completionTokens: said.length };
  });
  return [...deltas, ...ends];
}

/** Rates every attribute by the number of words of the last turn, between 0 and the top of the scale. */
export class WordCountPredictor implements Predictor {
  readonly id = 'counter';
  readonly revision = 'rev-1';
  readonly schema: AttributeSchema;
  seen: Conversation[] = [];
  /** Of each call. */
  callers: (string | undefined)[] = [];
  /** Passed before a call is begun on, and before it is answered. */
  readonly queue = new Gate();
  readonly work = new Gate();

  constructor(schema: AttributeSchema = partlyOpen) {
    this.schema = schema;
  }

  async score(
    conversations: Conversation[],
    signal: AbortSignal,
    caller?: string,
    onBegun?: () => void,
  ): Promise<ConversationScore[]> {
    await this.queue.pass(signal);
    signal.throwIfAborted();
    onBegun?.();
    await this.work.pass(signal);
    signal.throwIfAborted();
    this.callers.push(caller);
    this.seen.push(...conversations);
    return conversations.map((conversation) => {
      const words = (conversation.turns.at(-1)?.content ?? '').split(' ').length;
      const attributes = Object.fromEntries(
        this.schema.attributes.map(({ name, levels }) => {
          const level = Math.min(words, levels.length - 1);
          const probabilities = levels.map((_, i) => (i === level ? 1 : 0));
          return [name, { value: level, level, probabilities, confidence: 1 }];
        }),
      );
      return { attributes, truncated: words > 100, tokens: words };
    });
  }

  async dispose(): Promise<void> {}
}

/** Models by hand: language models first, each under its own id. */
export class Shelf implements Models {
  languages: LanguageModel[];
  predictors: Predictor[];
  loaded = true;
  unloaded = new Set<string>();
  /** Names of datasets by the model that was trained on them. */
  trainedOn: Record<string, string[]> = {};
  /** Base by the model that was trained from it. */
  bases: Record<string, string> = {};
  descriptions: Record<string, string> = {};
  /** Steering vectors by model. */
  vectors: Record<string, VectorCard[]> = {};
  /** Folders by model; most have none. */
  folders: Record<string, string> = {};
  #aliases = new Map<string, string>();

  constructor(languages: LanguageModel[], predictors: Predictor[]) {
    this.languages = languages;
    this.predictors = predictors;
  }

  list(): ModelCard[] {
    const rest = (id: string) => ({
      id,
      created: 1_700_000_000,
      aliases: ['default', ...[...this.#aliases].flatMap(([alias, model]) => (model === id ? [alias] : []))],
      description: this.descriptions[id] ?? null,
      base: this.bases[id] ?? null,
      datasets: (this.trainedOn[id] ?? []).map((name) => ({ name, hash: 'f'.repeat(64) })),
      precision: 'fp32' as const,
      status: this.unloaded.has(id) ? ('unloaded' as const) : ('loaded' as const),
    });
    return [
      ...this.languages.map(({ id, schema, chat, curves = {}, contextLength }) => ({
        kind: 'language' as const,
        chat,
        schema,
        curves,
        contextLength,
        vectors: this.vectors[id],
        ...rest(id),
      })),
      ...this.predictors.map(({ id, schema }) => ({
        kind: 'predictor' as const,
        chat: null,
        schema,
        curves: {},
        contextLength: 256,
        ...rest(id),
      })),
    ];
  }

  folderOf(id: string): string {
    return this.folders[id] ?? '';
  }

  async language(id: string): Promise<LanguageModel> {
    return this.languages.find((model) => model.id === id) as LanguageModel;
  }

  async predictor(id: string): Promise<Predictor> {
    return this.predictors.find((model) => model.id === id) as Predictor;
  }

  ready(): boolean {
    return this.loaded;
  }

  async report(): Promise<ModelReport> {
    return { measured: {}, evaluations: {} };
  }

  async refresh(): Promise<void> {}

  async load(id: string): Promise<void> {
    this.unloaded.delete(id);
  }

  unload(id: string): void {
    this.unloaded.add(id);
  }

  aliases(): Map<string, string> {
    return this.#aliases;
  }

  async setAlias(alias: string, name: string): Promise<ModelCard> {
    const { id, kind } = findModel(this, name, ['language', 'predictor']);
    this.#aliases.set(alias, id);
    return findModel(this, id, [kind]);
  }

  async removeAlias(alias: string): Promise<void> {
    if (!this.#aliases.delete(alias)) throw new SteerError('not_found', `There is no alias ${alias}.`);
  }
}
