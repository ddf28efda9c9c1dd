// Notices of what changed in the database, from any process that uses it: NOTIFY and LISTEN of Postgres. A notice says that it is time to look,
// never what is true: it may come twice or not at all, so whoever listens also looks by itself now and then.
import { type SQL, sql } from 'drizzle-orm';
import type { Connection } from './server-pool.ts';

/** Jobs that wait, names of models, and sessions with characters that are gone. */
export const channels = ['steer_jobs', 'steer_aliases', 'steer_npc_sessions'] as const;
export type Channel = (typeof channels)[number];

/** Gives notice when the transaction it stands in commits. */
export async function giveNotice(db: { execute(statement: SQL): PromiseLike<unknown> }, channel: Channel): Promise<void> {
  await db.execute(sql`select pg_notify(${channel}, '')`);
}

/** Who is to be told of what. */
export class Listeners {
  readonly #heard = new Map<Channel, Set<() => void>>(channels.map((channel) => [channel, new Set()]));

  /** Calls `onNotice` until the returned function is called. */
  add(channel: Channel, onNotice: () => void): () => void {
    const heard = this.#heard.get(channel)!;
    const own = () => onNotice();
    heard.add(own);
    return () => void heard.delete(own);
  }

  tell(channel: string): void {
    for (const onNotice of this.#heard.get(channel as Channel) ?? []) onNotice();
  }

  /** After a time in which notices may have been missed. */
  tellAll(): void {
    for (const channel of channels) this.tell(channel);
  }
}

/** Between two attempts to listen again; listeners look by themselves meanwhile. */
const reconnectMs = 500;

/** Keeps one connection of a server listening; one that is lost is replaced. `open` makes it, told where notices go and what to call when it breaks. */
export function keepListening(
  listeners: Listeners,
  open: (onNotice: (channel: string) => void, onBreak: () => void) => Connection,
): { close(): Promise<void> } {
  let current: Connection | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const connect = async (): Promise<void> => {
    const own = open((channel) => listeners.tell(channel), again);
    current = own;
    try {
      await own.connect();
      for (const channel of channels) await own.run(`listen ${channel}`);
      listeners.tellAll();
    } catch {
      own.break();
    }
  };
  const again = (): void => {
    if (!closed) timer = setTimeout(() => void connect(), reconnectMs).unref();
  };
  void connect();
  return {
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await current?.end(0);
    },
  };
}
