import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lockFolder } from '../../src/store/folder-lock.ts';
import { type Owner, thisOwner } from '../../src/store/owner.ts';

const locked = { code: 'conflict', what: 'The folder', remedy: 'Wait.' } as const;
const linux = process.platform === 'linux';

let folder: string;
let other: ChildProcess;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'steer-lock-'));
  other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
});
afterAll(() => {
  other.kill();
  rmSync(folder, { recursive: true, force: true });
});

const startOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19]!;
/** A lock file as its owner left it. */
const lockOf = (name: string, owner: Partial<Owner>) => {
  const file = join(folder, `${name}.lock`);
  writeFileSync(file, JSON.stringify({ ...thisOwner(), started: null, ...owner }));
  return file;
};
const touch = (file: string, secondsAgo: number) => {
  const then = new Date(Date.now() - secondsAgo * 1000);
  utimesSync(file, then, then);
};
const ownerOf = (file: string): Owner => JSON.parse(readFileSync(file, 'utf8'));
const exited = (child: ChildProcess) => new Promise((resolve) => child.once('exit', resolve));

describe('the lock of a folder', () => {
  test('of a living process holds and names it; once that is dead the lock passes on', async () => {
    const file = lockOf('living', { pid: other.pid! });
    await expect(lockFolder(file, locked)).rejects.toThrow(`process ${other.pid}`);
    expect(ownerOf(file).pid).toBe(other.pid);
    const mayfly = spawn(process.execPath, ['-e', '0']);
    await exited(mayfly);
    const dead = lockOf('dead', { pid: mayfly.pid! });
    const release = await lockFolder(dead, locked);
    expect(ownerOf(dead)).toMatchObject(thisOwner());
    release();
    expect(readdirSync(folder).filter((name) => name.startsWith('dead'))).toEqual([]);
  });

  test('of an older version, which told only pid and host, holds as well', async () => {
    const file = join(folder, 'older.lock');
    writeFileSync(file, JSON.stringify({ pid: other.pid, host: hostname(), started: null }));
    await expect(lockFolder(file, locked)).rejects.toThrow(`process ${other.pid}`);
  });

  test.runIf(linux)('of a pid that lives on in another process passes on', async () => {
    const started = startOf(other.pid!);
    await expect(lockFolder(lockOf('same', { pid: other.pid!, started }), locked)).rejects.toThrow(`process ${other.pid}`);
    const file = lockOf('reused', { pid: other.pid!, started: `${Number(started) - 1}` });
    (await lockFolder(file, locked))();
    expect(existsSync(file)).toBe(false);
  });

  test.runIf(linux)('of a process that is over but was not waited for passes on', async () => {
    // A shell that starts a process and becomes another program never asks how that process ended.
    const script = `${process.execPath} -e 0 & echo $!; exec ${process.execPath} -e 'setInterval(() => {}, 1000)'`;
    const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [told] = await once(parent.stdout!, 'data');
    const pid = Number(String(told));
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]![0], { timeout: 20_000 }).toBe('Z');
    (await lockFolder(lockOf('zombie', { pid, started: startOf(pid) }), locked))();
    parent.kill();
  });

  test.each(['', '{"pi'])('of which only %j is written holds: its owner may just be writing', async (begun) => {
    const file = join(folder, 'begun.lock');
    writeFileSync(file, begun);
    touch(file, 30);
    const finish = () => void lockOf('begun', { pid: other.pid! });
    await expect(lockFolder(file, locked, { onWait: finish })).rejects.toThrow(`in use by process ${other.pid}`);
  });

  test('cut short by a crash passes on after a minute of silence', async () => {
    const file = join(folder, 'torn.lock');
    writeFileSync(file, '{"pi');
    touch(file, 61);
    (await lockFolder(file, locked))();
    expect(existsSync(file)).toBe(false);
  });

  test('is replaced by one process at a time; one that ended over it is passed over', async () => {
    const file = lockOf('raced', { pid: 2 ** 30 });
    lockOf('raced.lock.taking', { pid: other.pid! });
    const guard = `${file}.taking`;
    fs.renameSync(`${guard}.lock`, guard);
    await expect(lockFolder(file, locked)).rejects.toThrow(/Another process is just taking .*raced\.lock\. Try again/);
    writeFileSync(guard, JSON.stringify({ ...thisOwner(), pid: 2 ** 30 + 1 }));
    (await lockFolder(file, locked))();
    expect(readdirSync(folder).filter((name) => name.startsWith('raced'))).toEqual([]);
  });

  test('of a dead owner goes to one of two takers', async () => {
    const file = lockOf('heirs', { pid: 2 ** 30, host: 'elsewhere', boot: 'f00' });
    touch(file, 61);
    const takers = await Promise.allSettled([lockFolder(file, locked), lockFolder(file, locked), lockFolder(file, locked)]);
    expect(takers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('is left alone when another process took it between the look and the taking', async () => {
    const file = lockOf('stolen', { pid: 2 ** 30 });
    // The other one takes the dead lock as soon as this one has read it.
    const restore = wrap('readFileSync', (read) => (path: unknown, ...rest: unknown[]) => {
      const text = read(path, ...rest);
      if (path === file) {
        restore();
        lockOf('stolen', { pid: other.pid! });
      }
      return text;
    });
    await expect(lockFolder(file, locked)).rejects.toThrow(`process ${other.pid}`);
    expect(ownerOf(file).pid).toBe(other.pid);
  });

  test('is given back by its owner alone', async () => {
    const file = join(folder, 'replaced.lock');
    const release = await lockFolder(file, locked);
    lockOf('replaced', { pid: other.pid! });
    release();
    expect(ownerOf(file).pid).toBe(other.pid);
  });

  test('is kept on a disk without hard links as well', async () => {
    const restore = wrap('linkSync', () => () => {
      throw Object.assign(new Error('no links here'), { code: 'EPERM' });
    });
    const file = join(folder, 'unlinked.lock');
    const release = await lockFolder(file, locked).finally(restore);
    await expect(lockFolder(file, locked)).rejects.toThrow(`process ${process.pid}`);
    release();
    expect(readdirSync(folder).filter((name) => name.startsWith('unlinked'))).toEqual([]);
  });

  test('is refused where a link leads nowhere', async () => {
    const file = join(folder, 'nowhere.lock');
    fs.symlinkSync(join(folder, 'missing'), file);
    await expect(lockFolder(file, locked)).rejects.toThrow('Try again');
  });
});

type Call = (...args: unknown[]) => unknown;

/** Puts something in the place of a function of the file system; returns what puts it back. */
function wrap(name: 'readFileSync' | 'linkSync', around: (own: Call) => Call): () => void {
  const calls = fs as unknown as Record<string, Call>;
  const own = calls[name]!;
  const set = (call: Call) => {
    calls[name] = call;
    syncBuiltinESMExports();
  };
  set(around(own));
  return () => set(own);
}

test('of many processes that take a lock at one moment, new or of a dead owner, one has it', async () => {
  const built = new URL('../../dist/src/store/folder-lock.js', import.meta.url).href;
  // Each takes every lock in turn and keeps it, so a lock that two of them report was held twice at once.
  const script = `import { lockFolder } from ${JSON.stringify(built)};
    process.on('message', async (files) => {
      const held = [];
      for (const file of files) await lockFolder(file, ${JSON.stringify(locked)}).then(() => held.push(file), () => {});
      process.send(held);
    });
    process.send('ready');`;
  const takers = [1, 2, 3].map(() =>
    spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
  );
  await Promise.all(takers.map((taker) => once(taker, 'message')));
  const files = Array.from({ length: 200 }, (_, i) =>
    i % 2 === 0 ? join(folder, `contended-${i}.lock`) : lockOf(`contended-${i}`, { pid: 2 ** 30 }),
  );
  const answers = takers.map((taker) => once(taker, 'message'));
  for (const taker of takers) taker.send(files);
  const held = (await Promise.all(answers)).flatMap(([files]) => files as string[]);
  for (const taker of takers) taker.kill('SIGKILL');
  expect(held.toSorted()).toEqual(files.toSorted());
});

/** Owners whose processes cannot be seen: on another machine, and in another container of that name whose first process is number 1 as well. */
const unseen = [
  ['another machine', { pid: 1, host: 'elsewhere', boot: 'f00' }],
  ['another machine of the same name', { pid: 1, boot: 'f00' }],
  ['another container of the same name', { pid: 1, processes: 'pid:[1]' }],
] as const;

describe.runIf(linux).each(unseen)('the lock of an owner on %s', (name, owner) => {
  test('holds once it is touched, which is waited for', async () => {
    const file = lockOf(`touched ${name}`, owner);
    touch(file, 30);
    const told: string[] = [];
    const taking = lockFolder(file, locked, {
      onWait: (reason) => {
        told.push(reason);
        touch(file, 0);
      },
    });
    await expect(taking).rejects.toThrow('The folder is in use by process 1');
    expect(told).toHaveLength(1);
  });

  test('passes on after a minute of silence', async () => {
    const file = lockOf(`silent ${name}`, owner);
    touch(file, 59);
    const told: string[] = [];
    const release = await lockFolder(file, locked, { onWait: (reason) => void told.push(reason) });
    expect(told.length).toBeLessThanOrEqual(1);
    expect(ownerOf(file)).toMatchObject(thisOwner());
    release();
  });
});

test.runIf(linux)('an owner in another container of this machine is seen to live, and to be dead at once', async () => {
  // The path of a socket may not be as long.
  const deep = join(folder, 'd'.repeat(120));
  mkdirSync(deep);
  const file = join(deep, 'contained.lock');
  const built = new URL('../../dist/src/store/folder-lock.js', import.meta.url).href;
  const script = `import { lockFolder } from ${JSON.stringify(built)};
    await lockFolder(${JSON.stringify(file)}, ${JSON.stringify(locked)});
    console.log('locked');
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(owner.stdout!, 'data');
  writeFileSync(file, JSON.stringify({ ...ownerOf(file), processes: 'pid:[1]' }));
  await expect(lockFolder(file, locked)).rejects.toThrow(`process ${owner.pid}`);

  owner.kill('SIGKILL');
  await exited(owner);
  expect(existsSync(`${file}.alive`)).toBe(true);
  const told: string[] = [];
  const release = await lockFolder(file, locked, { onWait: (reason) => void told.push(reason) });
  expect(told).toEqual([]);
  release();
  expect(readdirSync(deep)).toEqual([]);
});

describe('waiting for a lock', () => {
  test('ends when the owner does, who is told of once', async () => {
    const owner = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const file = lockOf('awaited', { pid: owner.pid! });
    const told: string[] = [];
    const onWait = (reason: string) => {
      told.push(reason);
      owner.kill('SIGKILL');
    };
    const release = await lockFolder(file, locked, { onWait, mostMs: 20_000 });
    expect(ownerOf(file).pid).toBe(process.pid);
    expect(told).toEqual([expect.stringContaining(`The folder is in use by process ${owner.pid}`)]);
    release();
  });

  test('ends by itself when it is aborted or has lasted too long', async () => {
    const file = lockOf('kept', { pid: process.pid });
    await expect(lockFolder(file, locked, { mostMs: 300 })).rejects.toMatchObject({ code: 'conflict' });
    const wait = { signal: AbortSignal.abort(), mostMs: 9e9 };
    await expect(lockFolder(file, locked, wait)).rejects.toMatchObject({ code: 'cancelled' });
  });
});
