// Does a game's tavern keep up? Forty sessions with the characters of examples/tavern, each told a line every five seconds and now and then an event,
// over HTTP against a server of the shipped models. How long until the first sentence and until the whole line, and do all of them come?
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { call, lines, openSessions, periodS, play, type Scene } from './npc-load.ts';
import { median, percentile, recordSection, table } from './results.ts';
import { type Serving, startServing } from './serving.ts';

/** Of the turns, those with an event before. */
const eventShare = 0.3;

type Character = { id: string; name: string };

/** Those of the tavern, without their ids: the server gives them new ones. */
async function tavern(): Promise<Omit<Character, 'id'>[]> {
  const characters = JSON.parse(await readFile('examples/tavern/characters.json', 'utf8')) as Character[];
  return characters.map(({ id: _, ...character }) => character);
}

type Levels = Record<string, number>;
interface Line {
  action?: string;
  steering: { applied: Levels; measured: Record<string, { value: number }> };
}

/** What each character of the tavern shows, before and after it is insulted: levels applied, and what the predictor reads, means over sessions. */
async function temper({ url }: Serving): Promise<string> {
  const shown = ['toxicity', 'helpfulness', 'humor', 'verbosity'];
  const rows: string[][] = [];
  for (const character of await tavern()) {
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
      const scene = await play(serving, await openSessions(serving, await tavern(), count), seconds, eventShare);
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
