// What a method of training brings to a run: where it starts, its data, its objective and what its card says. Everything else is the same for
// all methods and stands in run.ts.

import type { GroundRecord } from '../model/ground.ts';
import type { ModelCard } from '../model/model-folder.ts';
import type { WeightType } from '../model/shape.ts';
import type { Model } from '../model/whole-model.ts';
import type { ProviderChoice } from '../tensor/providers.ts';
import type { Tensor } from '../tensor/session.ts';
import type { BatchSource } from './batches.ts';
import type { Method, TrainingSettings } from './training-settings.ts';
import type { TrainingTask } from './training-task.ts';

/** What every run is given, whatever its method. */
export interface RunSpec {
  /** Name of the model that comes out. */
  name: string;
  out: string;
  runFolder: string;
  /** Snapshots of the samples. */
  train: string;
  validation: string;
  datasets: { name: string; hash: string }[];
  dtype: WeightType;
  /** Rows and tokens a row of a micro-batch. */
  B: number;
  T: number;
  settings: TrainingSettings;
  /** What computes; cpu when absent. Any may go on with what another began. */
  provider?: ProviderChoice;
  /** Models written on the way, at every checkpoint that was due: name and folder without the step they end in. */
  checkpoints?: { name: string; folder: string };
  /** Trains no further: writes the model of the newest checkpoint. */
  publish?: boolean;
}

export interface Recipe<Report = null> {
  method: Method;
  /** Folder of the model it goes on from; undefined for one from nothing. */
  base: string | undefined;
  /** The model to start from; absent, that of `base`. */
  start?(onNote: (text: string) => void): Promise<Model>;
  /** Reads the data as this model reads it. */
  read(model: Model): Promise<RecipeData<Report>>;
  /** What the curve follows from beside base, data and settings. */
  identity: object;
  card: {
    /** What the model is; `parent` is the card of its base. */
    kind(parent: ModelCard | null): Pick<ModelCard, 'kind' | 'attributeSchema' | 'promptLayoutVersion'>;
    /** Whether the base is named as what the model was made from. */
    namesBase: boolean;
    /** What is learnt; see datasetsBehind. */
    teaches: 'texts' | 'labels';
    /** Of the recipe, beside rows and settings. */
    details: Record<string, unknown>;
  };
}

export interface RecipeData<Report = null> {
  training: BatchSource;
  validation: BatchSource | null;
  objective: TrainingTask['objective'];
  /** How much there is of it, in a few words. */
  told: string;
  /** Parameters trained beside the model's own. */
  head?: { shapes: ReadonlyMap<string, number[]>; values: ReadonlyMap<string, Float32Array> };
  /** What tells text unlike this data; see learnGround. */
  ground?: GroundRecord | null;
  /** From what the objective read of each micro-batch of the held-out data. */
  report?(readings: readonly Tensor[]): Report;
}
