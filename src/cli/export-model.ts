// steer export-model: a model of this program for others: a GGUF file for llama.cpp, or a folder for transformers and vLLM with an adapter merged in.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { SteerError } from '../errors.ts';
import { exportGguf, type GgufType } from '../model/formats/gguf.ts';
import { mergePeft } from '../model/formats/peft.ts';
import { checkPlace, publishModel, readModel } from '../model/model.ts';
import type { WeightType } from '../model/shape.ts';
import { findModelFolder } from './model-folders.ts';
import { refuseReplacing } from './output-file.ts';
import { type Surroundings, say } from './surroundings.ts';

interface ExportModelOptions {
  model?: string;
  adapter?: string;
  format: 'gguf' | 'safetensors';
  type: GgufType;
  out: string;
  force?: true;
}

const weightTypes: Record<GgufType, WeightType> = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' };

/** The command. */
export function exportModelCommand(surroundings: Surroundings): Command {
  return new Command('export-model')
    .summary('write a model for other engines')
    .description(
      'Writes a model as one GGUF file, which llama.cpp runs, or as a folder of safetensors, which transformers and vLLM run. ' +
        'Tokenizer, chat template and attributes go with it.',
    )
    .option('--model <model>', 'a name in MODELS_DIR or a path (default: the model serve would take)')
    .option('--adapter <folder>', 'LoRA adapter in the layout of PEFT, merged into the model first')
    .addOption(new Option('--format <format>', 'what is written').choices(['gguf', 'safetensors']).default('gguf'))
    .addOption(new Option('--type <type>', 'numbers of the matrices').choices(Object.keys(weightTypes)).default('f16'))
    .requiredOption('--out <path>', 'file of the GGUF, or folder of the safetensors')
    .option('--force', 'replace what is there')
    .addHelpText(
      'after',
      '\nExample:\n  steer export-model --model npc --out npc.gguf\n' +
        '  steer export-model --model base --adapter my-lora --format safetensors --out models/merged',
    )
    .action((options: ExportModelOptions) => exportModel(surroundings, options));
}

async function exportModel({ config }: Surroundings, options: ExportModelOptions): Promise<void> {
  const { adapter, format, type, out } = options;
  const folder = await findModelFolder(config(), options.model, ['language']);
  if (resolve(folder) === resolve(out)) throw new SteerError('invalid_config', `--out: ${out} is the model itself.`);
  await refuseReplacing(out, options.force, '--out');
  if (format === 'safetensors') {
    await checkPlace(out);
    await writeFolder(folder, adapter, out, type);
  } else if (adapter === undefined) await exportGguf(folder, out, type);
  else {
    const merged = await mkdtemp(join(tmpdir(), 'steer-merged-'));
    try {
      await writeFolder(folder, adapter, merged, 'f32');
      await exportGguf(merged, out, type);
    } finally {
      await rm(merged, { recursive: true, force: true });
    }
  }
  say(`Wrote ${out}.`);
}

/** Named after its folder, as every model here is. */
async function writeFolder(folder: string, adapter: string | undefined, out: string, type: GgufType): Promise<void> {
  const model = await readModel(folder);
  const merged = adapter === undefined ? model : await mergePeft(model, adapter);
  const name = adapter === undefined ? model.card.name : basename(resolve(out));
  await publishModel(out, { ...merged, card: { ...merged.card, name } }, weightTypes[type]);
}
