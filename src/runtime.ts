// What a process that serves or works consists of, put together once: database, models, application and, where wanted, a worker.
import { join } from 'node:path';
import type { Answer } from './batches/answering.ts';
import { batchJob } from './batches/batch-job.ts';
import { type Config, readKey } from './config.ts';
import { removeLeftovers as removeLeftoverVersions } from './datasets/unpublished.ts';
import { evaluationJob } from './evaluation/evaluation-job.ts';
import { removeLeftovers } from './files/files.ts';
import { finetuningJobs } from './finetuning/job.ts';
import { answerBy } from './http/answer.ts';
import { createApp } from './http/app.ts';
import type { AppContext } from './http/app-context.ts';
import type { JobDefinition } from './jobs/define.ts';
import { defaultWorkerSettings, startWorker, type WorkerSettings } from './jobs/worker.ts';
import { removeStrayPictures } from './npc/pictures.ts';
import { labellingJob } from './predictor/labelling-job.ts';
import { trainPredictor } from './predictor/train.ts';
import { closeToOthers } from './private-files.ts';
import { pullJob } from './pulling/pull-job.ts';
import { pulledFolder } from './pulling/pulled.ts';
import { ModelRegistry } from './registry/model-registry.ts';
import { engineOptions } from './registry/open.ts';
import { type Db, openStore } from './store/connect.ts';
import { migrateStore } from './store/migrate.ts';

export interface Runtime {
  app: ReturnType<typeof createApp>;
  models: ModelRegistry;
  db: Db;
  /** Begins to work on jobs of every kind. */
  work(): void;
  /** Gives jobs in hand back to the queue, unloads the models and closes the database. */
  close(): Promise<void>;
}

/** Opens everything, the database migrated. Throws `database_unavailable`, `invalid_config` or `invalid_model` with nothing left open. */
export async function openRuntime(config: Config, log: AppContext['log']): Promise<Runtime> {
  const opened: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of opened.splice(0).reverse()) await end();
  };
  try {
    const { databaseUrl, dataDir } = config;
    const store = await openStore({ databaseUrl, dataDir, onWait: (reason) => log.warn(reason) });
    opened.push(() => store.close());
    closeToOthers(join(dataDir, 'runs'));
    await migrateStore(store.db);
    await removeLeftovers(store.db);
    // Nobody waits for it; what it does not get to goes at a later start.
    void removeLeftoverVersions(store.db, store.exclusive).catch(() => {});
    await removeStrayPictures(store.db);
    const onBroken = (folder: string, reason: string) => log.warn({ folder, reason }, 'model passed over');
    const models = await ModelRegistry.open(config.modelsDir, {
      pulledDir: pulledFolder(dataDir),
      onBroken,
      store,
      provider: config.executionProvider,
      engine: config.engine,
      onExecution: (model, { reason }) => log.info({ model }, reason),
      onNote: (model, note) => log.warn({ model }, note),
      upstreamKey: config.upstreamApiKey,
      upstreamKeyOf: readKey,
      onUpstreamFault: (model, reason) => log.warn({ model, reason }, 'upstream fault'),
    });
    opened.push(() => models.dispose());
    // A batch is answered by the application.
    const definitions = jobDefinitions(models, config, (...asked) => answer(...asked));
    const app = createApp({ models, config, log, db: store.db, listen: store.listen });
    const answer = answerBy(app, config.apiKey);
    const work = () => {
      const worker = startWorker(store, definitions, log, settingsOf(config));
      opened.push(() => worker.stop());
    };
    return { app, models, db: store.db, work, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function jobDefinitions(models: ModelRegistry, config: Config, answer: Answer): JobDefinition[] {
  const { modelsDir, dataDir, limits, executionProvider: provider } = config;
  const { unpackedBytes } = limits;
  const finetuning = finetuningJobs({ models, modelsDir, dataDir, unpackedBytes, provider, trainPredictor });
  const evaluation = evaluationJob({ models, threads: engineOptions.threads });
  const pulling = pullJob({ pulledDir: pulledFolder(dataDir), modelsDir, hub: config.hub }, models);
  return [labellingJob(models), batchJob(answer), evaluation, pulling, ...finetuning];
}

/** Several heartbeats fit into a lease, so that one lost on the way costs nothing. */
function settingsOf({ jobLeaseMs }: Config): WorkerSettings {
  const { beatMs, sweepMs } = defaultWorkerSettings;
  return {
    ...defaultWorkerSettings,
    leaseMs: jobLeaseMs,
    beatMs: Math.min(beatMs, jobLeaseMs / 5),
    sweepMs: Math.min(sweepMs, jobLeaseMs / 2),
  };
}
