// What an evaluation asks of whoever holds the models: where they lie, and to open them.

import type { LanguageModel } from '../generation/language-model.ts';
import type { Predictor } from '../predictor/predictor.ts';

export interface FoundPredictor {
  folder: string;
  /** The evaluation disposes of what it opened. */
  open(): Promise<Predictor>;
}

export interface FoundLanguage {
  folder: string;
  /** Of the weights, as it would be opened. */
  precision: string;
  /** The evaluation disposes of what it opened. */
  open(): Promise<LanguageModel>;
}

/** Models by name. Both throw model_not_found or invalid_model. */
export interface EvaluationModels {
  language(name: string | undefined): Promise<FoundLanguage>;
  predictor(name: string | undefined): Promise<FoundPredictor>;
  /** Threads of a model that only an evaluation opens: one that likelihoods are computed with. */
  threads?: number | undefined;
}

interface Disposable {
  dispose(): Promise<void>;
}

/** Disposes of everything that was kept, whatever becomes of `run`. */
export async function keepingOpen<T>(run: (keep: <Model extends Disposable>(model: Model) => Model) => Promise<T>): Promise<T> {
  const opened: Disposable[] = [];
  try {
    return await run((model) => {
      opened.push(model);
      return model;
    });
  } finally {
    for (const model of opened.reverse()) await model.dispose();
  }
}
