// A hub of models on this machine: it speaks the protocol of Hugging Face's, does what tests tell it to, and remembers what it was asked.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HubRepository {
  sha: string;
  files: Record<string, Buffer>;
  licence?: string;
  gated?: boolean | string;
}

export interface AskedOfServer {
  path: string;
  headers: IncomingMessage['headers'];
}

/** What is answered in place of what would be; undefined lets it be answered as ever. */
type Instead = (asked: AskedOfServer) => { status: number; headers?: Record<string, string> } | undefined;

export class HubServer {
  readonly repositories = new Map<string, HubRepository>();
  readonly asked: AskedOfServer[] = [];
  instead: Instead = () => undefined;
  /** Content breaks off after so many bytes, each for one reply, once somebody calls `taken`: what is on its way may be lost. */
  cuts: number[] = [];
  taken: () => void = () => {};
  /** Another server that large files are fetched from. */
  store: HubServer | undefined;
  /** Whether ranges are answered as such. */
  takesRanges = true;
  /** Called when content begins to be sent. */
  onContent: () => void = () => {};
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async open(): Promise<HubServer> {
    const hub = new HubServer();
    hub.#server.listen(0, '127.0.0.1');
    await once(hub.#server, 'listening');
    return hub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Requests for contents of files. */
  get fetched(): AskedOfServer[] {
    return this.asked.filter(({ path }) => /\/resolve\/|^\/store\//.test(path));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(request.url ?? '');
    const asked = { path, headers: request.headers };
    this.asked.push(asked);
    const instead = this.instead(asked);
    if (instead) return void response.writeHead(instead.status, instead.headers).end();
    const [, stored] = /^\/store\/([0-9a-f]{64})$/.exec(path) ?? [];
    if (stored !== undefined) return void this.#sendStored(stored, request, response);
    const [, id, act, revision, rest = ''] =
      /^\/(?:api\/models\/)?([^/]+\/[^/]+)\/(revision|tree|resolve)\/([^/?]+)\/?([^?]*)/.exec(path) ?? [];
    const repository = this.repositories.get(id ?? '');
    if (!repository) return void response.writeHead(401, { 'x-error-code': 'RepoNotFound' }).end();
    if (revision !== 'main' && revision !== repository.sha) {
      return void response.writeHead(404, { 'x-error-code': 'RevisionNotFound' }).end();
    }
    if (act === 'resolve') this.#resolve(repository, rest, request, response);
    else
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(act === 'tree' ? tree(repository) : info(repository)));
  }

  #resolve({ files }: HubRepository, path: string, request: IncomingMessage, response: ServerResponse): void {
    const content = files[path];
    if (!content) return void response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
    if (this.store && isLarge(path)) {
      return void response
        .writeHead(302, { location: `${this.store.url}/store/${sha256(content)}`, etag: `"${sha256(content)}"` })
        .end();
    }
    this.#send(content, request, response);
  }

  #sendStored(hash: string, request: IncomingMessage, response: ServerResponse): void {
    const contents = [...this.repositories.values()].flatMap(({ files }) => Object.values(files));
    const content = contents.find((each) => sha256(each) === hash);
    if (content) this.#send(content, request, response);
    else response.writeHead(404).end();
  }

  #send(content: Buffer, request: IncomingMessage, response: ServerResponse): void {
    const etag = `"${sha256(content)}"`;
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const condition = request.headers['if-range'];
    const begin = this.takesRanges && from !== undefined && (condition === undefined || condition === etag) ? Number(from) : 0;
    if (begin > content.length) return void response.writeHead(416).end();
    const range = begin > 0 ? { 'content-range': `bytes ${begin}-${content.length - 1}/${content.length}` } : {};
    response.writeHead(begin > 0 ? 206 : 200, { etag, 'content-length': content.length - begin, ...range });
    this.onContent();
    const cut = this.cuts.shift();
    if (cut === undefined) return void response.end(content.subarray(begin));
    response.write(content.subarray(begin, begin + cut));
    if (cut > 0) this.taken = () => void response.destroy();
    else response.destroy();
  }
}

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function isLarge(path: string): boolean {
  return /\.(gguf|safetensors)$/.test(path);
}

function tree({ files }: HubRepository): object[] {
  return Object.entries(files).map(([path, content]) => ({
    type: 'file',
    oid: '0'.repeat(40),
    size: content.length,
    path,
    ...(isLarge(path) ? { lfs: { oid: sha256(content), size: content.length, pointerSize: 134 } } : {}),
  }));
}

function info({ sha, files, licence, gated = false }: HubRepository): object {
  const siblings = Object.keys(files).map((rfilename) => ({ rfilename }));
  return { sha, gated, siblings, tags: ['gguf'], ...(licence === undefined ? {} : { cardData: { license: licence } }) };
}
