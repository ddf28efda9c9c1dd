// npm run bench -- exposed --before DIR [--rounds 3]: how a server holds that strangers can reach, beside the same of an older checkout in DIR. Runs
// the scenes of sockets, portraits, fairness and connections against both, one after the other, each in fresh processes; medians.
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { median, recordSection, table } from './results.ts';

interface Figure {
  /** A bench's name and its options, as on the command line. */
  scene: string;
  what: string;
  read: (json: never) => number;
}

type Live = { worstLiveMs: number; memoryGrowthMB: number };
type Sockets = { scenes: [Live, Live] };
type Portraits = { listMs: number; sessionStartMs: number; importLarge: Held; importMillionChunks: Held };
type Held = { longestHoldMs: number };
type Fairness = { chat: { lightFirstTokenMs: number[]; heavyAlone: { tokensPerS: number } } };
type Connections = { liveMs: { p50: number; p99: number }; repliesPerS: number; repliesTokensPerS: number };

const figures: Figure[] = [
  {
    scene: 'sockets',
    what: 'flood of 12,500 messages, read: worst /health/live, ms',
    read: (f: Sockets) => f.scenes[0].worstLiveMs,
  },
  { scene: 'sockets', what: '· memory grown by, MB', read: (f: Sockets) => f.scenes[0].memoryGrowthMB },
  {
    scene: 'sockets',
    what: 'flood of 50,000, never read: worst /health/live, ms',
    read: (f: Sockets) => f.scenes[1].worstLiveMs,
  },
  { scene: 'sockets', what: '· memory grown by, MB', read: (f: Sockets) => f.scenes[1].memoryGrowthMB },
  { scene: 'portraits', what: '24 characters with portraits: listing, ms', read: (f: Portraits) => f.listMs },
  { scene: 'portraits', what: '· beginning a session, ms', read: (f: Portraits) => f.sessionStartMs },
  { scene: 'portraits', what: 'importing a PNG of 15 MB: longest hold, ms', read: (f: Portraits) => f.importLarge.longestHoldMs },
  {
    scene: 'portraits',
    what: 'a PNG of a million empty chunks: longest hold, ms',
    read: (f: Portraits) => f.importMillionChunks.longestHoldMs,
  },
  {
    scene: 'fairness',
    what: 'four tokens beside 24 × 8 long replies: first token, ms',
    read: (f: Fairness) => f.chat.lightFirstTokenMs[0]!,
  },
  { scene: 'fairness', what: '· the 24 × 8 alone, tokens/s', read: (f: Fairness) => f.chat.heavyAlone.tokensPerS },
  {
    scene: 'connections',
    what: '200 callers: /health/live on a new connection, p99, ms',
    read: (f: Connections) => f.liveMs.p99,
  },
  { scene: 'connections', what: '· p50, ms', read: (f: Connections) => f.liveMs.p50 },
  { scene: 'connections', what: '· replies, tokens/s', read: (f: Connections) => f.repliesTokensPerS },
  {
    scene: 'connections --tokens 1',
    what: '200 callers of one-token replies: /health/live on a new connection, p99, ms',
    read: (f: Connections) => f.liveMs.p99,
  },
  { scene: 'connections --tokens 1', what: '· replies/s', read: (f: Connections) => f.repliesPerS },
];

export async function run(args: string[]): Promise<void> {
  const options = { before: { type: 'string' }, rounds: { type: 'string', default: '3' } } as const;
  const { before, rounds } = parseArgs({ args, options }).values;
  if (before === undefined)
    throw new Error('Expected --before DIR: a checkout of the commit to compare with, its packages installed.');
  const found = new Map<string, unknown[]>();
  for (let round = 0; round < Number(rounds); round++) {
    for (const scene of new Set(figures.map((figure) => figure.scene))) {
      for (const server of round % 2 === 0 ? [before, '.'] : ['.', before]) {
        const key = `${scene} ${server}`;
        found.set(key, [...(found.get(key) ?? []), play(scene, server)]);
      }
    }
  }
  const cell = ({ scene, read }: Figure, server: string) =>
    String(Math.round(median(found.get(`${scene} ${server}`)!.map((json) => read(json as never)))));
  const rows = figures.map((figure) => [figure.what, cell(figure, before), cell(figure, '.')]);
  const commit = execFileSync('git', ['-C', resolve(before), 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const intro = `Scenes of sockets, portraits, fairness and connections; ${rounds} rounds, alternating, medians; client and server on one machine.`;
  await recordSection('exposed', `${intro}\n\n${table(['scene', `before (${commit})`, 'now'], rows)}`);
}

/** What the scene's bench prints, from a process of its own. */
function play(scene: string, server: string): unknown {
  const printed = execFileSync(process.execPath, [process.argv[1]!, ...scene.split(' '), '--server', resolve(server)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(printed);
}
