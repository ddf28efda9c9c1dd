// Has a model write one line of a character: sentence by sentence, in time or not at all, and perhaps with what the character does.
import type { VectorSum, VectorTokens } from '../engine/vector-sums.ts';
import { isRetryable, SteerError } from '../errors.ts';
import { type DrawingSettings, settleDrawing } from '../generation/drawing-defaults.ts';
import type { CompletionRequest, FinishReason, LanguageModel } from '../generation/language-model.ts';
import { splitReasoning } from '../generation/reasoning.ts';
import { type LabelledPrompt, labelPrompt } from '../generation/steered-prompt.ts';
import type { Label } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import type { Action } from './character.ts';
import { askedOf } from './character-layout.ts';
import { chooseAction } from './choose-action.ts';
import { Sentences, splitSentences } from './sentences.ts';

export interface LineRequest {
  conversation: Conversation;
  label: Label;
  /** 1 is the plain prompt. */
  strength: number;
  /** Of the steering vectors it is written under; what it does is chosen without them. */
  vectorSum?: VectorSum | undefined;
  vectorTokens?: VectorTokens | undefined;
  seed: number;
  lineTokens: number;
  actions: readonly Action[];
  /** What the player said last. */
  heard: string;
  /** When the line must be there, on the clock of performance.now(). */
  deadlineMs?: number | undefined;
  /** Whose turn it takes at the engine. */
  caller?: string | undefined;
  /** Said where nothing came in time; absent means that this is a failure. */
  fallback?: string | undefined;
}

export interface WrittenLine {
  text: string;
  action?: string;
  fallback: boolean;
  /** Why the fallback was said: a deadline, `empty` where the model said nothing, or the code of a failure that may pass. */
  reason?: string;
  /** Its time was up before it had ended. */
  deadline?: true;
  finishReason: FinishReason;
  promptTokens: number;
  completionTokens: number;
}

export type LineEvent = { kind: 'sentence'; text: string } | { kind: 'line'; line: WrittenLine };

/** Of the time there is, what is kept for what comes after the last token. */
const reserveMs = 5;

/**
 * The sentences as they end, then the whole line. A line that runs out of time ends after its last whole sentence; without one the fallback is said.
 * Throws `cancelled` when the signal aborts, and what the model throws where no fallback stands in for it.
 */
export async function* writeLine(model: LanguageModel, request: LineRequest, signal: AbortSignal): AsyncGenerator<LineEvent> {
  const { deadlineMs = Number.POSITIVE_INFINITY, fallback, conversation, label, strength, vectorSum } = request;
  const prompt = await labelPrompt(model, conversation, [label], { strength }, { sums: [vectorSum] });
  const attempt = new Attempt(model, request, prompt, signal);
  let failure: unknown;
  try {
    for await (const text of attempt.sentences()) yield { kind: 'sentence', text };
  } catch (error) {
    signal.throwIfAborted();
    failure = error;
  }
  signal.throwIfAborted();
  const late = attempt.late || performance.now() >= deadlineMs;
  if (failure !== undefined && !late && attempt.text === '' && !(fallback !== undefined && isRetryable(failure))) throw failure;
  if (attempt.text === '' && fallback !== undefined) {
    const ended = failure instanceof SteerError ? failure.code : 'empty';
    const reason = late ? 'deadline' : ended;
    yield { kind: 'sentence', text: fallback };
    yield { kind: 'line', line: { ...attempt.figures(), text: fallback, fallback: true, reason } };
    return;
  }
  if (failure !== undefined && !late) throw failure;
  const action = late ? undefined : await actInTime(model, request, attempt.text, signal);
  const line = { ...attempt.figures(), text: attempt.text, fallback: false };
  yield { kind: 'line', line: { ...line, ...(action === undefined ? {} : { action }), ...(late ? { deadline: true } : {}) } };
}

/** The action of a line that has been said: none where there is no time left for it, or where the model fails now. */
async function actInTime(
  model: LanguageModel,
  request: LineRequest,
  said: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { deadlineMs } = request;
  const time = deadlineMs === undefined ? [] : [AbortSignal.timeout(Math.max(0, Math.floor(deadlineMs - performance.now())))];
  try {
    return await chooseAction(model, request, said, AbortSignal.any([signal, ...time]));
  } catch (error) {
    signal.throwIfAborted();
    if (isRetryable(error) || time.some(({ aborted }) => aborted)) return undefined;
    throw error;
  }
}

/**
 * How a line is drawn. A penalty on repetition counts the character's own lines, which small models fall to saying for ever; of the whole prompt it would
 * keep the character from saying what it knows (bench: npc-real).
 */
export function lineDrawing(
  model: LanguageModel,
  { turns }: Conversation,
): DrawingSettings & Pick<CompletionRequest, 'repeated'> {
  const drawing = settleDrawing(model, {});
  if (drawing.repetitionPenalty === 1) return drawing;
  const own = turns.filter(({ role }) => role === 'assistant');
  return { ...drawing, repeated: own.flatMap(({ content }) => model.encode([{ text: content, trained: false }])) };
}

/** One try at the line: what has been said, and what it took. */
class Attempt {
  readonly #model: LanguageModel;
  readonly #request: LineRequest;
  readonly #signal: AbortSignal;
  #promptTokens: number;
  readonly #asked: ReadonlySet<string>;
  readonly #wanted: CompletionRequest;
  #completionTokens = 0;
  #finishReason: FinishReason = 'length';
  /** Whole sentences. */
  text = '';
  late = false;

  constructor(
    model: LanguageModel,
    request: LineRequest,
    { tokenIds: prompt, phases }: Pick<LabelledPrompt, 'tokenIds' | 'phases'>,
    signal: AbortSignal,
  ) {
    const { seed, lineTokens, deadlineMs, caller, vectorTokens } = request;
    this.#model = model;
    this.#request = request;
    this.#signal = signal;
    this.#promptTokens = prompt.length;
    this.#asked = new Set(splitSentences(askedOf(model, request.label)).map((sentence) => sentence.toLowerCase()));
    this.#wanted = {
      prompt,
      phases,
      vectorTokens,
      maxTokens: Math.min(lineTokens, model.contextLength - prompt.length),
      ...lineDrawing(model, request.conversation),
      seed,
      caller,
      n: 1,
      stop: [],
      maxMs: deadlineMs === undefined ? undefined : Math.max(1, Math.ceil(deadlineMs - performance.now() - reserveMs)),
    };
  }

  /** Ends at the deadline however little the model says of it. */
  async *sentences(): AsyncGenerator<string> {
    const stop = new AbortController();
    const { deadlineMs } = this.#request;
    const alarm = deadlineMs === undefined ? undefined : setTimeout(() => this.#ring(stop), deadlineMs - performance.now());
    const sentences = new Sentences();
    try {
      const events = this.#model.complete(this.#wanted, AbortSignal.any([this.#signal, stop.signal]));
      // What it thinks is for no player, whether its tokenizer has marks for that or a server elsewhere writes them as text.
      for await (const event of splitReasoning(events, false)) {
        if (event.kind === 'delta') {
          for (const sentence of sentences.push(event.text)) yield* this.#say(sentence);
          continue;
        }
        this.#completionTokens = event.completionTokens;
        this.#promptTokens = event.promptTokens ?? this.#promptTokens;
        this.#finishReason = event.finishReason;
        this.late ||= event.deadline === true;
        const rest = sentences.finish();
        // Half a sentence is worth more than none where the length is all that ended it.
        if (rest !== '' && !this.late) yield* this.#say(rest);
      }
    } finally {
      clearTimeout(alarm);
    }
  }

  figures() {
    return {
      finishReason: this.#finishReason,
      promptTokens: this.#promptTokens,
      completionTokens: this.#completionTokens,
    };
  }

  /** Unless it is what the model was asked. */
  *#say(sentence: string): Generator<string> {
    if (this.#asked.has(sentence.trim().toLowerCase())) return;
    this.text += sentence;
    yield sentence;
  }

  #ring(stop: AbortController): void {
    this.late = true;
    stop.abort();
  }
}
