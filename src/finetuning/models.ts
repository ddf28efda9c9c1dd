// What jobs of this stage ask of whoever holds the models: folders to start from, a steered model to sample from, a predictor to rate with.
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import type { Piece } from '../steerlm/prompt-layout.ts';

/** A loaded language model. */
export interface Writer {
  readonly schema: AttributeSchema;
  readonly contextLength: number;
  encode(pieces: Piece[]): number[];
  complete(
    request: {
      prompt: number[];
      maxTokens: number;
      temperature: number;
      topP: number;
      topK: number;
      stop: string[];
      seed: number;
      n: number;
    },
    signal: AbortSignal,
  ): AsyncIterable<{ kind: 'delta' } | { kind: 'end'; index: number; text: string; completionTokens: number }>;
}

/** Values of one reply by attribute. */
export type Obtained = Record<string, { value: number; level: number; probabilities: number[]; confidence: number }>;

/** A loaded predictor. */
export interface Rater {
  readonly id: string;
  readonly revision: string;
  readonly schema: AttributeSchema;
  score(conversations: Conversation[], signal: AbortSignal): Promise<{ attributes: Obtained }[]>;
}

export interface TrainingModels {
  /** Looks at the models folder again, for models made a moment ago. */
  refresh(): Promise<void>;
  /** Folder of the model of that id. Throws model_not_found. */
  folderOf(id: string): string;
  language(id: string): Promise<Writer>;
  predictor(id: string): Promise<Rater>;
}
