// The settings of a process, read once. The only reader of process.env.
import { isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { SteerError } from './errors.ts';
import { inMemory } from './in-memory.ts';
import { faultsText } from './shape-faults.ts';

export interface Config {
  host: string;
  port: number;
  /** Folder of the embedded database. */
  dataDir: string;
  modelsDir: string;
  /** Whether models may be pulled over HTTP; absent means where no key guards the server, which then is this machine's alone. */
  allowPull?: boolean;
  /** How a hub of models is asked, by the conventions of its own tools. */
  hub: {
    endpoint: string;
    token?: string;
    /** Folder where those tools keep a token and a cache. */
    home: string;
    offline: boolean;
    /** Absent where none is named. */
    proxies?: Proxies;
  };
  /** Postgres server; absent means the embedded database under `dataDir`. */
  databaseUrl?: string;
  /** Key every route but /health/* asks for; absent means none does. */
  apiKey?: string;
  /** Names this server answers to beside loopback ones, without port; checked where there is no key, and where any are listed. */
  allowedHosts: string[];
  /** Pages of other origins that may ask; `null` and a port of `*` may stand among them. */
  allowedOrigins: string[];
  /** Key sent to the upstreams that run models. */
  upstreamApiKey?: string;
  /** What computes language models and training. */
  executionProvider: 'auto' | 'cpu' | 'webgpu' | 'cuda' | 'coreml' | 'dml';
  /** What the engine of each language model may hold, and the precision of its weights. */
  engine: {
    precision: 'auto' | 'fp32' | 'int8' | 'int4';
    /** Where packed weights are kept so that a model loads fast, and most bytes of them all. */
    packed: { folder: string; mostBytes: number };
    /** Keys and values of running requests at their longest, and beginnings of prompts that are kept. */
    cacheBytes: number;
    prefixBytes: number;
    /** Sequences that run at once, and requests that may wait. */
    sequences: number;
    waiting: number;
  };
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  /** A job whose worker is silent for so long is taken over by another. */
  jobLeaseMs: number;
  /** What is being answered when the server is told to stop may go on for so long. */
  shutdownGraceMs: number;
  limits: {
    /** Largest request body, bytes. */
    bodyBytes: number;
    /** Largest file or dataset sent as it is, bytes. */
    fileBytes: number;
    /** Most bytes a dataset sent as gzip may unpack to. */
    unpackedBytes: number;
    /** Most turns one scoring request may have rated. */
    scoredTurns: number;
  };
}

interface Proxy {
  variable: string;
  /** May hold a password. */
  address: string;
}

interface Proxies {
  http?: Proxy;
  https: Proxy;
  /** Hosts that are reached without one, as NO_PROXY lists them. */
  except: string;
}

/** The small letters go first, as other programs have it; what leads to http leads to https too where nothing else does. */
function proxiesOf(given: Record<string, string | undefined>): Proxies | undefined {
  const named = (...variables: string[]): Proxy | undefined => {
    const variable = variables.find((each) => given[each] !== undefined);
    return variable === undefined ? undefined : { variable, address: given[variable]! };
  };
  const http = named('http_proxy', 'HTTP_PROXY');
  const https = named('https_proxy', 'HTTPS_PROXY') ?? http;
  if (!https) return undefined;
  return { ...(http ? { http } : {}), https, except: given.no_proxy ?? given.NO_PROXY ?? '' };
}

const Environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: whole(0, 65_535).default(8080),
  DATA_DIR: z.string().default('data'),
  MODELS_DIR: z.string().default('models'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\/\S+$/, 'expected an address like postgres://user:password@host:5432/database')
    .optional(),
  STEER_API_KEY: key().optional(),
  ALLOWED_HOSTS: listOf(
    hostName,
    'expected host names or addresses without scheme and port, separated by commas, each in full: a * stands for nothing',
  ).default([]),
  ALLOWED_ORIGINS: listOf(
    originName,
    'expected origins like https://game.example or http://localhost:*, or null, separated by commas; a * stands for a port alone, and IPv6 has brackets',
  ).default([]),
  UPSTREAM_API_KEY: key().optional(),
  ALLOW_PULL: flag().optional(),
  HF_ENDPOINT: z
    .string()
    .regex(/^https?:\/\/[^\s/?#]+$/, 'expected the address of a hub without a path, like https://huggingface.co')
    .default('https://huggingface.co'),
  HF_TOKEN: key().optional(),
  HF_HOME: z.string().optional(),
  XDG_CACHE_HOME: z.string().optional(),
  HF_HUB_OFFLINE: flag().default(false),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'expected fatal, error, warn, info, debug, trace or silent',
    })
    .default('info'),
  EXECUTION_PROVIDER: z
    .enum(['auto', 'cpu', 'webgpu', 'cuda', 'coreml', 'dml'], { error: 'expected auto, cpu, webgpu, cuda, coreml or dml' })
    .default('auto'),
  MODEL_PRECISION: z.enum(['auto', 'fp32', 'int8', 'int4'], { error: 'expected auto, fp32, int8 or int4' }).default('auto'),
  MAX_CACHE_BYTES: whole(2 ** 20, 2 ** 38).default(2 ** 30),
  MAX_PREFIX_BYTES: whole(0, 2 ** 38).default(2 ** 28),
  MAX_PACKED_BYTES: whole(0, 2 ** 42).default(2 ** 32),
  MAX_SEQUENCES: whole(1, 4096).default(64),
  MAX_WAITING: whole(1, 100_000).default(256),
  MAX_BODY_BYTES: whole(1024, 2 ** 30).default(2 ** 20),
  MAX_FILE_BYTES: whole(1024, 2 ** 33).default(2 ** 29),
  MAX_UNPACKED_BYTES: whole(1024, 2 ** 33).default(2 ** 31),
  MAX_SCORED_TURNS: whole(1, 100_000).default(256),
  JOB_LEASE_MS: whole(500, 3_600_000).default(15_000),
  SHUTDOWN_GRACE_MS: whole(0, 3_600_000).default(10_000),
});

/**
 * Settings from environment variables; an empty variable counts as absent.
 * Throws invalid_config naming every variable that does not hold, and never a secret's value.
 */
export function readConfig(environment: Record<string, string | undefined> = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    throw new SteerError('invalid_config', `${faultsText(parsed.error, 'settings')}.`);
  }
  const env = parsed.data;
  const proxies = proxiesOf(given);
  if (!isLoopback(env.HOST) && env.STEER_API_KEY === undefined) {
    throw new SteerError(
      'invalid_config',
      `HOST: ${JSON.stringify(env.HOST)} opens the server beyond this machine, and no key guards it. ` +
        'Set STEER_API_KEY, or leave HOST at 127.0.0.1.',
    );
  }
  return {
    host: env.HOST,
    port: env.PORT,
    dataDir: env.DATA_DIR,
    modelsDir: env.MODELS_DIR,
    ...(env.ALLOW_PULL === undefined ? {} : { allowPull: env.ALLOW_PULL }),
    hub: {
      endpoint: env.HF_ENDPOINT,
      ...(env.HF_TOKEN === undefined ? {} : { token: env.HF_TOKEN }),
      home: env.HF_HOME ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'huggingface'),
      offline: env.HF_HUB_OFFLINE,
      ...(proxies ? { proxies } : {}),
    },
    ...(env.DATABASE_URL === undefined ? {} : { databaseUrl: env.DATABASE_URL }),
    ...(env.STEER_API_KEY === undefined ? {} : { apiKey: env.STEER_API_KEY }),
    allowedHosts: env.ALLOWED_HOSTS,
    allowedOrigins: env.ALLOWED_ORIGINS,
    ...(env.UPSTREAM_API_KEY === undefined ? {} : { upstreamApiKey: env.UPSTREAM_API_KEY }),
    executionProvider: env.EXECUTION_PROVIDER,
    engine: {
      precision: env.MODEL_PRECISION,
      packed: { folder: join(env.DATA_DIR, 'cache'), mostBytes: env.DATA_DIR === inMemory ? 0 : env.MAX_PACKED_BYTES },
      cacheBytes: env.MAX_CACHE_BYTES,
      prefixBytes: env.MAX_PREFIX_BYTES,
      sequences: env.MAX_SEQUENCES,
      waiting: env.MAX_WAITING,
    },
    logLevel: env.LOG_LEVEL,
    jobLeaseMs: env.JOB_LEASE_MS,
    shutdownGraceMs: env.SHUTDOWN_GRACE_MS,
    limits: {
      bodyBytes: env.MAX_BODY_BYTES,
      fileBytes: env.MAX_FILE_BYTES,
      unpackedBytes: env.MAX_UNPACKED_BYTES,
      scoredTurns: env.MAX_SCORED_TURNS,
    },
  };
}

/** The key in the variable of that name; undefined where it is not set. Throws invalid_config for what cannot travel in a header, without telling it. */
export function readKey(name: string, environment: Record<string, string | undefined> = process.env): string | undefined {
  const value = environment[name];
  if (value === undefined || value === '' || key().safeParse(value).success) return value || undefined;
  throw new SteerError('invalid_config', `${name}: ${key().safeParse(value).error!.issues[0]!.message}.`);
}

/** Whether the name or address, an IPv6 one with brackets or without, is this machine's own. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}

/** The one spelling of a host that may come with a port: lower case, no port, no trailing dot, IPv6 in brackets; undefined where it is none. */
export function hostName(host: string): string | undefined {
  if (!/^[^\s/?#@\\*]+$/.test(host)) return undefined;
  const url = `http://${isIPv6(host) ? `[${host}]` : host}`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, '') : undefined;
}

/** The one spelling of an origin, as browsers send it. */
function originName(text: string): string | undefined {
  const [, scheme = '', host = '', port = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.+?)(:\*)?\/?$/.exec(text.toLowerCase()) ?? [];
  if (text === 'null') return text;
  // Pages of files say null, and no page is one of the others.
  if (['', 'file', 'ftp', 'ws', 'wss'].includes(scheme) || hostName(host) === undefined) return undefined;
  if (!URL.canParse(`${scheme}://${host}`)) return undefined;
  const origin = /^https?$/.test(scheme) ? new URL(`${scheme}://${host}`).origin : `${scheme}://${host}`;
  return origin + port;
}

/** As Hugging Face's tools read it too. */
function flag() {
  const message = 'expected 1, 0, true, false, yes, no, on or off';
  return z.stringbool({ truthy: ['1', 'true', 'yes', 'on'], falsy: ['0', 'false', 'no', 'off'], error: message });
}

function key() {
  return z.string().regex(/^[\x21-\x7e]+$/, 'expected printable ASCII characters without spaces, since it travels in a header');
}

/** Several, separated by commas, each read by `read`, which answers undefined for what it cannot. */
function listOf(read: (text: string) => string | undefined, message: string) {
  return z.string().transform((text, context) => {
    const parts = text.split(',').map((part) => part.trim());
    const given = parts.filter((part) => part !== '');
    const known = given.map(read);
    const odd = given[known.indexOf(undefined)];
    if (odd !== undefined) context.addIssue({ code: 'custom', message: `${message}; found ${JSON.stringify(odd)}` });
    return known.filter((part) => part !== undefined);
  });
}

function whole(least: number, most: number) {
  const message = `expected a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,12}$/, message)
    .transform(Number)
    .pipe(z.number(message).min(least, message).max(most, message));
}
