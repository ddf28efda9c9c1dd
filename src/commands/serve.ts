// steer serve: the HTTP interface over the models of a folder, until it is told to stop.
import { once } from 'node:events';
import { Command } from 'commander';
import { createApp } from '../http/app.ts';
import { createLog } from '../http/log.ts';
import { listen } from '../http/server.ts';
import { ModelRegistry } from '../model-registry.ts';
import { openStore } from '../store/connect.ts';
import { migrateStore } from '../store/migrate.ts';
import type { Surroundings } from './surroundings.ts';

/** The command. */
export function serveCommand(surroundings: Surroundings): Command {
  return new Command('serve')
    .summary('serve the models over HTTP')
    .description(
      'Serves the models over HTTP with the OpenAI protocol. Settings are environment variables: HOST (127.0.0.1), PORT (8080), MODELS_DIR (models),\n' +
        'DATA_DIR (data), DATABASE_URL, STEER_API_KEY, LOG_LEVEL (info), MAX_BODY_BYTES, MAX_SCORED_TURNS.',
    )
    .addHelpText('after', '\nExample:\n  PORT=9000 steer serve')
    .action(() => serve(surroundings));
}

async function serve({ config: read, signal }: Surroundings): Promise<void> {
  const config = read();
  const log = createLog(config.logLevel);
  const store = await openStore({ databaseUrl: config.databaseUrl, dataDir: config.dataDir });
  try {
    await migrateStore(store.db);
    const onBroken = (folder: string, reason: string) => log.warn({ folder, reason }, 'model passed over');
    const models = await ModelRegistry.open(config.modelsDir, { onBroken });
    const server = await listen(createApp({ models, config, log, db: store.db }), config);
    try {
      log.info({ url: server.url, models: models.list().map(({ id }) => id) }, `listening on ${server.url}`);
      await models.warmUp();
      log.info('ready');
      if (!signal.aborted) await once(signal, 'abort');
      log.info('stopping');
    } finally {
      await server.close();
      await models.dispose();
    }
  } finally {
    await store.close();
  }
}
