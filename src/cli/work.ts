// steer work: works on the jobs of a Postgres that servers and other workers share, until it is told to stop.
import { once } from 'node:events';
import { Command } from 'commander';
import { SteerError } from '../errors.ts';
import { createLog } from '../http/log.ts';
import { openRuntime } from '../runtime.ts';
import type { Surroundings } from './surroundings.ts';

/** The command. */
export function workCommand(surroundings: Surroundings): Command {
  return new Command('work')
    .summary('work on the jobs of a shared Postgres')
    .description(
      'Works on labelling, batch and fine-tuning jobs beside a server, on this machine or another: any number of workers may share one Postgres.\n' +
        'Settings are environment variables: DATABASE_URL (needed), MODELS_DIR (models) and DATA_DIR (data), which all machines must share for fine-tuning,\n' +
        'JOB_LEASE_MS (15000) and LOG_LEVEL (info).',
    )
    .addHelpText('after', '\nExample:\n  DATABASE_URL=postgres://steer@db/steer steer work')
    .action(() => work(surroundings));
}

async function work({ config: read, signal }: Surroundings): Promise<void> {
  const config = read();
  if (config.databaseUrl === undefined) {
    throw new SteerError(
      'invalid_config',
      'DATABASE_URL: expected the Postgres that the server uses. An embedded database belongs to one process, and steer serve works on its jobs itself.',
    );
  }
  const log = createLog(config.logLevel);
  const runtime = await openRuntime(config, log);
  try {
    runtime.work();
    log.info('working');
    if (!signal.aborted) await once(signal, 'abort');
    log.info('stopping');
  } finally {
    await runtime.close();
  }
}
