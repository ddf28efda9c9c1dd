// Players of a game who each say a line to their character every five seconds, over HTTP: what bench/npcs and bench/real-speed load a server with.
import { setTimeout as sleep } from 'node:timers/promises';
import { randomStream } from '../src/random.ts';
import type { Serving } from './serving.ts';

/** Between two lines of a session. */
export const periodS = 5;
export const lines = [
  ...[
    'Hello there.',
    'Where is the market?',
    'Have you heard any rumours?',
    'Who are you?',
    'Can you help me?',
    'What do you sell?',
  ],
  ...[
    'Is there any work for me?',
    'Tell me a joke.',
    'How are you today?',
    'What is your secret?',
    'I need a place to sleep.',
    'Goodbye.',
  ],
];
const events = ['player.insulted', 'player.apologised', 'player.paid', 'brawl.started'];

export interface Told {
  /** ms from the request to the first sentence and to the line. */
  firstMs: number;
  lineMs: number;
  tokens: number;
  fallback: boolean;
  /** Prompts that the line was mixed from. */
  mixed: number;
}

/** Figures of one load. */
export interface Scene {
  sessions: number;
  told: Told[];
  failures: string[];
  eventMs: number[];
}

export async function call(url: string, path: string, body: object): Promise<{ id: string }> {
  const reply = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return (await reply.json()) as { id: string };
}

/** Paths of fresh sessions, warmed up, spread over the characters. */
export async function openSessions({ url }: Serving, characters: readonly object[], count: number): Promise<string[]> {
  const ids = await Promise.all(characters.map(async (character) => (await call(url, '/v1/npcs', character)).id));
  return await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const sessions = `/v1/npcs/${ids[i % ids.length]}/sessions`;
      const { id } = await call(url, sessions, { player_id: `player-${i}`, player_name: 'Ann', seed: i });
      await call(url, `${sessions}/${id}/warm`, {});
      return `${sessions}/${id}`;
    }),
  );
}

async function tell(url: string, session: string, text: string): Promise<Told> {
  const begun = performance.now();
  const headers = { 'content-type': 'application/json', accept: 'application/x-ndjson' };
  const body = JSON.stringify({ text, stream: true });
  const reply = await fetch(`${url}${session}/say`, { method: 'POST', headers, body });
  if (!reply.ok) throw new Error(`${reply.status} ${await reply.text()}`);
  let firstMs = 0;
  let held = '';
  for await (const chunk of reply.body!.pipeThrough(new TextDecoderStream())) {
    if (firstMs === 0) firstMs = performance.now() - begun;
    held += chunk;
  }
  const last = JSON.parse(held.trim().split('\n').at(-1)!);
  if (last.object !== 'npc.line') throw new Error(held);
  const { applied } = last.steering as { applied: Record<string, number> };
  const parts = new Set(Object.values(applied).map((value) => value % 1));
  return {
    ...{ firstMs, lineMs: performance.now() - begun, tokens: last.usage.completion_tokens, fallback: last.fallback },
    mixed: 1 + [...parts].filter((part) => part > 0).length,
  };
}

/** Players at random places within the period, as they would be, for so many seconds; before that share of their lines something happens. */
export async function play({ url }: Serving, sessions: string[], seconds: number, eventShare: number): Promise<Scene> {
  const scene: Scene = { sessions: sessions.length, told: [], failures: [], eventMs: [] };
  const begun = performance.now();
  await Promise.all(
    sessions.map(async (session, i) => {
      const random = randomStream('player', i);
      const offset = random() * periodS;
      for (let turn = 0; offset + turn * periodS < seconds; turn++) {
        const wait = begun + 1000 * (offset + turn * periodS) - performance.now();
        if (wait > 0) await sleep(wait);
        try {
          if (random() < eventShare) {
            const eventBegun = performance.now();
            const type = events[Math.floor(random() * events.length)];
            await call(url, `${session}/events`, { type, ...(type === 'player.paid' ? { data: { coins: 3 } } : {}) });
            scene.eventMs.push(performance.now() - eventBegun);
          }
          scene.told.push(await tell(url, session, lines[Math.floor(random() * lines.length)]!));
        } catch (error) {
          scene.failures.push(String(error));
        }
      }
    }),
  );
  return scene;
}
