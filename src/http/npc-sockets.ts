// The open sockets of this server, by session: how many one session may have, and that none outlives it.
import { SteerError } from '../errors.ts';
import { sessionsAmong } from '../npc/session-rows.ts';
import { type AppContext, databaseOf } from './app-context.ts';
import type { Talk } from './npc-talk.ts';

/** Open sockets of one session: one player's, and a few of who looks on. */
const mostSockets = 16;
/** A client that has read nothing of an answer for so long gives its place to another, ms. */
const idleReaderMs = 3_000;

export class NpcSockets {
  readonly #context: AppContext;
  readonly #open = new Map<string, Set<Talk>>();
  /** While any is open. */
  #unlisten: (() => void) | undefined;
  #looking = false;
  #lookAgain = false;

  constructor(context: AppContext) {
    this.#context = context;
  }

  enter(sessionId: string, talk: Talk): void {
    const talks = (this.#open.get(sessionId) ?? new Set()).add(talk);
    this.#open.set(sessionId, talks);
    this.#unlisten ??= this.#context.listen?.('steer_npc_sessions', () => void this.#look());
    // Those that asked at once were all let in before the first had entered.
    if (talks.size > mostSockets) talk.endAsTooMany();
  }

  leave(sessionId: string, talk: Talk): void {
    const others = this.#open.get(sessionId);
    others?.delete(talk);
    if (others?.size === 0) this.#open.delete(sessionId);
    if (this.#open.size > 0) return;
    this.#unlisten?.();
    this.#unlisten = undefined;
  }

  /** Lets the socket go whose client has not read for longest, where there are too many. Throws `overloaded` where every client reads. */
  makeRoom(sessionId: string): void {
    const talks = this.#open.get(sessionId);
    if (!talks || talks.size < mostSockets) return;
    const [longest] = [...talks].toSorted((a, b) => b.unreadMs - a.unreadMs);
    if (longest!.unreadMs < idleReaderMs) {
      const message = `Expected at most ${mostSockets} sockets of one session. Close another first, or read what was sent to it.`;
      throw new SteerError('overloaded', message);
    }
    longest!.letGo();
  }

  /** Ends the sockets of sessions that are gone, be it another server that removed them. Many notices are looked into together. */
  async #look(): Promise<void> {
    this.#lookAgain = true;
    if (this.#looking) return;
    this.#looking = true;
    try {
      while (this.#lookAgain) {
        this.#lookAgain = false;
        const asked = [...this.#open.keys()];
        const left = await sessionsAmong(databaseOf(this.#context), asked);
        for (const id of asked) if (!left.has(id)) for (const talk of this.#open.get(id) ?? []) talk.endWithSession();
      }
    } catch {
      // Who sends something more is told by the answer, and whoever listens is told again when the database is back.
    } finally {
      this.#looking = false;
    }
  }
}
