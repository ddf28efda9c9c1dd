// Does a game's tavern keep up? Forty sessions with the characters of examples/tavern, each told a line every five seconds and now and then an event,
// over HTTP against a server of the shipped models. How long until the first sentence and until the whole line, and do all of them come?
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { randomStream } from '../src/random.ts';
import { median, percentile, recordSection, table } from './results.ts';
import { type Serving, startServing } from './serving.ts';

const periodS = 5;
const lines = [
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

interface Told {
  /** ms from the request to the first sentence and to the line. */
  firstMs: number;
  lineMs: number;
  tokens: number;
  fallback: boolean;
  /** Prompts that the line was mixed from. */
  mixed: number;
}

/** Figures of one load. */
interface Scene {
  sessions: number;
  told: Told[];
  failures: string[];
  eventMs: number[];
}

async function call(url: string, path: string, body: object): Promise<{ id: string }> {
  const reply = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return (await reply.json()) as { id: string };
}

/** Paths of fresh sessions, warmed up, spread over the characters. */
async function openSessions({ url }: Serving, count: number): Promise<string[]> {
  const characters = JSON.parse(await readFile('examples/tavern/characters.json', 'utf8')) as { id: string }[];
  const ids = await Promise.all(characters.map(async ({ id: _, ...character }) => (await call(url, '/v1/npcs', character)).id));
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

/** Players at random places within the period, as they would be, for so many seconds. */
async function play({ url }: Serving, sessions: string[], seconds: number): Promise<Scene> {
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
          if (random() < 0.3) {
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

type Levels = Record<string, number>;
interface Line {
  action?: string;
  steering: { applied: Levels; measured: Record<string, { value: number }> };
}

/** What each character of the tavern shows, before and after it is insulted: levels applied, and what the predictor reads, means over sessions. */
async function temper({ url }: Serving): Promise<string> {
  const characters = JSON.parse(await readFile('examples/tavern/characters.json', 'utf8')) as { id: string; name: string }[];
  const shown = ['toxicity', 'helpfulness', 'humor', 'verbosity'];
  const rows: string[][] = [];
  for (const { id: _, ...character } of characters) {
    const { id } = await call(url, '/v1/npcs', character);
    const before: Line[] = [];
    const after: Line[] = [];
    for (const [seed, text] of [...lines, ...lines].entries()) {
      for (const insulted of [false, true]) {
        const session = await call(url, `/v1/npcs/${id}/sessions`, { player_id: 'ann', seed, relationship: 0, at: 0 });
        const path = `/v1/npcs/${id}/sessions/${session.id}`;
        if (insulted) await call(url, `${path}/events`, { type: 'player.insulted', at: 1 });
        const line = (await call(url, `${path}/say`, { text, at: 1, measure: true })) as unknown as Line;
        (insulted ? after : before).push(line);
      }
    }
    const mean = (said: Line[], level: (line: Line) => number) => said.reduce((sum, line) => sum + level(line), 0) / said.length;
    const cell = (name: string) => {
      const [was, is] = [before, after].map((said) => [
        mean(said, ({ steering }) => steering.applied[name]!).toFixed(2),
        mean(said, ({ steering }) => steering.measured[name]!.value).toFixed(2),
      ]);
      return `${was![0]} → ${is![0]} · ${was![1]} → ${is![1]}`;
    };
    rows.push([character.name, ...shown.map(cell)]);
  }
  return table(['character', ...shown], rows);
}

const actions = [
  { name: 'pour_ale', when: 'the player asks for a drink' },
  { name: 'point_the_way', when: 'the player asks for the way' },
  { name: 'say_goodbye', when: 'the player leaves' },
];
/** Lines, by the action a person would choose. */
const occasions: Record<string, string[]> = {
  pour_ale: [
    'I would like an ale.',
    'Can I have something to drink?',
    'One ale, please.',
    'A drink, quickly!',
    'What do you have to drink?',
  ],
  point_the_way: [
    ...['Where is the market?', 'How do I get to the mill?', 'Can you tell me the way to the temple?'],
    ...['Which way is the harbour?', 'I am lost. Where is the gate?'],
  ],
  say_goodbye: ['Goodbye.', 'I must go now. Farewell.', 'See you tomorrow.', 'I am leaving.', 'Good night.'],
  none: ['Tell me a joke.', 'Who are you?', 'How are you today?', 'What is your secret?', 'Have you heard any rumours?'],
};
const seeds = [1, 2, 3, 4];

/** How often the action of a line is the one a person would choose, by that action. */
async function act({ url }: Serving): Promise<string> {
  const persona = 'You are Marta, an innkeeper at the Gilded Goose in Fallowmere. Mood: cheerful.';
  const { id } = await call(url, '/v1/npcs', { name: 'Marta', persona, actions });
  const names = Object.keys(occasions);
  const rows: string[][] = [];
  for (const [wanted, texts] of Object.entries(occasions)) {
    const chosen = new Map<string, number>();
    for (const seed of seeds) {
      for (const text of texts) {
        const session = await call(url, `/v1/npcs/${id}/sessions`, { player_id: 'ann', seed });
        const line = (await call(url, `/v1/npcs/${id}/sessions/${session.id}/say`, { text })) as { action?: string };
        const action = line.action ?? 'none';
        chosen.set(action, (chosen.get(action) ?? 0) + 1);
      }
    }
    rows.push([wanted, ...names.map((name) => `${chosen.get(name) ?? 0}`)]);
  }
  return table(['a person would', ...names.map((name) => `it does: ${name}`)], rows);
}

const ms = (values: number[], percent: number) => percentile(values, percent).toFixed(0);

function row({ sessions, told, failures, eventMs }: Scene): string[] {
  const first = told.map(({ firstMs }) => firstMs);
  const whole = told.map(({ lineMs }) => lineMs);
  return [
    `${sessions}`,
    `${told.length}`,
    `${failures.length + told.filter(({ fallback }) => fallback).length}`,
    `${ms(first, 50)} / ${ms(first, 99)} / ${ms(first, 100)}`,
    `${ms(whole, 50)} / ${ms(whole, 99)}`,
    `${ms(eventMs, 50)} / ${ms(eventMs, 99)}`,
    `${median(told.map(({ tokens }) => tokens)).toFixed(0)}`,
    (told.reduce((sum, { mixed }) => sum + mixed, 0) / told.length).toFixed(1),
  ];
}

/** `--seconds` of each load; `--quick` for twenty. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '120' }, quick: { type: 'boolean', default: false } },
  });
  const seconds = values.quick ? 20 : Number(values.seconds);
  const dataDir = await mkdtemp(join(tmpdir(), 'steer-npcs-'));
  const rows: string[][] = [];
  let acted = '';
  let tempers = '';
  const serving = await startServing(dataDir);
  try {
    acted = await act(serving);
    tempers = await temper(serving);
    for (const count of [1, 40, 100]) {
      const scene = await play(serving, await openSessions(serving, count), seconds);
      for (const failure of new Set(scene.failures)) process.stdout.write(`${failure}\n`);
      rows.push(row(scene));
      process.stdout.write(`${rows.at(-1)!.join(' · ')}\n`);
    }
  } finally {
    await serving.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
  const head = [
    ...['sessions', 'lines', 'failed', 'first sentence ms, p50 / p99 / most', 'whole line ms, p50 / p99', 'event ms, p50 / p99'],
    ...['tokens a line', 'prompts mixed for a line'],
  ];
  const intro = `Characters of examples/tavern on the shipped model, one line a session every ${periodS} s for ${seconds} s, three turns in ten with an event before; the embedded database; client and server on one machine. Some of the time is that of the sentence itself: a reply is streamed by sentences, so no token comes before its first sentence is whole.`;
  const temperIntro = `Temper: what is applied before and after an insult · what the predictor reads in the lines, means over ${2 * lines.length} sessions.`;
  const actionsIntro = `Actions: ${seeds.length * 5} lines for each, chosen by a model that was never trained to.`;
  await recordSection('npcs', [intro, table(head, rows), temperIntro, tempers, actionsIntro, acted].join('\n\n'));
}
