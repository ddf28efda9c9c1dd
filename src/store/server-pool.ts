// Connections to a Postgres server, each used by one statement or one transaction at a time and thrown away once it broke. The driver's own pool is
// not used: after a lost connection it may write to a closed socket, which ends the process, and run the rest of a transaction that died outside of
// it (porsager/postgres, issues 1208 and 1216).
import { isConnectionLost } from './interruption.ts';

/** A statement of the driver: awaited for rows as objects, or asked for arrays of values. */
interface Statement extends PromiseLike<unknown> {
  values(): PromiseLike<unknown>;
}

/** One connection as the driver gives it. */
export interface Line {
  unsafe(query: string, parameters: never[]): Statement;
  end(options: { timeout: number }): Promise<void>;
}

/** What Drizzle asks of its driver. */
export interface Statements {
  unsafe(query: string, parameters?: unknown[]): Statement;
}
export interface ServerPool extends Statements {
  /** Runs `act` in a transaction of its own. */
  begin<T>(act: (statements: Statements) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const closeS = 5;
const connectMs = 10_000;

/** A pool of at most `size` connections; `open` makes one, connected when first used, that calls back when it closes. */
export function createServerPool(open: (onClose: () => void) => Line, size: number): ServerPool {
  const idle: Connection[] = [];
  const all = new Set<Connection>();
  const waiting: (() => void)[] = [];
  let closing = false;

  const take = async (): Promise<Connection> => {
    for (;;) {
      if (closing) throw closed('The database was closed.');
      const known = idle.pop();
      if (known && !known.broken) return known;
      if (known) continue;
      if (all.size < size) {
        const made = new Connection(open, () => void all.delete(made));
        all.add(made);
        return await made.connect().catch((error) => {
          give(made);
          throw error;
        });
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  const give = (connection: Connection): void => {
    if (!connection.broken) idle.push(connection);
    waiting.shift()?.();
  };
  const use = async <T>(act: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = await take();
    try {
      return await act(connection);
    } finally {
      give(connection);
    }
  };
  return {
    unsafe: (query, parameters) => lazily((asValues) => use((connection) => connection.run(query, parameters, asValues))),
    begin: (act) => use((connection) => inTransaction(connection, act)),
    close: async () => {
      closing = true;
      for (const resume of waiting.splice(0)) resume();
      await Promise.all([...all].map((connection) => connection.end(closeS)));
    },
  };
}

async function inTransaction<T>(connection: Connection, act: (statements: Statements) => Promise<T>): Promise<T> {
  let over = false;
  let failure: unknown;
  const run = async (query: string, parameters: unknown[] | undefined, asValues: boolean) => {
    if (over) throw new Error('A statement came after the end of its transaction.');
    try {
      return await connection.run(query, parameters, asValues);
    } catch (error) {
      failure ??= error;
      throw error;
    }
  };
  await connection.run('begin');
  try {
    const result = await act({ unsafe: (query, parameters) => lazily((asValues) => run(query, parameters, asValues)) });
    // Postgres would answer the commit of a failed transaction with a rollback and no complaint.
    if (failure !== undefined) throw failure;
    over = true;
    await connection.run('commit');
    return result;
  } catch (error) {
    over = true;
    if (!connection.broken) await connection.run('rollback').catch(() => connection.break());
    throw error;
  }
}

/** A statement that runs when it is awaited. */
function lazily(run: (asValues: boolean) => Promise<unknown>): Statement {
  return {
    values: () => run(true),
    // biome-ignore lint/suspicious/noThenProperty: drivers give statements to be awaited
    then: (onResult, onFailure) => run(false).then(onResult, onFailure),
  };
}

/** One connection, thrown away once it broke. `open` makes it, connected when first used; `onBreak` is called once. */
export class Connection {
  readonly #line: Line;
  readonly #onBreak: () => void;
  readonly #pending = new Set<(reason: Error) => void>();
  #broken = false;

  constructor(open: (onClose: () => void) => Line, onBreak: () => void) {
    this.#onBreak = onBreak;
    this.#line = open(() => this.break());
  }

  /** Closed, or in a state nobody knows: not to be used again. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Connects. Whoever takes connections and drops them again, such as a proxy without a server behind it, is not tried for ever. */
  async connect(): Promise<this> {
    const deadline = setTimeout(() => this.break(), connectMs);
    await this.run('select 1').finally(() => clearTimeout(deadline));
    return this;
  }

  /** Result of one statement. Fails with the connection, also where the driver would wait for ever. */
  async run(query: string, parameters: unknown[] = [], asValues = false): Promise<unknown> {
    if (this.#broken) throw closed('The connection to the database was lost.');
    let fail: (reason: Error) => void = () => {};
    const broke = new Promise<never>((_, reject) => (fail = reject));
    this.#pending.add(fail);
    try {
      const statement = this.#line.unsafe(query, parameters as never[]);
      return await Promise.race([asValues ? statement.values() : statement, broke]);
    } catch (error) {
      if (isConnectionLost(error)) this.break();
      throw error;
    } finally {
      this.#pending.delete(fail);
    }
  }

  break(): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#onBreak();
    // After this turn: a failure of the driver's own says more.
    setImmediate(() => {
      for (const reject of this.#pending) reject(closed('The connection to the database was lost.'));
    });
    void this.#line.end({ timeout: 0 }).catch(() => {});
  }

  async end(timeout: number): Promise<void> {
    await this.#line.end({ timeout });
  }
}

function closed(message: string): Error {
  return Object.assign(new Error(message), { code: 'CONNECTION_CLOSED' });
}
