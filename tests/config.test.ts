// Settings: defaults, values, and refusals that name the variable.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig, readKey } from '../src/config.ts';
import { inMemory } from '../src/in-memory.ts';

test('nothing set means a loopback server with an embedded database', () => {
  const expected = {
    host: '127.0.0.1',
    port: 8080,
    dataDir: 'data',
    modelsDir: 'models',
    hub: {
      endpoint: 'https://huggingface.co',
      home: join(homedir(), '.cache', 'huggingface'),
      offline: false,
    },
    allowedHosts: [],
    allowedOrigins: [],
    executionProvider: 'auto',
    engine: {
      precision: 'auto',
      packed: { folder: join('data', 'cache'), mostBytes: 2 ** 32 },
      cacheBytes: 2 ** 30,
      prefixBytes: 2 ** 28,
      sequences: 64,
      waiting: 256,
    },
    logLevel: 'info',
    jobLeaseMs: 15_000,
    shutdownGraceMs: 10_000,
    limits: { bodyBytes: 1_048_576, fileBytes: 536_870_912, unpackedBytes: 2_147_483_648, scoredTurns: 256 },
  };
  expect(readConfig({})).toEqual(expected);
  expect(readConfig({ HOST: '', PORT: '', STEER_API_KEY: '', DATABASE_URL: '', UNRELATED: 'x' })).toEqual(expected);
});

test('a database in memory keeps no packed copies in a folder', () => {
  expect(readConfig({ DATA_DIR: inMemory }).engine.packed.mostBytes).toBe(0);
});

test('every variable is read', () => {
  const environment = {
    HOST: '0.0.0.0',
    PORT: '0',
    DATA_DIR: '/d',
    MODELS_DIR: '/m',
    DATABASE_URL: 'postgresql://u:p@db/steer',
    STEER_API_KEY: 'sk-1',
    ALLOWED_HOSTS: 'Steer.LAN., 192.168.0.4,fd00::1',
    ALLOWED_ORIGINS: 'https://Game.example:443/, http://localhost:*,app://Game,null',
    UPSTREAM_API_KEY: 'sk-2',
    EXECUTION_PROVIDER: 'webgpu',
    LOG_LEVEL: 'warn',
    MAX_BODY_BYTES: '4096',
    MAX_FILE_BYTES: '8192',
    MAX_UNPACKED_BYTES: '16384',
    JOB_LEASE_MS: '900',
    SHUTDOWN_GRACE_MS: '0',
    MAX_SCORED_TURNS: '8',
    MODEL_PRECISION: 'fp32',
    MAX_CACHE_BYTES: '2000000',
    MAX_PREFIX_BYTES: '0',
    MAX_PACKED_BYTES: '1000',
    MAX_SEQUENCES: '3',
    MAX_WAITING: '4',
    ALLOW_PULL: '1',
    HF_ENDPOINT: 'https://hub.example:8443',
    HF_TOKEN: 'hf_1',
    HF_HOME: '/h',
    HF_HUB_OFFLINE: 'YES',
    https_proxy: 'http://proxy:3128',
    HTTPS_PROXY: 'http://passed-over',
    HTTP_PROXY: '',
    NO_PROXY: '*.lan',
  };
  expect(readConfig(environment)).toEqual({
    host: '0.0.0.0',
    port: 0,
    dataDir: '/d',
    modelsDir: '/m',
    allowPull: true,
    hub: {
      endpoint: 'https://hub.example:8443',
      token: 'hf_1',
      home: '/h',
      offline: true,
      proxies: { https: { variable: 'https_proxy', address: 'http://proxy:3128' }, except: '*.lan' },
    },
    databaseUrl: 'postgresql://u:p@db/steer',
    apiKey: 'sk-1',
    allowedHosts: ['steer.lan', '192.168.0.4', '[fd00::1]'],
    allowedOrigins: ['https://game.example', 'http://localhost:*', 'app://game', 'null'],
    upstreamApiKey: 'sk-2',
    executionProvider: 'webgpu',
    engine: {
      precision: 'fp32',
      packed: { folder: join('/d', 'cache'), mostBytes: 1000 },
      cacheBytes: 2_000_000,
      prefixBytes: 0,
      sequences: 3,
      waiting: 4,
    },
    logLevel: 'warn',
    jobLeaseMs: 900,
    shutdownGraceMs: 0,
    limits: { bodyBytes: 4096, fileBytes: 8192, unpackedBytes: 16_384, scoredTurns: 8 },
  });
});

test('without arguments it reads the environment of the process', () => {
  process.env.MAX_SCORED_TURNS = '77';
  try {
    expect(readConfig().limits.scoredTurns).toBe(77);
  } finally {
    delete process.env.MAX_SCORED_TURNS;
  }
});

test('a key of one upstream is read by the name of its variable, and never told', () => {
  const environment = { THEIR_KEY: 'sk-3', EMPTY_KEY: '', ODD_KEY: 'two words' };
  expect(['THEIR_KEY', 'EMPTY_KEY', 'NO_KEY'].map((name) => readKey(name, environment))).toEqual(['sk-3', undefined, undefined]);
  expect(() => readKey('ODD_KEY', environment)).toThrow(/^ODD_KEY: expected printable ASCII characters without spaces(?!.*two)/);
});

test.each(['127.0.0.1', '127.8.8.8', 'localhost', 'LOCALHOST', '::1'])('%s needs no key', (host) => {
  expect(readConfig({ HOST: host }).host).toBe(host);
});

test.each(['0.0.0.0', '::', '192.168.0.4', '10.127.0.0.1', '127.0.0.1.example.com', 'localhost.example.com', 'steer.local'])(
  '%s is refused without a key',
  (host) => {
    expect(() => readConfig({ HOST: host })).toThrow(/HOST: .*STEER_API_KEY/);
    expect(readConfig({ HOST: host, STEER_API_KEY: 'sk-1' }).host).toBe(host);
  },
);

test.each([
  ['PORT', '80a'],
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '1.5'],
  ['LOG_LEVEL', 'loud'],
  ['EXECUTION_PROVIDER', 'gpu'],
  ['MODEL_PRECISION', 'int2'],
  ['MAX_CACHE_BYTES', '12'],
  ['MAX_SEQUENCES', '0'],
  ['MAX_BODY_BYTES', '10'],
  ['MAX_SCORED_TURNS', '0'],
  ['ALLOWED_HOSTS', 'http://steer.lan'],
  ['ALLOWED_HOSTS', 'steer.lan,a b'],
  ['ALLOWED_ORIGINS', 'game.example'],
  ['ALLOWED_ORIGINS', 'https://game.example/path'],
  ['ALLOWED_ORIGINS', '*'],
  ['ALLOWED_HOSTS', '*'],
  ['ALLOWED_HOSTS', '*.lan'],
  ['ALLOWED_ORIGINS', 'https://*.game.example'],
  ['ALLOWED_ORIGINS', 'https://*'],
  ['ALLOWED_ORIGINS', 'http://*:*'],
  ['ALLOWED_ORIGINS', 'http://::1:3000'],
  ['ALLOWED_ORIGINS', 'http://::1'],
  ['ALLOWED_ORIGINS', 'http://localhost:99999'],
  ['ALLOWED_ORIGINS', 'http://localhost:*:*'],
  ['ALLOWED_ORIGINS', 'file:///game'],
  ['ALLOWED_ORIGINS', 'wss://game.example'],
  ['ALLOW_PULL', 'perhaps'],
  ['HF_ENDPOINT', 'hub.example'],
  ['HF_ENDPOINT', 'https://hub.example/path'],
  ['HF_TOKEN', 'two words hunter2'],
  ['DATABASE_URL', 'mysql://user:hunter2@db/x'],
  ['STEER_API_KEY', 'two words hunter2'],
  ['STEER_API_KEY', 'ключ-hunter2'],
])('%s=%s is refused by name, and no secret is repeated', (name, value) => {
  const read = () => readConfig({ [name]: value });
  expect(read).toThrow(
    expect.objectContaining({ code: 'invalid_config', message: expect.stringMatching(`^${name}: expected `) }),
  );
  expect(read).not.toThrow(/hunter2/);
});

test('of a list the entry is told that matches nothing, and an address of IPv6 has brackets', () => {
  const told = /^ALLOWED_ORIGINS: expected .* port alone.*; found "https:\/\/\*\.game\.example"\.$/;
  expect(() => readConfig({ ALLOWED_ORIGINS: 'null,https://*.game.example,https://a.example' })).toThrow(told);
  expect(readConfig({ ALLOWED_ORIGINS: 'http://[::1]:3000,http://[::1]:*' }).allowedOrigins).toEqual([
    'http://[::1]:3000',
    'http://[::1]:*',
  ]);
});

test('all faults are told at once', () => {
  expect(() => readConfig({ PORT: 'x', LOG_LEVEL: 'y' })).toThrow(/PORT: .*; LOG_LEVEL: /);
});
