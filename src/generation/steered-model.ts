// A language model loaded from a folder. This is the caller's side of the engine thread and the one place of the room that knows text:
// prompts become token ids here and tokens become text.

import { flatten } from '../constraints/token-trie.ts';
import type { EngineOptions } from '../engine/engine.ts';
import type { PackedFolder } from '../engine/kernel/packed-copy.ts';
import { type GenerationEvent, type GenerationRequest, type Likelihood, onePrompt, type Vocabulary } from '../engine/request.ts';
import type { EngineReady, EngineSettings, EngineText } from '../engine/thread-entry.ts';
import { revisionOf } from '../model/model-folder.ts';
import type { PrecisionChoice } from '../model/precision.ts';
import { encodeLongPrompt } from '../model/tokenizer/encode-prompt.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { steeringVectors } from '../model/vectors/kept-vectors.ts';
import { builtEntry } from '../tensor/built-entry.ts';
import { EngineThread } from '../tensor/engine-thread.ts';
import type { Execution, ProviderChoice } from '../tensor/providers.ts';
import type { CompletionEvent, CompletionRequest, LanguageModel, TokenLikelihood } from './language-model.ts';
import { encodePrompt, layOut, type ModelText, readModelText, roomFor } from './model-text.ts';
import { splitMarked } from './reasoning.ts';
import { ReplyText } from './reply-text.ts';

export interface LanguageModelOptions extends Partial<EngineOptions> {
  /** Threads of one run of the runtime. */
  threads: number;
  /** Of the weights; fp32 when absent. */
  precision?: PrecisionChoice | undefined;
  /** cpu when absent. */
  provider?: ProviderChoice | undefined;
  /** Where packed weights are kept, so that the model is there sooner next time; absent where they are not. */
  packed?: PackedFolder | undefined;
  /** Told what computes, and why. */
  onExecution?: (execution: Execution) => void;
  /** Told in a line what went wrong and does no harm. */
  onNote?: ((note: string) => void) | undefined;
}

type Thread = EngineThread<EngineReady, GenerationRequest, GenerationEvent>;

/** Loads the base or steered model in `folder` into a thread of its own. Throws invalid_model in one clear line. */
export async function openLanguageModel(
  folder: string,
  { threads, precision = 'fp32', provider = 'cpu', packed, onExecution, onNote, ...options }: LanguageModelOptions,
): Promise<LanguageModel> {
  const settings: EngineSettings = { folder, threads, precision, provider, packed, options };
  const reading = Promise.all([readModelText(folder), revisionOf(folder)]);
  const later = reading.then(([text]): EngineText => ({ vocabulary: replyVocabulary(text) }));
  const thread: Thread = await EngineThread.start(builtEntry(import.meta.url, '../engine/thread-entry.ts'), settings, { later });
  const [text, stands] = await reading;
  const { card, schema, chat, tokenizer, vocabSize, sampling } = text;
  const { execution, precision: computed, contextLength, notes } = thread.ready;
  // Weights rounded otherwise say something else.
  const revision = `${stands}${computed === 'fp32' ? '' : `-${computed}`}`;
  onExecution?.(execution);
  for (const note of notes) onNote?.(note);
  return {
    id: card.name,
    revision,
    vectors: steeringVectors(folder, card.name),
    schema,
    badWords: card.badWords,
    curves: card.measured?.steering?.curves,
    sampling,
    contextLength,
    vocabSize,
    mixes: true,
    chat,
    layOut: (conversation, label) => layOut(text, conversation, label),
    beginning: tokenizer.beginning.map((control) => ({ control, trained: false })),
    encode: (pieces) => encodePrompt(tokenizer, pieces, contextLength),
    encodeLong: (pieces) => encodeLongPrompt(tokenizer, pieces),
    countTokens: (text) => tokenizer.encodeText(text).length,
    bytesOf: (token) => tokenizer.bytesOf(token),
    complete: (request, signal) => splitMarked(complete(thread, tokenizer, contextLength, request, signal), tokenizer, request),
    dispose: () => thread.dispose(),
  };
}

/** A reply holds text only, and what ends it. */
function replyVocabulary({ tokenizer, vocabSize, stopTokens }: ModelText): Vocabulary {
  const stops = new Set(stopTokens);
  const allowed = Uint8Array.from({ length: vocabSize }, (_, id) => Number(tokenizer.isText(id) || stops.has(id)));
  const bytes = Array.from({ length: vocabSize }, (_, id) => tokenizer.bytesOf(id));
  const mayEnd = (id: number) => bytes[id]!.length === 0 || holdsMark(bytes[id]!);
  const ends = (id: number) => allowed[id] === 1 && mayEnd(id) && sentenceEnd.test(tokenizer.decode([id]));
  const endsSentence = allowed.map((_, id) => Number(ends(id)));
  const tokenBytes = bytes.some(({ length }) => length > 0) ? flatten(bytes) : undefined;
  return { allowed, stopTokens, endsSentence, tokenBytes };
}

/** The marks among them that are a single byte, or may begin one: most tokens hold none, and are not decoded to find out. */
const marks = Uint8Array.from({ length: 256 }, (_, byte) => Number(byte >= 0x80 || '.!?'.includes(String.fromCharCode(byte))));

function holdsMark(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (marks[bytes[i]!] === 1) return true;
  return false;
}

/** Ends of sentences in the scripts that mark them, with the quotes and brackets that may follow. */
const sentenceEnd = /[.!?…。！？।؟]["'”’)\]]*\s*$/u;

async function* complete(
  thread: Thread,
  tokenizer: Tokenizer,
  contextLength: number,
  { stop, prompt, raw: _, ...request }: CompletionRequest,
  signal: AbortSignal,
): AsyncGenerator<CompletionEvent> {
  const { phases = onePrompt(prompt), priority = 'interactive' } = request;
  const lengths = phases.flatMap(({ branches }) => branches.map((branch) => branch.prompt.length));
  const maxTokens = Math.min(request.maxTokens, roomFor(lengths, contextLength));
  const ended = new Uint8Array(new SharedArrayBuffer(request.n));
  const replies = Array.from({ length: request.n }, () => ({ text: new ReplyText(tokenizer, stop), tokens: 0 }));
  let open = request.n;
  for await (const events of thread.call({ ...request, phases, priority, maxTokens, ended }, signal)) {
    const deltas = new Map<number, Delta>();
    const ends: CompletionEvent[] = [];
    for (const event of events) {
      const { index } = event;
      // Tokens may still come that were made before the engine saw the reply end.
      if (ended[index] === 1) continue;
      const reply = replies[index]!;
      const over = 'finished' in event;
      if (!over) reply.tokens++;
      const text = over ? reply.text.finish(event.finished === 'stop') : reply.text.push(event.token);
      addTo(deltas, index, text, over ? undefined : tokenOf(event));
      if (!over && !reply.text.stopped) continue;
      Atomics.store(ended, index, 1);
      const finishReason = over && !reply.text.stopped ? event.finished : 'stop';
      const deadline = over && event.deadline ? { deadline: true as const } : {};
      ends.push({ kind: 'end', index, text: reply.text.text, finishReason, completionTokens: reply.tokens, ...deadline });
    }
    yield* deltas.values();
    yield* ends;
    open -= ends.length;
    if (open === 0) return;
  }
}

type Delta = CompletionEvent & { kind: 'delta' };

/** What came together is told together. */
function addTo(deltas: Map<number, Delta>, index: number, text: string, token: TokenLikelihood | undefined): void {
  if (text === '' && !token) return;
  const known = deltas.get(index) ?? { kind: 'delta', index, text: '' };
  const tokens = token ? [...(known.tokens ?? []), token] : known.tokens;
  deltas.set(index, { ...known, text: known.text + text, ...(tokens ? { tokens } : {}) });
}

function tokenOf({ token, likelihood }: { token: number; likelihood?: Likelihood | undefined }): TokenLikelihood | undefined {
  return likelihood && { token, ...likelihood };
}
