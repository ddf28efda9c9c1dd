// How a model's folder says its replies are best drawn: what vLLM takes of generation_config.json is taken here, and a frequency penalty beside it,
// which transformers and vLLM pass over.
import { join } from 'node:path';
import { z } from 'zod';
import { SteerError } from '../errors.ts';
import { faultText } from '../shape-faults.ts';
import { readModelFile } from './formats/gguf-folder.ts';
import { writeJson } from './formats/json-file.ts';

/** Holds where a caller says nothing; absent means what the protocol says. */
export interface SamplingDefaults {
  temperature?: number | undefined;
  topP?: number | undefined;
  /** 0 is no limit. */
  topK?: number | undefined;
  minP?: number | undefined;
  repetitionPenalty?: number | undefined;
  frequencyPenalty?: number | undefined;
}

/** How chat models are drawn whose makers do not say: as Ollama does. At temperature 1 a small one writes nonsense, without a penalty it repeats itself. */
export const usualForChat: SamplingDefaults = { temperature: 0.8, topP: 0.9, topK: 40, repetitionPenalty: 1.1 };

const fileName = 'generation_config.json';
/** Scores are divided by it: a far smaller one would make them infinite, and of two infinite ones neither is likelier. */
export const leastRepetitionPenalty = 0.01;
const share = z.number().min(0).max(1).nullish();
const written = z.looseObject({
  temperature: z.number().min(0).max(2).nullish(),
  top_p: share,
  top_k: z.int().min(-1).nullish(),
  min_p: share,
  repetition_penalty: z.number().min(leastRepetitionPenalty).max(10).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
});

/** Of the folder; nothing where it does not say. Throws invalid_model naming the field that cannot be. */
export async function readSampling(folder: string): Promise<SamplingDefaults> {
  const found = await readModelFile(folder, fileName);
  if (!found) return {};
  const { data, error } = written.safeParse(found.content);
  if (error) {
    throw new SteerError('invalid_model', `${found.path}: ${faultText(error, 'content')}. Correct it, or take it out.`);
  }
  const defaults = {
    temperature: data.temperature ?? undefined,
    topP: data.top_p ?? undefined,
    topK: data.top_k === null || data.top_k === undefined ? undefined : Math.max(0, data.top_k),
    minP: data.min_p ?? undefined,
    repetitionPenalty: data.repetition_penalty ?? undefined,
    frequencyPenalty: data.frequency_penalty ?? undefined,
  };
  return Object.fromEntries(Object.entries(defaults).filter(([, value]) => value !== undefined));
}

/** Writes the file as transformers reads it, with what ends a reply: there it would hide what config.json says. */
export async function writeSampling(folder: string, sampling: SamplingDefaults, eos: number | undefined): Promise<void> {
  const { temperature, topP, topK, minP, repetitionPenalty, frequencyPenalty } = sampling;
  if (Object.values(sampling).every((value) => value === undefined)) return;
  await writeJson(join(folder, fileName), {
    ...(eos === undefined ? {} : { eos_token_id: eos }),
    do_sample: temperature !== 0,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(topK === undefined ? {} : { top_k: topK }),
    ...(minP === undefined ? {} : { min_p: minP }),
    ...(repetitionPenalty === undefined ? {} : { repetition_penalty: repetitionPenalty }),
    ...(frequencyPenalty === undefined ? {} : { frequency_penalty: frequencyPenalty }),
  });
}
