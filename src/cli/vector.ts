// steer vector: steering vectors of a model, added from a file, listed, removed, and written for llama.cpp.
import { Command, InvalidArgumentError, Option } from 'commander';
import { SteerError } from '../errors.ts';
import { addVectors, exportVector, listVectors, removeVector, type VectorCard } from '../model/vectors/kept-vectors.ts';
import { parseVectorRange, type VectorRange } from '../model/vectors/vector-file.ts';
import { findModelFolder } from './model-folders.ts';
import { refuseReplacing } from './output-file.ts';
import { type Surroundings, say } from './surroundings.ts';
import { formatTable } from './table.ts';

interface ModelOption {
  model?: string;
}

/** The command. */
export function vectorCommand(around: Surroundings): Command {
  return new Command('vector')
    .summary('keep steering vectors of a model')
    .description(
      'A steering vector is a direction for each layer of a model, which a request adds to its replies with a weight: a dial that needs no prompt.\n' +
        "They are kept in vectors.safetensors of the model's folder. A running server follows.",
    )
    .addCommand(addCommand(around))
    .addCommand(listCommand(around))
    .addCommand(removeCommand(around))
    .addCommand(exportCommand(around))
    .addHelpText(
      'after',
      `\nExample:\n  steer vector add happy.gguf --model smollm2-135m --range -1,1\n  steer vector list --model smollm2-135m`,
    );
}

const modelOption = () => new Option('--model <model>', 'a name in MODELS_DIR or a path (default: the model serve would take)');

function addCommand({ config }: Surroundings): Command {
  return new Command('add')
    .summary('add the vectors of a file')
    .description("Adds a control vector of llama.cpp (GGUF) or the vectors of a vectors.safetensors to a model's own.")
    .argument('<file>', 'made for this model, in whatever precision')
    .addOption(modelOption())
    .option('--name <name>', 'what it is called (default: as in the file, or as a GGUF file is called)')
    .option('--range <lowest,highest>', 'weights it may have (default: as in the file, else -1,1)', rangeOption)
    .addHelpText('after', '\nExample:\n  steer vector add verbosity.control-vector.gguf --model smollm2-135m')
    .action(async (file: string, { model, ...given }: ModelOption & { name?: string; range?: VectorRange }) => {
      const added = await addVectors(await folderOf(config, model), file, given);
      for (const { name, range } of added) say(`Added ${name}, from ${range[0]} to ${range[1]}.`);
    });
}

function listCommand({ config }: Surroundings): Command {
  return new Command('list')
    .summary('list the vectors of a model')
    .addOption(modelOption())
    .addHelpText('after', '\nExample:\n  steer vector list --model smollm2-135m')
    .action(async ({ model }: ModelOption) => {
      const vectors = await listVectors(await folderOf(config, model));
      if (vectors.length === 0) say('It has no vectors. steer vector add brings one.');
      else say(formatTable(['vector', 'lowest', 'highest'], vectors.map(rowOf)));
    });
}

function rowOf({ name, range: [lowest, highest] }: VectorCard): string[] {
  return [name, String(lowest), String(highest)];
}

function removeCommand({ config }: Surroundings): Command {
  return new Command('remove')
    .summary('remove a vector of a model')
    .argument('<name>', 'as `steer vector list` tells it')
    .addOption(modelOption())
    .addHelpText('after', '\nExample:\n  steer vector remove happy --model smollm2-135m')
    .action(async (name: string, { model }: ModelOption) => {
      await removeVector(await folderOf(config, model), name);
      say(`Removed ${name}.`);
    });
}

function exportCommand({ config }: Surroundings): Command {
  return new Command('export')
    .summary('write a vector for llama.cpp')
    .argument('<name>', 'as `steer vector list` tells it')
    .addOption(modelOption())
    .addOption(new Option('--format <format>', 'what is written').choices(['gguf']).default('gguf'))
    .requiredOption('--out <file>', 'file to write')
    .option('--force', 'replace what is there')
    .addHelpText('after', '\nExample:\n  steer vector export happy --model smollm2-135m --out happy.gguf')
    .action(async (name: string, { model, out, force }: ModelOption & { out: string; force?: true }) => {
      await refuseReplacing(out, force, '--out');
      await exportVector(await folderOf(config, model), name, out);
      say(`Wrote ${out}.`);
    });
}

function folderOf(config: Surroundings['config'], model: string | undefined): Promise<string> {
  return findModelFolder(config(), model, ['language']);
}

function rangeOption(text: string): VectorRange {
  try {
    return parseVectorRange(text);
  } catch (error) {
    throw error instanceof SteerError ? new InvalidArgumentError(error.message) : error;
  }
}
