// Requests to one upstream: its key, the longest silence, and trying again as long as nothing of the reply has come.
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { faultText } from '../shape-faults.ts';
import { type Chunk, ModelList, readEvents } from './chunks.ts';
import { away, brokeOff, garbled, refused, silent, UpstreamFault } from './faults.ts';
import type { UpstreamSettings } from './settings.ts';

/** Before each further attempt. */
const retryWaitsMs = [20, 400];
/** For all that comes after the end of a reply, which nobody needs. */
const tailMs = 1_000;
/** For the question what models there are. */
const mostListMs = 5_000;
/** Letters of a refusal that are read. */
const mostRefusal = 2 ** 14;

/** Where completions are asked for, and how what is answered is read. */
export interface Route {
  /** Below the address of the upstream. */
  path: string;
  chunk: z.ZodType<Chunk>;
}

export interface Listed {
  names: string[];
  contextLength: number | undefined;
}

export class Connection {
  readonly #settings: UpstreamSettings;
  readonly #route: Route;
  readonly #headers: Record<string, string>;

  constructor(settings: UpstreamSettings, route: Route, apiKey: string | undefined) {
    this.#settings = settings;
    this.#route = route;
    this.#headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  }

  /** The models the upstream serves. Throws UpstreamFault. */
  async models(): Promise<Listed[]> {
    const url = `${this.#settings.url}/models`;
    const timeoutMs = Math.min(this.#settings.timeoutMs, mostListMs);
    const silence = AbortSignal.timeout(timeoutMs);
    const text = await this.#fetch(url, { signal: silence })
      .then((response) => response.text())
      .catch((error) => {
        if (silence.aborted) throw silent(url, timeoutMs);
        throw error instanceof UpstreamFault ? error : away(url, error);
      });
    const { data } = parse(ModelList, text, url);
    return data.map(({ id, aliases, max_model_len, context_length }) => {
      return { names: [id, ...(aliases ?? [])], contextLength: max_model_len ?? context_length ?? undefined };
    });
  }

  /** Chunks of one reply. Aborting, or leaving the loop, ends the request at once; then it throws the signal's reason. Throws UpstreamFault. */
  async *complete(body: object, signal: AbortSignal): AsyncGenerator<Chunk> {
    for (const waitMs of [...retryWaitsMs, undefined]) {
      try {
        return yield* this.#attempt(body, signal);
      } catch (error) {
        // What passes comes before the first chunk: a reply that has begun cannot be asked for again.
        if (waitMs === undefined || !(error instanceof UpstreamFault && error.passing)) throw error;
      }
      await sleep(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  async *#attempt(body: object, signal: AbortSignal): AsyncGenerator<Chunk> {
    const { timeoutMs } = this.#settings;
    const url = `${this.#settings.url}${this.#route.path}`;
    const silence = new AbortController();
    // Only while something is awaited from the upstream: a caller may take as long as it likes over a chunk.
    const watch = (ms: number) => setTimeout(() => silence.abort(silent(url, timeoutMs)), ms);
    let timer = watch(timeoutMs);
    let begun = false;
    let over = false;
    try {
      const response = await this.#fetch(url, { body, signal: AbortSignal.any([signal, silence.signal]) });
      for await (const data of readEvents(response.body ?? noBody())) {
        if (!over) clearTimeout(timer);
        if (data === '[DONE]') break;
        const chunk = parse(this.#route.chunk, data, url);
        begun = true;
        if (over) {
          // Of what comes behind the end only how much there was is of use.
          yield { choices: [], usage: chunk.usage };
          continue;
        }
        over = chunk.choices.some(({ finish_reason: reason }) => typeof reason === 'string');
        yield chunk;
        timer = watch(over ? tailMs : timeoutMs);
      }
      if (!begun) throw garbled(url, 'an answer without any');
      if (!over) throw brokeOff(url, 'the stream ended before the reply did');
    } catch (error) {
      signal.throwIfAborted();
      if (over) return;
      silence.signal.throwIfAborted();
      if (error instanceof UpstreamFault) throw error;
      throw begun ? brokeOff(url, error) : away(url, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The response, whose status is a success. */
  async #fetch(url: string, { body, signal }: { body?: object; signal: AbortSignal }): Promise<Response> {
    const json = body ? { method: 'POST', body: JSON.stringify(body) } : {};
    const headers = { ...this.#headers, ...(body ? { 'content-type': 'application/json' } : {}) };
    // A key is for this address, not for another it leads to.
    const response = await fetch(url, { ...json, headers, signal, redirect: 'manual' }).catch((cause) => {
      throw away(url, cause);
    });
    if (response.ok) return response;
    const words = await firstWords(response).catch(() => '');
    throw refused({ url, keyVariable: this.#settings.apiKeyEnv }, response.status, response.headers.get('retry-after'), words);
  }
}

/** As much of a refusal as is told; it may never end. */
async function firstWords({ body }: Response): Promise<string> {
  let words = '';
  const decoder = new TextDecoder();
  for await (const bytes of body ?? noBody()) {
    words += decoder.decode(bytes, { stream: true });
    if (words.length >= mostRefusal) break;
  }
  return words;
}

function parse<T>(schema: z.ZodType<T>, text: string, url: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw garbled(url, `what is not JSON: ${text.slice(0, 200)}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  if (typeof value === 'object' && value !== null && 'error' in value) throw brokeOff(url, text.slice(0, 1000));
  throw garbled(url, `${faultText(parsed.error, 'content')} in ${text.slice(0, 200)}`);
}

async function* noBody(): AsyncGenerator<Uint8Array> {}
