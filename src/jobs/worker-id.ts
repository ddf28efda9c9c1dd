// What a worker signs its jobs with: a name that tells whether its process still runs, where it can be looked up.
import { randomBytes } from 'node:crypto';
import { lifeOf, type Owner, thisOwner } from '../store/owner.ts';

const separator = '/';

/** The id of a new worker of this process. */
export function newWorkerId(): string {
  const { host, pid, started, boot, processes } = thisOwner();
  return [host, pid, started ?? '', boot ?? '', processes ?? '', randomBytes(3).toString('hex')].join(separator);
}

/**
 * Whether the worker died, so that nobody need wait for its heartbeats to stay away. On an exclusive database, which no other process can
 * use, whoever is not of this process has died; false where it cannot be known.
 */
export function isGone(worker: string, exclusive: boolean): boolean {
  const owner = ownerOf(worker);
  if (exclusive) return !isThisProcess(owner);
  return owner !== null && lifeOf(owner) === 'dead';
}

function isThisProcess(owner: Owner | null): boolean {
  const own = thisOwner();
  return owner !== null && (Object.keys(own) as (keyof Owner)[]).every((field) => owner[field] === own[field]);
}

function ownerOf(worker: string): Owner | null {
  const [host = '', pid = '', started, boot, processes, ...rest] = worker.split(separator);
  if (rest.length !== 1 || !/^\d+$/.test(pid)) return null;
  return { host, pid: Number(pid), started: started || null, boot: boot || null, processes: processes || null };
}
