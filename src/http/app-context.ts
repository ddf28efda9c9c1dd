// What every route is handed: models, settings, log and database; and what one request carries on its way through.
import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { SteerError } from '../errors.ts';
import type { Priority } from '../generation/language-model.ts';
import type { Admission } from '../npc/client-tokens.ts';
import type { Models } from '../registry/models.ts';
import type { Db, Store, Tx } from '../store/connect.ts';

export interface AppContext {
  models: Models;
  config: Config;
  log: Logger;
  /** Where replies, files, datasets and jobs are kept; absent means nowhere. */
  db?: Db;
  /** Hears of what other processes change in the database. */
  listen?: Store['listen'];
}

/** The database of a route that cannot do without. Throws `database_unavailable`. */
export function databaseOf({ db }: AppContext): Db {
  if (db) return db;
  throw new SteerError('database_unavailable', 'This server keeps no database. Start it with DATA_DIR or DATABASE_URL.');
}

/** How a server that is told to stop lets its requests know. */
export interface Stopping {
  /** Aborted when the server begins to stop. */
  readonly begun: AbortSignal;
  /** Aborted when what is still being answered must end. */
  readonly graceOver: AbortSignal;
}

export interface AppEnv {
  /** Given by an asker from within; a request over the wire comes with its address alone. */
  Bindings: {
    /** Takes what is left to do to remember a completion: the asker does it in the transaction that stores what it makes of the reply. */
    remember?: (keep: (tx: Tx) => Promise<void>) => void;
    /** Requests of batches wait behind those of people. */
    priority?: Priority;
    /** Of the connection: what `listen` knows of a request over the wire. */
    address?: string | undefined;
    /** Given by the server that a request came to: how to hear that it stops, and why it gave this request up, where it did. */
    stopping?: Stopping;
    givenUp?: () => SteerError | undefined;
    /** Set where the connection becomes a socket if the route grants one. */
    mayUpgrade?: boolean;
  };
  Variables: {
    requestId: string;
    /** Aborted when the caller goes away, streaming or not. */
    abort: AbortController;
    /** Whose turn a request takes at an engine. */
    caller?: string;
    /** Set where a player's token was shown in place of the server's key. */
    token?: Admission;
    /** Set by a streamed reply: settles when it is over, with the failure that cut it short if one did. */
    streamed?: Promise<SteerError | undefined>;
  };
}

export type RequestContext = Context<AppEnv>;
