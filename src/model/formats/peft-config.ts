// adapter_config.json of a LoRA adapter, as PEFT writes it: what is followed when it is merged, and what would change the result and is refused
// by name. A field nobody here knows is refused as well, unless it is empty: a later PEFT may mean anything by it.
import { z } from 'zod';
import { SteerError } from '../../errors.ts';
import { faultText } from '../../shape-faults.ts';
import { readJson } from './json-file.ts';

/** Starting values that leave the weights of the base as they are. The others make PEFT change those whenever it loads the adapter. */
const innocentStarts = [true, false, 'gaussian', 'orthogonal', 'eva'];

const layer = z.int().min(0);
const names = z.union([z.string(), z.array(z.string())]).nullish();

const configSchema = z.looseObject({
  peft_type: z.literal('LORA', 'only LoRA adapters are read'),
  r: z.int().min(1),
  lora_alpha: z.number(),
  use_rslora: z.boolean().nullish(),
  use_dora: z.literal(false, 'weight-decomposed adapters (DoRA) are not read').nullish(),
  fan_in_fan_out: z.literal(false, 'expected false, weights are (out, in)').nullish(),
  alpha_pattern: z
    .record(z.string(), z.number())
    .refine((own) => Object.keys(own).every((name) => /^[\w.]+$/.test(name)), 'expected names of modules, no other pattern')
    .nullish(),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
  target_modules: names,
  exclude_modules: names,
  layers_to_transform: z.union([layer, z.array(layer)]).nullish(),
  modules_to_save: z.array(z.string()).nullish(),
  ensure_weight_tying: z.boolean().nullish(),
});
export type PeftConfig = z.infer<typeof configSchema>;

/** Fields that change nothing of what is merged: how the adapter was trained, and what the shapes of its tensors say as well. */
const withoutEffect = [
  ...['task_type', 'base_model_name_or_path', 'revision', 'auto_mapping', 'inference_mode', 'peft_version', 'lora_dropout'],
  ...['rank_pattern', 'layers_pattern', 'bias', 'megatron_core', 'qalora_group_size', 'runtime_config', 'merge_weights'],
  // Settings of starting values, which tell by themselves.
  ...['loftq_config', 'eva_config', 'corda_config', 'lora_ga_config', 'unsloth_fixed'],
];

/** Throws invalid_model naming the first field that cannot be followed. */
export async function readPeftConfig(path: string): Promise<PeftConfig> {
  const parsed = configSchema.safeParse(await readJson(path));
  if (!parsed.success) {
    throw new SteerError('invalid_model', `${path}: ${faultText(parsed.error, 'content')}.`);
  }
  const config = parsed.data;
  const start = config.init_lora_weights ?? true;
  if (!innocentStarts.includes(start)) {
    throw refuseAdapter(path, `init_lora_weights ${JSON.stringify(start)}, which changes the weights of the base`);
  }
  const other = Object.entries(config).find(
    ([field, value]) => !(field in configSchema.shape) && !withoutEffect.includes(field) && !isEmpty(value),
  );
  if (other) throw refuseAdapter(path, `${other[0]}, which is not followed here`);
  return config;
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** The failure of an adapter that would be merged wrongly. */
export function refuseAdapter(path: string, found: string): SteerError {
  return new SteerError(
    'invalid_model',
    `${path}: found ${found}. Merge the adapter with PEFT itself and bring the whole model.`,
  );
}

/** Field of the config by which PEFT would pass over an adapter of `module`; null where it would apply it. */
export function passedOverBy(config: PeftConfig, module: string): string | null {
  const { target_modules: targets, exclude_modules: excluded, layers_to_transform: layers } = config;
  const among = (list: readonly string[]) => list.some((name) => module === name || module.endsWith(`.${name}`));
  if (Array.isArray(excluded) && among(excluded)) return 'exclude_modules';
  // A pattern in one string is Python's, and is taken at its word.
  if (Array.isArray(targets) && !among(targets)) return 'target_modules';
  const wanted = layers === null || layers === undefined ? [] : [layers].flat();
  const [, at] = /\.layers\.(\d+)\./.exec(module) ?? [];
  return wanted.length > 0 && !wanted.includes(Number(at)) ? 'layers_to_transform' : null;
}

/** The alpha that is divided by the rank to scale what an adapter of `module` adds. */
export function alphaOf({ lora_alpha, alpha_pattern, use_rslora }: PeftConfig, module: string, rank: number): number {
  const own = Object.entries(alpha_pattern ?? {}).find(([name]) => module === name || module.endsWith(`.${name}`));
  const alpha = own ? own[1] : lora_alpha;
  return use_rslora ? alpha * Math.sqrt(rank) : alpha;
}
