// Ends a server and a worker by force, again and again, while one job runs on a real Postgres, and looks at what came out.
// The same run is a bench (20 ends) and a test (fewer). Talks to 127.0.0.1 only; ends only processes it started.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomStream } from '../../src/random.ts';

export interface Site {
  /** Null for the embedded database under `dataDir`, which belongs to one process: then there is no worker beside the server. */
  databaseUrl: string | null;
  modelsDir: string;
  /** Holds run folders and logs; shared by both processes. */
  dataDir: string;
  port: number;
  leaseMs: number;
}

interface Job {
  id: string;
  status: string;
  attempt?: number;
}

/** A server and a worker on one database, started again whenever one is ended. */
export class Pair {
  readonly url: string;
  readonly #site: Site;
  readonly #processes: ChildProcess[] = [];
  #kills = 0;

  constructor(site: Site) {
    this.#site = site;
    this.url = `http://127.0.0.1:${site.port}`;
  }

  get kills(): number {
    return this.#kills;
  }

  async start(): Promise<void> {
    const commands = this.#site.databaseUrl === null ? ['serve'] : ['serve', 'work'];
    for (const command of commands) this.#processes.push(this.#spawn(command));
    await this.ask('GET', '/health/ready');
  }

  #spawn(command: string): ChildProcess {
    const { databaseUrl, modelsDir, dataDir, port, leaseMs } = this.#site;
    const log = openSync(join(dataDir, `${command}.log`), 'a');
    const env = {
      ...process.env,
      DATABASE_URL: databaseUrl ?? '',
      MODELS_DIR: modelsDir,
      DATA_DIR: dataDir,
      PORT: String(port),
      JOB_LEASE_MS: String(leaseMs),
      MAX_BODY_BYTES: String(2 ** 26),
    };
    return spawn(process.execPath, [resolve('bin/steer.js'), command], { env, stdio: ['ignore', log, log] });
  }

  /** Whether both have run since they were last started. */
  get alive(): boolean {
    return this.#processes.every(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  }

  /** Ends one of the two without a word and starts it again. */
  async kill(which: 0 | 1): Promise<void> {
    const process = this.#processes[which]!;
    const exited = once(process, 'exit');
    if (process.exitCode === null && process.signalCode === null) {
      process.kill('SIGKILL');
      await exited;
    }
    this.#kills++;
    this.#processes[which] = this.#spawn(which === 0 ? 'serve' : 'work');
  }

  async stop(): Promise<void> {
    for (const process of this.#processes) {
      if (process.exitCode !== null || process.signalCode !== null) continue;
      const exited = once(process, 'exit');
      process.kill('SIGTERM');
      await Promise.race([exited, sleep(20_000).then(() => process.kill('SIGKILL'))]);
    }
  }

  /** Reply of the server, asked again while it is down; throws for a refusal. */
  async ask(method: string, path: string, body?: object | string, headers: Record<string, string> = {}): Promise<Response> {
    const type = typeof body === 'string' ? 'application/x-ndjson' : 'application/json';
    const init: RequestInit = { method, headers: body === undefined ? headers : { 'content-type': type, ...headers } };
    if (body !== undefined) init.body = typeof body === 'string' ? body : JSON.stringify(body);
    for (let tries = 0; ; tries++) {
      const response = await fetch(`${this.url}${path}`, init).catch(() => null);
      if (response?.ok) return response;
      if (response && response.status < 500) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      if (tries > 600)
        throw new Error(`${method} ${path}: no answer for a minute, last ${response ? await response.text() : 'refused'}`);
      await sleep(100);
    }
  }

  async get<T>(path: string): Promise<T> {
    for (;;) {
      // The server may be ended in the middle of a reply.
      const reply = await this.ask('GET', path)
        .then((response) => response.json())
        .catch((error) => (error instanceof Error && /^(GET|POST)/.test(error.message) ? Promise.reject(error) : null));
      if (reply !== null) return reply as T;
    }
  }

  /** Text of a whole reply, asked again where it breaks off. */
  async text(path: string): Promise<string> {
    for (let tries = 0; ; tries++) {
      try {
        return await (await this.ask('GET', path)).text();
      } catch (error) {
        if (tries > 5) throw error;
      }
    }
  }
}

export interface Torment {
  kills: number;
  seed: number;
  /** Where the job is shown. */
  path: string;
  /** How far the job is; a further end comes when it has moved, or after a while. */
  progressOf(job: never): number;
  timeoutMs: number;
}

/** Without a move of the job, a further end comes after so long. */
const waitMs = 1_500;

/** Ends processes at random while the job runs; answers the job once it has ended and how many ends it saw while running. */
export async function torment<J extends Job>(pair: Pair, { kills, seed, path, progressOf, timeoutMs }: Torment): Promise<J> {
  const random = randomStream(seed, 'crash');
  const deadline = performance.now() + timeoutMs;
  let seen = -1;
  let killed = 0;
  let last = performance.now();
  for (;;) {
    const job = await pair.get<J>(path);
    if (['succeeded', 'failed', 'cancelled'].includes(job.status)) return job;
    if (performance.now() > deadline) throw new Error(`The job is stuck: ${JSON.stringify(job)}`);
    const progress = progressOf(job as never);
    const moved = progress > seen || performance.now() - last > waitMs;
    if (killed < kills && job.status === 'running' && moved) {
      await sleep(random() * 300);
      await pair.kill(random() < 0.5 ? 0 : 1);
      killed++;
      seen = progress;
      last = performance.now();
    }
    await sleep(50);
  }
}
