// The models as callers hold them: each call counts on the engine it runs on. A model that was unloaded meanwhile is loaded again, and a call
// on another revision than the holder was given is refused, since its prompt was encoded for the first.

import { SteerError } from '../errors.ts';
import type { LanguageModel } from '../generation/language-model.ts';
import type { Predictor } from '../predictor/predictor.ts';
import type { EngineSlot } from './engine-slot.ts';

/** The engine that now serves the model. */
type Current<Engine extends LanguageModel | Predictor> = () => Promise<EngineSlot<Engine>>;

/** A model whose calls are counted; `current` answers the engine that now serves it. */
export function holdEngine(
  engine: LanguageModel | Predictor,
  current: (kind: 'language' | 'predictor') => Promise<EngineSlot<LanguageModel | Predictor>>,
): LanguageModel | Predictor {
  return 'encode' in engine
    ? holdLanguage(engine, () => current('language') as Promise<EngineSlot<LanguageModel>>)
    : holdPredictor(engine, () => current('predictor') as Promise<EngineSlot<Predictor>>);
}

function holdLanguage(engine: LanguageModel, current: Current<LanguageModel>): LanguageModel {
  const { id, revision, vectors, schema, badWords, curves, sampling, contextLength, vocabSize, mixes, chat, beginning } = engine;
  return {
    id,
    revision,
    vectors,
    schema,
    badWords,
    curves,
    sampling,
    contextLength,
    vocabSize,
    mixes,
    chat,
    beginning,
    layOut: (conversation, label) => engine.layOut(conversation, label),
    encode: (pieces) => engine.encode(pieces),
    encodeLong: (pieces) => engine.encodeLong(pieces),
    countTokens: (text) => engine.countTokens(text),
    bytesOf: engine.bytesOf,
    async *complete(request, signal) {
      const slot = await enter(id, revision, current);
      try {
        yield* slot.engine.complete(request, signal);
      } finally {
        slot.leave();
      }
    },
    // The engine is the registry's.
    dispose: async () => {},
  };
}

function holdPredictor(engine: Predictor, current: Current<Predictor>): Predictor {
  const { id, revision, schema } = engine;
  return {
    id,
    revision,
    schema,
    async score(conversations, signal, caller, onBegun) {
      const slot = await enter(id, revision, current);
      try {
        return await slot.engine.score(conversations, signal, caller, onBegun);
      } finally {
        slot.leave();
      }
    },
    ...(engine.groundOf && { groundOf: engine.groundOf }),
    dispose: async () => {},
  };
}

async function enter<Engine extends LanguageModel | Predictor>(
  id: string,
  revision: string,
  current: Current<Engine>,
): Promise<EngineSlot<Engine>> {
  for (;;) {
    const slot = await current();
    if (slot.engine.revision !== revision) {
      throw new SteerError('not_ready', `${id} was replaced by another revision a moment ago. Try again.`);
    }
    // Retired between the two; the next one is another.
    if (slot.enter()) return slot;
  }
}
