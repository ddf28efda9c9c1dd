// Requests to a hub and to whatever it sends on to, through the proxies of the environment. The token goes to the hub's own origin alone.
import { setTimeout as sleepFor } from 'node:timers/promises';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { SteerError } from '../errors.ts';

/** What a request needs of its surroundings. */
export interface Asking {
  /** Whether the environment names proxies. */
  proxied: boolean;
  signal: AbortSignal;
  onNote(text: string): void;
  /** Waits; replaced in tests. */
  sleep?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

export type Reply = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>;

/** The other side never answered: no name, no connection, a proxy that lets nobody through. */
export class Unreachable extends SteerError {}

const mostRedirects = 10;
/** A hub that asks for patience is waited for so often, and no longer than that at once. */
const mostWaits = 3;
const [longestWaitS, defaultWaitS] = [120, 5];
const timeouts = { headersTimeout: 30_000, bodyTimeout: 60_000 };

let agents: { direct?: Dispatcher; proxied?: Dispatcher } = {};

function agentOf(proxied: boolean): Dispatcher {
  if (proxied) agents = { ...agents, proxied: agents.proxied ?? new EnvHttpProxyAgent(timeouts) };
  else agents = { ...agents, direct: agents.direct ?? new Agent(timeouts) };
  return (proxied ? agents.proxied : agents.direct)!;
}

export function sleep(ms: number, { signal, sleep: wait }: Asking): Promise<void> {
  return wait ? wait(ms, signal) : sleepFor(ms, undefined, { signal });
}

/** Asks, follows redirects and waits where the other side says so (429). Throws Unreachable, `overloaded` or `cancelled`. */
export async function ask(
  address: string,
  { headers = {}, token }: { headers?: Record<string, string>; token?: string | undefined },
  asking: Asking,
): Promise<Reply> {
  for (let waits = 0; ; waits++) {
    const reply = await follow(address, headers, token, asking);
    if (reply.statusCode !== 429) return reply;
    await reply.body.dump().catch(() => {});
    const waitS = secondsOf(reply.headers['retry-after']);
    const host = new URL(address).host;
    if (waits >= mostWaits || waitS > longestWaitS) {
      const message = `${host} answers too many requests (429) and asks to wait ${waitS} s. Try again then${token ? '' : ', or set HF_TOKEN: it has an account wait less'}.`;
      throw new SteerError('overloaded', message, { details: { retryAfterS: waitS } });
    }
    asking.onNote(`${host} asks to wait ${waitS} s (429).`);
    await sleep(1000 * waitS, asking).catch(() => {});
    stopIfAborted(asking.signal);
  }
}

async function follow(
  address: string,
  headers: Record<string, string>,
  token: string | undefined,
  asking: Asking,
): Promise<Reply> {
  let url = new URL(address);
  const home = url.origin;
  for (let redirects = 0; ; redirects++) {
    const own = token !== undefined && url.origin === home ? { authorization: `Bearer ${token}` } : {};
    const reply = await send(url, { ...headers, ...own }, asking);
    const { location } = reply.headers;
    if (![301, 302, 303, 307, 308].includes(reply.statusCode) || typeof location !== 'string') return reply;
    await reply.body.dump().catch(() => {});
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (redirects >= mostRedirects || next === undefined || (url.protocol === 'https:' && next.protocol !== 'https:')) {
      throw new SteerError(
        'not_ready',
        `${url.host} sends on to ${JSON.stringify(location.slice(0, 128))}, where nothing is fetched from.`,
      );
    }
    url = next;
  }
}

async function send(url: URL, headers: Record<string, string>, { proxied, signal }: Asking): Promise<Reply> {
  try {
    // What is packed on the way could not be resumed in the middle.
    const all = { 'accept-encoding': 'identity', 'user-agent': 'steer', ...headers };
    const reply = await request(url, { dispatcher: agentOf(proxied), signal, headers: all });
    // A connection that breaks before anybody reads the body would end the process; who reads it is told all the same.
    reply.body.on('error', () => {});
    return reply;
  } catch (cause) {
    stopIfAborted(signal);
    throw new Unreachable('not_ready', `${url.host} cannot be reached (${reasonOf(cause)}).`, { cause });
  }
}

export function stopIfAborted(signal: AbortSignal): void {
  if (signal.aborted)
    throw new SteerError('cancelled', 'Stopped. What was fetched is kept, and the same command goes on from there.');
}

/** The code of the deepest cause, or its words. */
export function reasonOf(error: unknown): string {
  let cause = error as NodeJS.ErrnoException & { errors?: unknown[] };
  while (cause.cause instanceof Error) cause = cause.cause;
  return cause.code ?? cause.message;
}

/** Retry-After in seconds: a number, or a date. */
function secondsOf(header: string | string[] | undefined): number {
  const text = String(header ?? '');
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const untilMs = Date.parse(text) - Date.now();
  return Number.isNaN(untilMs) ? defaultWaitS : Math.max(0, Math.ceil(untilMs / 1000));
}
