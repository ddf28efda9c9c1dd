// Entry of the thread that holds one language model: opens it and answers generation requests until told to stop.

import { SteerError } from '../errors.ts';
import type { Precision } from '../model/loaded-network.ts';
import { type PrecisionChoice, precisionOf } from '../model/precision.ts';
import { chooseProvider, type Execution, type ProviderChoice } from '../tensor/providers.ts';
import { serveThread } from '../tensor/serve-thread.ts';
import { Engine, type EngineOptions, engineDefaults } from './engine.ts';
import type { PackedFolder } from './kernel/packed-copy.ts';
import { openRunner } from './open-runner.ts';
import type { GenerationEvent, GenerationRequest, Vocabulary } from './request.ts';

/** What the thread is started with. */
export interface EngineSettings {
  folder: string;
  threads: number;
  precision: PrecisionChoice;
  packed?: PackedFolder | undefined;
  provider: ProviderChoice;
  options: Partial<EngineOptions>;
}

/** What the thread is told once it is known: weights load meanwhile. */
export interface EngineText {
  vocabulary: Vocabulary;
}

/** What computes, and how much of the context the cache has room for. */
export interface EngineReady {
  execution: Execution;
  precision: Precision;
  contextLength: number;
  /** Why a packed copy of the weights was not used or kept. */
  notes: string[];
}

await serveThread<EngineReady, GenerationRequest, GenerationEvent>(async (data, later) => {
  const { folder, threads, packed } = data as EngineSettings;
  const precision = await precisionOf((data as EngineSettings).precision, folder);
  const options = { ...engineDefaults, ...(data as EngineSettings).options };
  const notes: string[] = [];
  const execution = await chooseProvider((data as EngineSettings).provider);
  const { runner, contextLength, dispose } = await openRunner(folder, {
    ...options,
    threads,
    precision,
    provider: execution.provider,
    packed: packed && { ...packed, told: (note) => notes.push(note) },
  });
  const { vocabulary } = await (later as Promise<EngineText>).catch(async (cause) => {
    await dispose();
    throw cause;
  });
  const engine = new Engine(runner, vocabulary, options);
  return {
    ready: { execution, precision, contextLength, notes },
    handle: (request, emit, signal) =>
      engine.generate(request, emit, signal).catch((error) => Promise.reject(naming(folder, error))),
    dispose,
  };
});

/** That the weights give no numbers is found out far from their folder. */
function naming(folder: string, error: unknown): unknown {
  if (!(error instanceof SteerError && error.code === 'invalid_model')) return error;
  return new SteerError('invalid_model', `The model in ${folder}: ${error.message}`, { cause: error });
}
