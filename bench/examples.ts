// Do the clients for other engines hold? The C# one is compiled with Mono and played against a server of the shipped models, the Godot one linted.
// What is not installed is named and left out.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { recordSection, table } from './results.ts';
import { startServing } from './serving.ts';

function has(command: string): boolean {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return true;
  } catch {
    process.stdout.write(
      `Without ${command}: apt-get install mono-mcs mono-runtime libmono-system-net-http4.0-cil, pip install gdtoolkit\n`,
    );
    return false;
  }
}

async function playCsharp(scratch: string): Promise<string> {
  const program = join(scratch, 'tavern.exe');
  const sources = ['SteerNpc.cs', 'Tavern.cs'].map((name) => join('examples', 'csharp', name));
  const references = ['-r:System.Net.Http', '-r:System.Runtime.Serialization'];
  await promisify(execFile)('mcs', ['-warnaserror', ...references, `-out:${program}`, ...sources]);
  const serving = await startServing(join(scratch, 'data'));
  try {
    return (await promisify(execFile)('mono', [program, serving.url])).stdout;
  } finally {
    await serving.stop();
  }
}

export async function run(): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'steer-examples-'));
  const rows: string[][] = [];
  let played = '';
  try {
    if (has('mcs') && has('mono')) {
      played = await playCsharp(scratch);
      const { stdout } = await promisify(execFile)('mcs', ['--version']);
      rows.push(['C#', stdout.trim(), 'compiled without a warning, played']);
    }
    const tools = process.env.GDTOOLKIT ?? '.venv/bin';
    const gdlint = join(tools, 'gdlint');
    if (has(gdlint)) {
      const file = 'examples/godot/steer_npc.gd';
      await promisify(execFile)(gdlint, [file]);
      await promisify(execFile)(join(tools, 'gdformat'), ['--check', file]);
      const { stdout } = await promisify(execFile)(gdlint, ['--version']);
      rows.push(['GDScript', stdout.trim(), 'parsed, linted and formatted']);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const said = played === '' ? '' : `\n\nWhat the C# program said:\n\n\`\`\`\n${played.trim()}\n\`\`\``;
  await recordSection('examples', `${table(['client', 'by', 'found'], rows)}${said}`);
}
