// A language model loaded from a folder. This is the caller's side of the engine thread and the one place of the room that knows text:
// prompts become token ids here and tokens become text.
import { SteerError } from '../errors.ts';
import { encodePieces } from '../llama/encode.ts';
import { type ModelCard, readEndTokens, readModelCard, readShape, revisionOf } from '../llama/model-folder.ts';
import { Tokenizer } from '../llama/tokenizer.ts';
import { documentSeparator } from '../llama/tokenizer-training.ts';
import { type AttributeSchema, controlTokens, type Piece, promptLayoutVersion } from '../steerlm.ts';
import { builtEntry } from '../tensor/built-entry.ts';
import { EngineThread } from '../tensor/engine-thread.ts';
import type { GenerationEvent, GenerationRequest, Vocabulary } from './engine.ts';
import type { EngineSettings } from './engine-thread-entry.ts';
import type { CompletionEvent, CompletionRequest, LanguageModel } from './language-model.ts';
import { ReplyText } from './reply-text.ts';

export interface LanguageModelOptions {
  /** Threads of one run of the runtime. */
  threads: number;
  /** Requests in hand above which a further one is refused with `overloaded`. */
  maxCalls: number;
}

type Thread = EngineThread<null, GenerationRequest, GenerationEvent>;

const noAttributes: AttributeSchema = { name: 'none', version: 0, attributes: [] };

/** Loads the base or steered model in `folder` into a thread of its own. Throws invalid_model in one clear line. */
export async function openLanguageModel(folder: string, { threads, maxCalls }: LanguageModelOptions): Promise<LanguageModel> {
  const card = await readModelCard(folder);
  refuseUnfit(card, folder);
  const { contextLength, vocabSize } = await readShape(folder);
  const tokenizer = await Tokenizer.open(folder, vocabSize);
  const revision = await revisionOf(folder);
  const settings: EngineSettings = {
    folder,
    threads,
    vocabulary: replyVocabulary(tokenizer, vocabSize, await readEndTokens(folder)),
  };
  const thread: Thread = await EngineThread.start(builtEntry(import.meta.url, './engine-thread-entry.ts'), settings, {
    maxCalls,
  });
  return {
    id: card.name,
    revision,
    schema: card.attributeSchema ?? noAttributes,
    contextLength,
    encode: (pieces) => encode(tokenizer, pieces, contextLength),
    complete: (request, signal) => complete(thread, tokenizer, contextLength, request, signal),
    dispose: () => thread.dispose(),
  };
}

/** Token ids of a prompt. One that is certainly too long is refused by its characters: encoding it would hold up every other caller. */
function encode(tokenizer: Tokenizer, pieces: Piece[], contextLength: number): number[] {
  const characters = pieces.reduce((total, piece) => total + ('text' in piece ? piece.text.length : 0), 0);
  const least = Math.ceil(characters / tokenizer.longestToken);
  if (least > contextLength) throw tooLong(contextLength, `at least ${least}`);
  return encodePieces(tokenizer, pieces).ids;
}

function refuseUnfit(card: ModelCard, folder: string): void {
  if (card.kind === 'predictor') {
    throw new SteerError('invalid_model', `Expected a language model in ${folder}, found the predictor ${card.name}.`);
  }
  const version = card.promptLayoutVersion ?? promptLayoutVersion;
  if (version !== promptLayoutVersion) {
    throw new SteerError(
      'invalid_model',
      `${folder}: expected a model of prompt layout ${promptLayoutVersion}, found layout ${version}. Fine-tune it again with this release.`,
    );
  }
}

/** A reply holds text only, and ends at the turn token, the end of a document, or where the model's own configuration says. */
function replyVocabulary(tokenizer: Tokenizer, vocabSize: number, endTokens: number[]): Vocabulary {
  const ids = [controlTokens.turn, documentSeparator].map((spelling) => tokenizer.tokenId(spelling));
  const stopTokens = [...new Set([...ids.filter((id) => id !== undefined), ...endTokens])];
  const allowed = Uint8Array.from({ length: vocabSize }, (_, id) => Number(tokenizer.isText(id) || stopTokens.includes(id)));
  return { allowed, stopTokens };
}

async function* complete(
  thread: Thread,
  tokenizer: Tokenizer,
  contextLength: number,
  { stop, ...request }: CompletionRequest,
  signal: AbortSignal,
): AsyncGenerator<CompletionEvent> {
  const maxTokens = Math.min(request.maxTokens, roomFor(request.prompt, contextLength));
  const ended = new Uint8Array(new SharedArrayBuffer(request.n));
  const replies = Array.from({ length: request.n }, () => ({ text: new ReplyText(tokenizer, stop), tokens: 0 }));
  let open = request.n;
  for await (const event of thread.call({ ...request, maxTokens, ended }, signal)) {
    const { index } = event;
    // Tokens may still come that were made before the engine saw the reply end.
    if (ended[index] === 1) continue;
    const reply = replies[index]!;
    const over = 'finished' in event;
    if (!over) reply.tokens++;
    const delta = over ? reply.text.finish(event.finished === 'stop') : reply.text.push(event.token);
    if (delta !== '') yield { kind: 'delta', index, text: delta };
    if (!over && !reply.text.stopped) continue;
    Atomics.store(ended, index, 1);
    const finishReason = over && !reply.text.stopped ? event.finished : 'stop';
    yield { kind: 'end', index, text: reply.text.text, finishReason, completionTokens: reply.tokens };
    open--;
    if (open === 0) return;
  }
}

/** Tokens a reply may have. Throws context_length_exceeded when the prompt leaves none. */
function roomFor(prompt: readonly number[], contextLength: number): number {
  if (prompt.length === 0) {
    throw new SteerError('invalid_request', 'Expected a prompt of at least one token, found none. Say something.');
  }
  if (prompt.length < contextLength) return contextLength - prompt.length;
  throw tooLong(contextLength, `${prompt.length}`);
}

function tooLong(contextLength: number, found: string): SteerError {
  return new SteerError(
    'context_length_exceeded',
    `Expected a prompt of at most ${contextLength - 1} tokens, since prompt and reply share a context of ${contextLength}; ` +
      `found ${found}. Shorten the conversation.`,
  );
}
