// The thread that holds an engine, as its callers see it: what came together is told together, and a thread that ends is started again.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EngineThread } from '../../src/tensor/engine-thread.ts';

let folder: string;
let entry: URL;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steer-thread-'));
  const built = new URL('../../dist/src/tensor/serve-thread.js', import.meta.url).href;
  // Says what it is asked to, letter by letter; or ends its thread; or fails.
  const script = `
    import { serveThread } from ${JSON.stringify(built)};
    let asked = 0;
    await serveThread(async (data) => {
      if (data === 'broken') throw new Error('no such model');
      return {
        ready: 'up',
        async handle(request, emit, signal) {
          asked++;
          if (request === 'die') process.exit(3);
          if (request === 'fail') throw new Error('out of luck');
          if (request === 'wait') await new Promise((resolve) => signal.addEventListener('abort', resolve));
          if (request === 'count') emit(asked);
          else for (const letter of request) emit(letter);
        },
        async dispose() {},
      };
    });`;
  const path = join(folder, 'entry.mjs');
  await writeFile(path, script);
  entry = pathToFileURL(path);
});
afterAll(() => rm(folder, { recursive: true }));

type Thread = EngineThread<string, string, string>;
const never = new AbortController().signal;
const start = () => EngineThread.start<string, string, string>(entry, null);

async function say(thread: Thread, request: string, signal = never): Promise<string[][]> {
  const batches: string[][] = [];
  for await (const batch of thread.call(request, signal)) batches.push(batch);
  return batches;
}

it('tells what one step says in one piece', async () => {
  const thread = await start();
  expect(thread.ready).toBe('up');
  expect(await say(thread, 'hello')).toEqual([['h', 'e', 'l', 'l', 'o']]);
  await thread.dispose();
});

it('a thread that ends fails its calls by 503, and the next call starts another', async () => {
  const thread = await start();
  const waiting = say(thread, 'wait');
  const dying = say(thread, 'die');
  const gone = { code: 'not_ready', status: 503, message: expect.stringContaining('exit code 3'), details: { retryAfterS: 1 } };
  await Promise.all([dying, waiting].map((call) => expect(call).rejects.toMatchObject(gone)));
  const after = await Promise.all([say(thread, 'hello'), say(thread, 'count')]);
  expect(after).toEqual([[['h', 'e', 'l', 'l', 'o']], [[2]]]);
  for (let round = 0; round < 3; round++) {
    await expect(say(thread, 'die')).rejects.toMatchObject(gone);
    expect(await say(thread, 'count')).toEqual([[1]]);
  }
  await thread.dispose();
  await expect(say(thread, 'hello')).rejects.toMatchObject({ code: 'not_ready' });
});

it('what fails in one call is that call’s alone', async () => {
  const thread = await start();
  const [failed, fine] = await Promise.allSettled([say(thread, 'fail'), say(thread, 'ok')]);
  expect(failed).toMatchObject({ reason: { code: 'internal_error', message: 'out of luck' } });
  expect(fine).toMatchObject({ value: [['o', 'k']] });
  await thread.dispose();
});

it('an abort ends the call at once, and listeners do not pile up', async () => {
  const thread = await start();
  for (let round = 0; round < 200; round++) {
    const controller = new AbortController();
    const waiting = say(thread, 'wait', controller.signal);
    setImmediate(() => controller.abort());
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
  }
  expect(await say(thread, 'ok')).toEqual([['o', 'k']]);
  await thread.dispose();
});

it('throws what its opening threw', async () => {
  await expect(EngineThread.start(entry, 'broken')).rejects.toThrow('no such model');
});
