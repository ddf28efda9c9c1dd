// Opens a model of a folder with what this process gives to each: cores, bounds, a precision, what computes it. What only some models need is loaded
// with the first of them.
import { availableParallelism } from 'node:os';
import type { EngineOptions } from '../engine/engine.ts';
import type { PackedFolder } from '../engine/kernel/packed-copy.ts';
import { SteerError } from '../errors.ts';
import type { LanguageModel } from '../generation/language-model.ts';
import { type LanguageModelOptions, openLanguageModel } from '../generation/steered-model.ts';
import type { Precision } from '../model/loaded-network.ts';
import type { PrecisionChoice } from '../model/precision.ts';
import type { Predictor } from '../predictor/predictor.ts';
import type { Execution, ProviderChoice } from '../tensor/providers.ts';
import { isUpstream } from '../upstream/settings.ts';
import type { UpstreamOptions } from '../upstream/upstream-model.ts';
import type { Entry } from './scan.ts';

/** Threads of one run of a model: every core. Calls in hand above which a predictor refuses further ones; a language model has its own bounds. */
export const engineOptions = { threads: availableParallelism(), maxCalls: 64 };

export interface OpenOptions {
  /** What computes the language models; cpu when absent. Predictors are small and always the processor's. */
  provider?: ProviderChoice;
  /** Bounds of the engine of a language model, and the precision of its weights where nobody asked for another. */
  engine?: Partial<EngineOptions> & { precision?: PrecisionChoice; packed?: PackedFolder };
  /** Told what computes a language model that was loaded, and why. */
  onExecution?(id: string, execution: Execution): void;
  /** Told in a line what went wrong with a model and does no harm. */
  onNote?(id: string, note: string): void;
  /** Key sent to upstreams that run models; absent means none. */
  upstreamKey?: string | undefined;
  /** The key in an environment variable, for upstreams that have one of their own; undefined where it is not set. */
  upstreamKeyOf?(variable: string): string | undefined;
  /** Told what went wrong with the upstream of a model. */
  onUpstreamFault?(id: string, reason: string): void;
}

/** Loads the model. Throws invalid_model in one clear line; for one on an upstream not_ready too, when that does not answer. */
export async function openModel(
  entry: Pick<Entry, 'id' | 'kind' | 'folder'>,
  precision: Precision,
  options: OpenOptions,
): Promise<LanguageModel | Predictor> {
  try {
    return await open(entry, precision, options);
  } catch (cause) {
    if (cause instanceof SteerError && cause.code !== 'internal_error') throw cause;
    const message = `The model in ${entry.folder} cannot be loaded: ${(cause as Error).message}`;
    throw new SteerError('invalid_model', message, { cause });
  }
}

async function open(
  { id, kind, folder }: Pick<Entry, 'id' | 'kind' | 'folder'>,
  precision: Precision,
  { provider, engine, onExecution, onNote, upstreamKey: apiKey, upstreamKeyOf: keyOf, onUpstreamFault }: OpenOptions,
): Promise<LanguageModel | Predictor> {
  if (kind === 'predictor') return (await import('../predictor/open.ts')).openPredictor(folder, engineOptions);
  const told = (execution: Execution) => onExecution?.(id, execution);
  const here = {
    ...engineOptions,
    ...engine,
    precision,
    provider,
    onExecution: told,
    onNote: (note: string) => onNote?.(id, note),
  };
  return openLanguage(folder, here, { apiKey, keyOf, onFault: (reason) => onUpstreamFault?.(id, reason) });
}

/** Loads a language model where its folder says it runs: in a thread of this process, or on an upstream. */
export async function openLanguage(
  folder: string,
  here: LanguageModelOptions,
  upstream: UpstreamOptions,
): Promise<LanguageModel> {
  if (!(await isUpstream(folder))) return openLanguageModel(folder, here);
  return (await import('../upstream/upstream-model.ts')).openUpstreamModel(folder, upstream);
}

/** In which precision a model is loaded; predictors are always computed in fp32. */
export function precisionFor({ kind, stored }: Entry, choice: PrecisionChoice = 'fp32'): Precision {
  if (kind === 'predictor') return 'fp32';
  return choice === 'auto' ? stored : choice;
}
