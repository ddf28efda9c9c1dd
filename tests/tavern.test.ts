// The tavern of examples/, played on the shipped models from the first event to the last line, as a person would type it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { createLog } from '../src/http/log.ts';
import { type Listening, listen } from '../src/http/server.ts';
import { inMemory } from '../src/in-memory.ts';
import { openRuntime, type Runtime } from '../src/runtime.ts';
import { writeTinyModel } from './tiny-model.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
let runtime: Runtime;
let server: Listening;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'steer-tavern-'));
  for (const name of readdirSync(`${root}models`)) symlinkSync(`${root}models/${name}`, join(folder, name));
  await writePlain(join(folder, 'plain'));
  runtime = await openRuntime(readConfig({ DATA_DIR: inMemory, MODELS_DIR: folder }), createLog('silent'));
  server = await listen(runtime.app, { host: '127.0.0.1', port: 0 });
}, 60_000);
afterAll(async () => {
  await server.close(0);
  await runtime.close();
  rmSync(folder, { recursive: true });
});

/** A model that nobody trained on labels, as one is pulled. */
async function writePlain(at: string): Promise<void> {
  await writeTinyModel(at, { kind: 'base', name: 'plain', contextLength: 8192 });
  rmSync(join(at, 'steerlm.json'));
  const path = join(at, 'tokenizer_config.json');
  const template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}";
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), chat_template: template }));
}

/** What the tavern prints for what is typed. A line has all the time it needs, however slow the machine. */
async function play(player: string, typed: string[], more: string[] = []): Promise<string[]> {
  const args = [
    'examples/tavern/tavern.mjs',
    '--url',
    server.url,
    '--player',
    player,
    '--seed',
    '11',
    '--max-ms',
    '60000',
    ...more,
  ];
  const tavern = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  tavern.stdin.end(`${typed.join('\n')}\n`);
  let said = '';
  tavern.stdout.on('data', (data) => {
    said += data;
  });
  const [code] = await once(tavern, 'exit');
  expect(code, said).toBe(0);
  return said.trimEnd().split('\n');
}

const evening = [
  ...[
    'Hello there!',
    '/save',
    'Where is the market?',
    '/insult',
    'Where is the market?',
    '/mood',
    '/load',
    'Where is the market?',
  ],
  ...[
    '/pay 3',
    '/up',
    '/go brom',
    'Can you mend my sword?',
    '/brawl',
    '/wait 600',
    '/apologise',
    '/go nobody',
    '/dance',
    '/go-home',
    '/load nothing',
    'Goodbye.',
    '/quit',
  ],
];

test('tempers change, are explained, and come back as they were', async () => {
  const lines = await play('Ann', evening);
  const of = (name: string) => lines.filter((line) => line.startsWith(`${name}: `));
  expect(of('Marta')[0]).toBe('Marta: Sit down, Ann, the fire is warm.');
  const [, , market, insulted, again] = of('Marta');
  expect(insulted).not.toBe(market);
  expect(again).toBe(market);
  expect(
    lines.some((line) => /^ {2}toxicity +2\.00 = 0\.00 \+ 0\.30 \(relationship\) \+ 2\.00 \(player\.insulted\) − /.test(line)),
  ).toBe(true);
  expect(of('Brom')[0]).toBe('Brom: What.');
  expect(of('Brom')).toHaveLength(3);
  for (const line of [...of('Marta'), ...of('Brom').slice(1)]) expect(line).toMatch(/^\w+: .*[.!?]/);
  expect(lines).toContain('  Nobody is called nobody. Here are marta, brom, ysolde.'.trimStart());
  const commands = /There are \/go, \/insult, .*\/save, \/load, .*\/quit$/;
  for (const none of ['dance', 'go-home']) {
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^ {2}There is no /${none}\\. ${commands.source}`)));
  }
  expect(lines).toContain('  Nothing is saved as nothing. There is unnamed.');
  expect(lines.some((line) => line.includes('Marta will remember'))).toBe(true);
}, 60_000);

test('what was saved comes back for everybody, by its name or as the last', async () => {
  const mood = ['/mood', '/go brom', '/mood', '/go marta'];
  const [none, early, late] = ['/load early', '/load', '/load EARLY'];
  const lines = await play('Cora', [
    ...[none, '/pay 1', '/save early', '/brawl', '/save late', '/insult', '/go brom', '/insult', '/go marta'],
    ...['/load early', ...mood, early, ...mood, late, '/help'],
  ]);
  expect(lines).toContain('  Nothing is saved as early. There is nothing yet.');
  expect(lines).toContain('  Nothing is saved as EARLY. There is early, late.');
  const [, first, second] = lines.join('\n').split('  as it was\n');
  expect(first).toContain('Marta at 1 s, relationship 0.20');
  expect(first).toContain('Brom at 1 s, relationship 0.00');
  expect(first).not.toContain('brawl');
  expect(second).toMatch(/Marta at 2 s.*\n(.*\n)*.*\(brawl\.started\)/);
  expect(second).toContain('Brom at 2 s');
  expect(second).not.toContain('insulted');
  expect(lines.at(-1)).toBe('  /help, /quit');
}, 60_000);

test('--help tells what can be set and typed, and every command is told there', async () => {
  const tavern = spawn(process.execPath, ['examples/tavern/tavern.mjs', '--help'], { cwd: root });
  const told = await text(tavern.stdout);
  for (const each of ['--url', '--key', '--player', '--seed', '--max-ms']) expect(told).toContain(`  ${each} `);
  const [listed] = (await play('Dan', ['/?'])).filter((line) => line.includes('There are'));
  for (const command of listed!.match(/\/[a-z]+/g)!) expect(told).toContain(command);
}, 60_000);

test('a model that nobody measured says its lines', async () => {
  const lines = await play('Eve', ['Hello there!', '/up', 'Where is the market?'], ['--model', 'plain']);
  expect(lines.filter((line) => line.startsWith('Marta: '))).toHaveLength(3);
  expect(lines.join('\n')).not.toMatch(/steering|predictor/);
}, 60_000);

test('the same evening gives the same lines', async () => {
  const first = await play('Bea', evening);
  expect(await play('Bea', evening)).toEqual(first);
}, 60_000);

test.each([
  ['where nobody listens', [], /^No server answers at http:\S+ \(ECONNREFUSED\)\. Start one with "npm start", or .*--url/],
  ['by an option there is none of', ['--foo'], /^Unknown option '--foo'/],
])(
  'started %s it says so in a line, and is over',
  async (_, more, message) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    taken.close();
    await once(taken, 'close');
    const args = ['examples/tavern/tavern.mjs', '--url', `http://127.0.0.1:${port}`, ...more];
    const tavern = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
    let told = '';
    tavern.stderr.on('data', (data) => {
      told += data;
    });
    const [code] = await once(tavern, 'close');
    expect([code, told.trimEnd().split('\n')]).toEqual([1, [expect.stringMatching(message)]]);
  },
  60_000,
);
