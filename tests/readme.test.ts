// The first five minutes of each user, run as the README has them, on the shipped models.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { createLog } from '../src/http/log.ts';
import { type Listening, listen } from '../src/http/server.ts';
import { inMemory } from '../src/in-memory.ts';
import { openRuntime, type Runtime } from '../src/runtime.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const scratch = mkdtempSync(join(tmpdir(), 'steer-readme-'));
let runtime: Runtime;
let server: Listening;

beforeAll(async () => {
  runtime = await openRuntime(readConfig({ DATA_DIR: inMemory, MODELS_DIR: join(root, 'models') }), createLog('silent'));
  server = await listen(runtime.app, { host: '127.0.0.1', port: 0 });
  runtime.work();
}, 60_000);
afterAll(async () => {
  await server.close(0);
  await runtime.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** Blocks of a language in a section, in order, with the test's server in place of the usual one. */
function blocks(section: string, language: string): string[] {
  const [, text = ''] = readme.split(`## ${section}\n`);
  const [own = ''] = text.split(/^## /m);
  return [...own.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, block = '']) => {
    return block.replaceAll('http://127.0.0.1:8080', server.url).replaceAll('node examples/', `node ${root}examples/`);
  });
}

/** What the commands print; fails where one does. */
async function shell(script: string): Promise<string> {
  const running = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: scratch, maxBuffer: 2 ** 24 });
  running.child.stdin?.end();
  return (await running).stdout;
}

test('a REST caller', async () => {
  const [curl] = blocks('Five minutes as a REST caller', 'sh');
  const { choices } = JSON.parse(await shell(curl!));
  expect(choices[0].steering).toMatchObject({
    requested: { verbosity: 0, humor: 0 },
    measured: { verbosity: { value: expect.any(Number) } },
  });
  // Nothing says which reply it is to be, so it may be a little longer than asked for.
  expect(choices[0].steering.measured.verbosity.value).toBeLessThan(2);
  const [program] = blocks('Five minutes as a REST caller', 'js');
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program!], { cwd: root });
  expect(stdout).toMatch(/\w+[\s\S]*verbosity: 4/);
});

test('a game', async () => {
  const [tavern, byHand] = blocks('Five minutes as a game', 'sh');
  expect(await shell(tavern!.replace('tavern.mjs', `tavern.mjs --url ${server.url}`))).toContain('the fire is warm');
  const said = await shell(byHand!);
  const objects = said
    .replaceAll('}{', '}\n{')
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(objects.map(({ object }) => object)).toEqual(['npc', 'npc.line', 'npc.mood', 'npc.line', 'npc.mood']);
  expect([objects[1].steering.applied.toxicity, objects[3].steering.applied.toxicity]).toEqual([0, 2]);
  expect(objects[3].text).not.toBe(objects[1].text);
});

test('who labels', async () => {
  const [script] = blocks('Five minutes of labelling', 'sh');
  await shell(script!);
  const jobs = async () => (await (await fetch(`${server.url}/v1/jobs?kind=label`)).json()) as { data: { status: string }[] };
  await expect.poll(async () => (await jobs()).data.map(({ status }) => status), { timeout: 30_000 }).toEqual(['succeeded']);
  const exported = script!.trimEnd().split('\n').at(-1)!;
  const rows = (await shell(exported))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rows).toHaveLength(2);
  expect(JSON.stringify(rows[0])).toMatch(/helpfulness:\d,humor:\d/);
  const rudeness = rows.map((row) => Number(/toxicity:(\d)/.exec(JSON.stringify(row))?.[1]));
  expect(rudeness[1]).toBeGreaterThan(rudeness[0]!);
});
