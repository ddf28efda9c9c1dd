// Who asks, by a name that means nothing to engines: callers take turns there by it.
import { isIPv6 } from 'node:net';
import type { Priority } from '../generation/language-model.ts';
import type { RequestContext } from './app-context.ts';

export interface Asker {
  caller?: string | undefined;
  priority?: Priority | undefined;
}

/** What an engine is told of whoever sent the request. */
export function askerOf(c: RequestContext): Asker {
  return { caller: c.get('caller'), priority: c.env?.priority };
}

/**
 * A player's session where a token was shown; else where the request comes from, apart for those who hold the server's key. Batches are one caller
 * together.
 */
export function nameCaller(c: RequestContext, holdsKey: boolean): string {
  if (c.env?.priority === 'batch') return 'batches';
  const token = c.get('token');
  if (token) return `player ${token.sessionId}`;
  return `${holdsKey ? 'key' : 'address'} ${networkOf(c.env?.address ?? 'unknown')}`;
}

const groupsOfNetwork = 4;

/** An address as one caller has it: of IPv6 the first 64 bits, since whoever has one such address has all of its network. */
export function networkOf(address: string): string {
  const [plain = address] = address.split('%');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - groups.length - last.length;
  const all = [...groups, ...new Array<string>(Math.max(0, zeros)).fill('0'), ...last];
  return `${all
    .slice(0, groupsOfNetwork)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
