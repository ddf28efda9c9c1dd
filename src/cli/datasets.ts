// steer datasets: what is in the database.
import { Command } from 'commander';
import { listDatasets } from '../datasets/samples.ts';
import { type Surroundings, say } from './surroundings.ts';
import { formatTable } from './table.ts';
import { withStore } from './with-store.ts';

/** The command. */
export function datasetsCommand({ config }: Surroundings): Command {
  return new Command('datasets')
    .summary('list the datasets')
    .description('Lists the datasets of the database, oldest first.')
    .addHelpText('after', '\nExample:\n  steer datasets')
    .action(async () => {
      const all = await withStore(config(), listDatasets);
      if (all.length === 0) return say('There are no datasets yet. Import one: steer import --help');
      const rows = all.map(({ name, version, format, sampleCount, conversationCount, schema, createdAt }) => {
        const counts = [String(sampleCount), String(conversationCount)];
        const attributes = schema?.attributes.map((attribute) => attribute.name).join(', ') ?? '–';
        return [name, String(version), format, ...counts, attributes, createdAt.toISOString().slice(0, 10)];
      });
      say(formatTable(['dataset', 'version', 'format', 'samples', 'conversations', 'attributes', 'imported'], rows));
    });
}
