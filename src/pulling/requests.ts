// Requests to a hub and to whatever it sends on to, through the proxies of the environment. The token goes to the hub's own origin alone.
import { setTimeout as sleepFor } from 'node:timers/promises';
import { Agent, type Dispatcher, EnvHttpProxyAgent, Pool, request } from 'undici';
import { SteerError } from '../errors.ts';

interface Proxy {
  /** What names it, for messages. */
  variable: string;
  /** May hold a password. */
  address: string;
}

/** The proxies of the environment. */
export interface Proxies {
  http?: Proxy;
  https: Proxy;
  /** Hosts that are reached without one, as NO_PROXY lists them. */
  except: string;
}

/** What a request needs of its surroundings. */
export interface Asking {
  /** Undefined where the environment names none. */
  proxies: Proxies | undefined;
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

let direct: Dispatcher | undefined;
const throughProxies = new WeakMap<Proxies, Dispatcher>();

function agentFor(proxies: Proxies | undefined): Dispatcher {
  direct ??= new Agent(timeouts);
  if (!proxies) return direct;
  const agent = throughProxies.get(proxies) ?? proxyAgent(proxies);
  throughProxies.set(proxies, agent);
  return agent;
}

/** A proxy that cannot be reached, or lets nobody through; told by its variable, never with its password. */
class ProxyFault extends Error {}

/** Throws invalid_config for a proxy whose address is none. */
function proxyAgent({ http, https, except }: Proxies): Dispatcher {
  for (const { variable, address } of [https, http ?? https]) {
    if (/^https?:$/.test(addressOf(address)?.protocol ?? '')) continue;
    const message = `${variable}: expected an address such as http://proxy.example:3128. Correct or unset it.`;
    throw new SteerError('invalid_config', message);
  }
  const clientFactory = ({ origin }: URL, options: object) => {
    const { variable } = addressOf(https.address)?.origin === origin ? https : http!;
    return connectingTo(`the proxy ${origin} of ${variable}`, new Pool(origin, { ...options, ...timeouts }));
  };
  // Its types leave out what it hands on to the agents of both proxies; where it is told nothing it reads the environment.
  const options = { httpProxy: http?.address ?? '', httpsProxy: https.address, noProxy: except, ...timeouts, clientFactory };
  return new EnvHttpProxyAgent(options);
}

/** The connections to a proxy, with faults of their own: an error of undici's for a lost connection would have it try again without end. */
function connectingTo(proxy: string, pool: Pool): Dispatcher {
  const connect = pool.connect.bind(pool) as (asked: Dispatcher.ConnectOptions) => Promise<Dispatcher.ConnectData>;
  const tell = async (asked: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData> => {
    const reply = await connect(asked).catch((cause) => {
      throw new ProxyFault(`${proxy}: ${cause.code ?? cause.message}`, { cause });
    });
    if (reply.statusCode === 200) return reply;
    reply.socket.on('error', () => {}).destroy();
    const wants = reply.statusCode === 407 ? ', it wants another user name and password' : '';
    throw new ProxyFault(`${proxy} answers ${reply.statusCode}${wants}`);
  };
  return Object.assign(pool, { connect: tell });
}

function addressOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
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

async function send(url: URL, headers: Record<string, string>, { proxies, signal }: Asking): Promise<Reply> {
  const dispatcher = agentFor(proxies);
  try {
    // What is packed on the way could not be resumed in the middle.
    const all = { 'accept-encoding': 'identity', 'user-agent': 'steer', ...headers };
    const reply = await request(url, { dispatcher, signal, headers: all });
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

/** The code of the deepest cause, or its words; of a proxy what it says. */
export function reasonOf(error: unknown): string {
  if (error instanceof ProxyFault) return error.message;
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
