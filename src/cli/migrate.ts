// steer migrate: the database brought to the newest schema. Every other command does so by itself; this one does nothing else.
import { Command } from 'commander';
import { counted } from '../number-text.ts';
import { openStore } from '../store/connect.ts';
import { migrateStore } from '../store/migrate.ts';
import { type Surroundings, say } from './surroundings.ts';

/** The command. */
export function migrateCommand({ config }: Surroundings): Command {
  return new Command('migrate')
    .summary('bring the database to the newest schema')
    .description('Applies the migrations the database lacks: those of DATABASE_URL, or of the embedded one under DATA_DIR.')
    .addHelpText('after', '\nExample:\n  DATABASE_URL=postgres://steer:secret@localhost/steer steer migrate')
    .action(async () => {
      const { databaseUrl, dataDir } = config();
      const store = await openStore({ databaseUrl, dataDir });
      try {
        const applied = await migrateStore(store.db);
        say(applied === 0 ? 'The database is up to date.' : `Applied ${counted(applied, 'migration')}.`);
      } finally {
        await store.close();
      }
    });
}
