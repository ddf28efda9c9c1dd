// steer serve: the HTTP interface over the models of a folder, and the work on its jobs, until it is told to stop.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { SteerError } from '../errors.ts';
import { createLog } from '../http/log.ts';
import { listen } from '../http/server.ts';
import { openRuntime, type Runtime } from '../runtime.ts';
import { startLean } from './lean-start.ts';
import type { Surroundings } from './surroundings.ts';

/** Between two attempts to reach the upstream of a default model. */
const upstreamWaitMs = 2_000;

/** The command. */
export function serveCommand(surroundings: Surroundings): Command {
  return new Command('serve')
    .summary('serve the models over HTTP')
    .description(
      'Serves the models over HTTP with the OpenAI protocol and works on labelling, batch and fine-tuning jobs. Settings are environment variables:\n' +
        'HOST (127.0.0.1), PORT (8080), ALLOWED_HOSTS and ALLOWED_ORIGINS (below), MODELS_DIR (models), DATA_DIR (data), DATABASE_URL,\n' +
        'STEER_API_KEY, UPSTREAM_API_KEY,\n' +
        'EXECUTION_PROVIDER (auto), MODEL_PRECISION (auto), MAX_CACHE_BYTES, MAX_PREFIX_BYTES, MAX_PACKED_BYTES, MAX_SEQUENCES, MAX_WAITING,\n' +
        'ALLOW_PULL, LOG_LEVEL (info), MAX_BODY_BYTES, MAX_FILE_BYTES, MAX_UNPACKED_BYTES, MAX_SCORED_TURNS, JOB_LEASE_MS,\n' +
        'SHUTDOWN_GRACE_MS (10000).',
    )
    .option('--no-work', 'leave jobs to `steer work` processes on the same Postgres')
    .addHelpText(
      'after',
      '\nALLOW_PULL=1 lets callers with the key have models fetched (POST /v1/models/pull); without a key that is allowed, unless ALLOW_PULL=0.' +
        '\nALLOWED_HOSTS lists names the server answers to beside localhost, as in steer.lan,192.168.0.4. Without STEER_API_KEY any other name is\n' +
        'refused, so that no web page can reach the server under a name of its own; with a key, only where names are listed.\n' +
        'ALLOWED_ORIGINS lists pages of other origins that may ask, as in https://game.example,http://localhost:*; all others are refused.\n' +
        'From those listed, browsers may use the routes that the token of a player opens.\n' +
        '\nExample:\n  PORT=9000 steer serve',
    )
    .action((options: { work: boolean }) => serve(surroundings, options.work));
}

async function serve({ config: read, signal }: Surroundings, works: boolean): Promise<void> {
  const config = read();
  const endLean = startLean();
  const log = createLog(config.logLevel);
  const runtime = await openRuntime(config, log);
  try {
    const { app, models } = runtime;
    const server = await listen(app, config);
    const closed = (signal.aborted ? Promise.resolve() : once(signal, 'abort')).then(async () => {
      log.info({ graceMs: config.shutdownGraceMs }, 'stopping');
      await server.close(config.shutdownGraceMs);
    });
    try {
      log.info({ url: server.url, models: models.list().map(({ id }) => id) }, `listening on ${server.url}`);
      await warmUp(models, log, signal, endLean);
      if (works && !signal.aborted) runtime.work();
      if (!signal.aborted) tellReady(log, models);
      await closed;
    } catch (error) {
      await server.close(0);
      throw error;
    }
  } finally {
    await runtime.close();
  }
}

/** With what the card of the default model says of it, so that nobody takes a demonstration for more. */
function tellReady(log: ReturnType<typeof createLog>, models: Runtime['models']): void {
  const model = models.list().find(({ aliases }) => aliases.includes('default'));
  if (model?.description) log.info({ model: model.id }, model.description);
  log.info('ready');
}

/** Loads the default models; `tried` is called after the first attempt. Where one runs on an upstream that is not up yet, /health/ready says so until it is. */
async function warmUp(
  models: Runtime['models'],
  log: ReturnType<typeof createLog>,
  signal: AbortSignal,
  tried: () => void,
): Promise<void> {
  for (let first = true; !signal.aborted; first = false) {
    try {
      return await models.warmUp().finally(first ? tried : undefined);
    } catch (error) {
      if (!(error instanceof SteerError && error.code === 'not_ready')) throw error;
      log.warn(`${error.message} Trying again.`);
    }
    await sleep(upstreamWaitMs, undefined, { signal }).catch(() => {});
  }
}
