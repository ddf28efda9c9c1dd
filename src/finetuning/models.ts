// What jobs of this stage ask of whoever holds the models: folders to start from, a steered model to sample from, a predictor to rate with.
import type { LanguageModel } from '../generation/language-model.ts';
import type { Predictor } from '../predictor/predictor.ts';

/** What is used of a loaded language model. */
export type Writer = Pick<LanguageModel, 'schema' | 'chat' | 'layOut' | 'contextLength' | 'encode' | 'complete'>;

/** What is used of a loaded predictor. */
export type Rater = Pick<Predictor, 'id' | 'revision' | 'schema' | 'score'>;

/** Values of one reply by attribute. */
export type Obtained = Awaited<ReturnType<Rater['score']>>[number]['attributes'];

export interface TrainingModels {
  /** Looks at the models folder again, for models made a moment ago. */
  refresh(): Promise<void>;
  /** Folder of the model of that id. Throws model_not_found. */
  folderOf(id: string): string;
  language(id: string): Promise<Writer>;
  predictor(id: string): Promise<Rater>;
}
