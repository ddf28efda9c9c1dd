// Answers a request from within, through the app itself: what a batch's line gets is what its route would have said.
import type { Answer } from '../batches/answering.ts';
import type { Tx } from '../store/connect.ts';
import type { AppEnv } from './app-context.ts';

interface Asked {
  request(path: string, init: RequestInit, env: AppEnv['Bindings']): Response | Promise<Response>;
}

/** Answers JSON requests by the app's own routes, under the server's key where it has one. */
export function answerBy(app: Asked, apiKey: string | undefined): Answer {
  return async (endpoint, body, signal) => {
    // A signal of its own: thousands of requests must not each leave a listener on the batch's.
    const abort = new AbortController();
    const stop = () => abort.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const kept: ((tx: Tx) => Promise<void>)[] = [];
    try {
      const headers = {
        'content-type': 'application/json',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      };
      const init = { method: 'POST', headers, body: JSON.stringify(body), signal: abort.signal };
      const reply = await app.request(endpoint, init, { remember: (keep) => void kept.push(keep), priority: 'batch' });
      return {
        status: reply.status,
        requestId: reply.headers.get('x-request-id') ?? '',
        body: await reply.json(),
        remember: async (tx) => {
          for (const keep of kept) await keep(tx);
        },
      };
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
}
