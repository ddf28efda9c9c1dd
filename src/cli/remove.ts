// steer remove: a pulled model taken away, whole or half-pulled. What was not pulled is not touched.
import { Command } from 'commander';
import { pulledFolder, removePulled } from '../pulling/pulled.ts';
import { megabytes } from './progress.ts';
import { type Surroundings, say } from './surroundings.ts';

/** The command. */
export function removeCommand({ config }: Surroundings): Command {
  return new Command('remove')
    .summary('remove a pulled model')
    .description(
      'Removes a model that `steer pull` laid in DATA_DIR/models, or what is there of one that was not pulled to its end.',
    )
    .argument('<name>', 'as `steer models` lists it')
    .addHelpText('after', '\nExample:\n  steer remove smollm2-135m')
    .action(async (name: string) => {
      const { modelsDir, dataDir } = config();
      const bytes = await removePulled({ pulledDir: pulledFolder(dataDir), modelsDir }, name);
      say(`Removed ${name}; ${megabytes(bytes)} are free.`);
    });
}
