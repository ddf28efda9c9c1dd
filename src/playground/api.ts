// The HTTP interface as the pages ask it.
import type { Error as Refusal } from '../../openapi/schemas.d.ts';

/** Codes are the server's, or tell that none came from it. */
interface Failure {
  code: string;
  message: string;
}

/** What the server refused, in its own words. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, { code, message }: Failure) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }
}

const keyName = 'steer-key';

export function storedKey(): string {
  return sessionStorage.getItem(keyName) ?? '';
}

export function storeKey(key: string): void {
  if (key === '') sessionStorage.removeItem(keyName);
  else sessionStorage.setItem(keyName, key);
}

interface Asking {
  method?: 'GET' | 'POST';
  body?: unknown;
  /** In place of a JSON body, with its own type. */
  file?: Blob;
  signal?: AbortSignal | undefined;
  accept?: string;
}

async function send(
  path: string,
  { method = 'GET', body, file, signal, accept = 'application/json' }: Asking,
): Promise<Response> {
  const headers: Record<string, string> = { accept };
  const key = storedKey();
  if (key !== '') headers.authorization = `Bearer ${key}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  else if (file) headers['content-type'] = file.type;
  const init: RequestInit = { method, headers, ...(signal ? { signal } : {}) };
  if (body !== undefined) init.body = JSON.stringify(body);
  else if (file) init.body = file;
  let reply: Response;
  try {
    reply = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, { code: 'unreachable', message: 'The server does not answer. Is it running?' });
  }
  if (reply.ok) return reply;
  throw new ApiError(reply.status, await failureOf(reply));
}

async function failureOf(reply: Response): Promise<Failure> {
  try {
    return ((await reply.json()) as Refusal).error;
  } catch {
    return { code: `${reply.status}`, message: `The server answered ${reply.status}.` };
  }
}

/** The JSON at a path. Throws `ApiError`. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await send(path, { signal })).json()) as T;
}

export async function post<T>(path: string, body: unknown = {}, signal?: AbortSignal): Promise<T> {
  return (await (await send(path, { method: 'POST', body, signal })).json()) as T;
}

/** Sends a file as it is. */
export async function upload<T>(path: string, file: Blob): Promise<T> {
  return (await (await send(path, { method: 'POST', file })).json()) as T;
}

/** Data of the server-sent events of a request, parsed; ends at `[DONE]`. Throws `ApiError` for one that tells of a failure. */
export async function* events<T extends object>(
  path: string,
  asking: { body?: unknown; signal?: AbortSignal } = {},
): AsyncGenerator<T> {
  const method = asking.body === undefined ? 'GET' : 'POST';
  const reply = await send(path, { ...asking, method, accept: 'text/event-stream' });
  const reader = reply.body!.pipeThrough(new TextDecoderStream()).getReader();
  let held = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (held + value).split('\n\n');
      held = parts.pop() as string;
      for (const part of parts) {
        const data = part.split('\n').find((line) => line.startsWith('data: '));
        if (!data) continue;
        if (data === 'data: [DONE]') return;
        const event = JSON.parse(data.slice('data: '.length)) as T | Refusal;
        if ('error' in event) throw new ApiError(reply.status, event.error);
        yield event as Awaited<T>;
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
