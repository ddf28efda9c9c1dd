// The models of a process that serves, as an evaluation uses them: behind the requests of people, at the revision it began on, and no longer in
// memory than before.

import { SteerError } from '../errors.ts';
import type { CompletionEvent, LanguageModel } from '../generation/language-model.ts';
import { patiently } from '../jobs/patience.ts';
import type { Predictor } from '../predictor/predictor.ts';
import type { EvaluationModels } from './found-models.ts';

/** Whoever holds the models. All but `list` and `refresh` take an id and throw model_not_found. */
export interface ServedModels {
  list(): { id: string; status: string; precision: string }[];
  /** Looks again at what there is. */
  refresh(): Promise<void>;
  folderOf(id: string): string;
  /** Loads it where it is not; so does `predictor`. */
  language(id: string): Promise<LanguageModel>;
  predictor(id: string): Promise<Predictor>;
  /** Frees it when its last call has ended. */
  unload(id: string): void;
}

/** Models by their ids. Every wait ends with the signal. */
export function evaluationModels(models: ServedModels, signal: AbortSignal, threads?: number): EvaluationModels {
  return {
    threads,
    async language(name = '') {
      const folder = models.folderOf(name);
      const precision = models.list().find(({ id }) => id === name)?.precision ?? 'fp32';
      return { folder, precision, open: () => openLanguage(models, name, signal) };
    },
    async predictor(name = '') {
      return { folder: models.folderOf(name), open: () => openPredictor(models, name, signal) };
    },
  };
}

async function openLanguage(models: ServedModels, id: string, signal: AbortSignal): Promise<LanguageModel> {
  const { first, current, dispose } = await hold(models, id, () => models.language(id), signal);
  return {
    id: first.id,
    revision: first.revision,
    schema: first.schema,
    contextLength: first.contextLength,
    vocabSize: first.vocabSize,
    mixes: first.mixes,
    chat: first.chat,
    layOut: (conversation, label) => first.layOut(conversation, label),
    encode: (pieces) => first.encode(pieces),
    encodeLong: (pieces) => first.encodeLong(pieces),
    countTokens: (text) => first.countTokens(text),
    bytesOf: first.bytesOf,
    /** Tells the ends of replies alone, all together: what was refused halfway is asked for again. */
    async *complete(request, stop) {
      yield* await patiently(stop, async () => {
        const ends: CompletionEvent[] = [];
        const model = await current();
        for await (const event of model.complete({ ...request, priority: 'batch' }, stop))
          if (event.kind === 'end') ends.push(event);
        return ends;
      });
    },
    dispose,
  };
}

async function openPredictor(models: ServedModels, id: string, signal: AbortSignal): Promise<Predictor> {
  const { first, current, dispose } = await hold(models, id, () => models.predictor(id), signal);
  return {
    id: first.id,
    revision: first.revision,
    schema: first.schema,
    score: (conversations, stop) => patiently(stop, async () => await (await current()).score(conversations, stop)),
    dispose,
  };
}

interface Held<Model> {
  first: Model;
  /** The model as it is served now. Throws conflict where that is another revision. */
  current(): Promise<Model>;
  /** Unloads what was not loaded before. */
  dispose(): Promise<void>;
}

async function hold<Model extends { revision: string }>(
  models: ServedModels,
  id: string,
  open: () => Promise<Model>,
  signal: AbortSignal,
): Promise<Held<Model>> {
  const loaded = models.list().some((card) => card.id === id && ['loaded', 'loading'].includes(card.status));
  const first = await patiently(signal, () => unlessAborted(open(), signal));
  return {
    first,
    async current() {
      const now = await open();
      if (now.revision === first.revision) return now;
      const found = `The evaluation began on revision ${first.revision} of ${id}, and ${now.revision} is served now`;
      throw new SteerError('conflict', `${found}. Start it again.`);
    },
    async dispose() {
      if (!loaded && models.list().some((card) => card.id === id)) models.unload(id);
    },
  };
}

/** What is being loaded goes on loading; nobody waits for it. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = () => new SteerError('cancelled', 'Stopped while a model was being loaded.');
  if (signal.aborted) throw stopped();
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(stopped());
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
