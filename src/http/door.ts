// What every route is handed: models, settings, log and database; and what one request carries on its way through.
import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { SteerError } from '../errors.ts';
import type { Db } from '../store/connect.ts';
import type { Models } from './served-models.ts';

export interface Door {
  models: Models;
  config: Config;
  log: Logger;
  /** Where finished replies are kept; absent means nowhere. */
  db?: Db;
}

export interface DoorEnv {
  Variables: {
    requestId: string;
    /** Aborted when the caller goes away, streaming or not. */
    abort: AbortController;
    /** Set by a streamed reply: settles when it is over, with the failure that cut it short if one did. */
    streamed?: Promise<SteerError | undefined>;
  };
}

export type DoorContext = Context<DoorEnv>;
