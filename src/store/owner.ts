// Names a process so that another one can tell whether it still runs: at once where both see the same list of processes, else not at all.
// A pid alone says little: it is reused, and in every container the first process is number 1.
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface Owner {
  host: string;
  pid: number;
  /** Start of the process in clock ticks since boot, where /proc tells: a pid that was given out again has another. */
  started: string | null;
  /** The boot of the kernel, which all containers on it share. */
  boot: string | null;
  /** The list of processes the pid is from; each container has its own. */
  processes: string | null;
}

/** This process. */
export function thisOwner(): Owner {
  const { pid } = process;
  return { host: hostname(), pid, started: statOf(pid)?.started ?? null, ...surroundings() };
}

/** Whether the owner still runs; `unknown` where its processes cannot be seen from here. */
export function lifeOf(owner: Owner): 'alive' | 'dead' | 'unknown' {
  const own = surroundings();
  // Where the kernel says nothing (not Linux, or a lock of an older version) the name of the host has to do.
  const told = owner.boot !== null && owner.processes !== null && own.boot !== null;
  const visible = told ? owner.boot === own.boot && owner.processes === own.processes : owner.host === hostname();
  if (!visible) return 'unknown';
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead';
  }
  const now = statOf(owner.pid);
  if (now === null) return 'alive';
  if (ended.includes(now.state)) return 'dead';
  return owner.started === null || now.started === owner.started ? 'alive' : 'dead';
}

/** States of a process that is over and only waits for its parent to notice. */
const ended = ['Z', 'X'];

/** Whether both run on one kernel, perhaps in different containers. */
export function sharesKernel(owner: Owner): boolean {
  return owner.boot !== null && owner.boot === surroundings().boot;
}

function surroundings(): Pick<Owner, 'boot' | 'processes'> {
  return {
    boot: orNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    processes: orNull(() => readlinkSync('/proc/self/ns/pid')),
  };
}

function statOf(pid: number): { state: string; started: string } | null {
  const stat = orNull(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The name of the program, field 2, stands in brackets and may hold spaces; the state is field 3, the start time field 22.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields ? { state: fields[0]!, started: fields[19]! } : null;
}

function orNull(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
