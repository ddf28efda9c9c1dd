// What an upstream can do wrong, each against a server that does it.
import { describe, expect, it, vi } from 'vitest';
import { chunk, never, type Script, sendChunks, sending, shortMs } from '../instances.ts';
import { ask, done, open, upstream, well } from './scripted-upstream.ts';

const status =
  (code: number, headers: Record<string, string> = {}): Script['answer'] =>
  (_, response) =>
    void response.writeHead(code, headers).end('{"error": {"message": "secret words"}}');

const cutting =
  (chunks: object[]): Script['answer'] =>
  (_, response) => {
    sendChunks(response, chunks);
    // A comment, after which all that was sent has left.
    response.write(':\n\n', () => response.destroy());
  };

describe('trouble', () => {
  it('passes before the first token: asked again, unnoticed', async () => {
    let times = 0;
    upstream.script.answer = (request, response, body) => {
      times++;
      if (times === 1) status(500)(request, response, body);
      else if (times === 2) request.socket.destroy();
      else well(request, response, body);
    };
    expect(await ask()).toMatchObject([{ text: 'Yes.' }]);
    expect([times, upstream.reasons]).toEqual([3, []]);
  });

  it.each<[string, Script['answer'], object, RegExp, number]>([
    ['a fault', status(502, { 'retry-after': '7' }), { code: 'not_ready', details: { retryAfterS: 7 } }, /502.*secret words/, 3],
    ['too much to do', status(429, { 'retry-after': '9' }), { code: 'overloaded', details: { retryAfterS: 9 } }, /429/, 1],
    ['a refusal', status(400), { code: 'invalid_request' }, /400.*secret words/, 1],
    ['a wrong key', status(401), { code: 'invalid_config' }, /UPSTREAM_API_KEY/, 1],
    ['no such model', status(404), { code: 'invalid_model' }, /model in upstream.json/, 1],
    ['a page instead', (_, r) => void r.end('<html>Welcome!</html>'), { code: 'internal_error' }, /answer without any/, 1],
    ['no JSON', sending(['{"choi']), { code: 'internal_error' }, /not JSON/, 1],
    ['another shape', sending([{ choices: [{ delta: {} }] }]), { code: 'internal_error' }, /text/, 1],
    ['a lost connection', (q) => void q.socket.destroy(), { code: 'not_ready' }, /does not answer/, 3],
    ['silence', () => {}, { code: 'not_ready' }, new RegExp(`silent for ${shortMs} ms`), 1],
    [
      'silence after a token',
      (_, r) => sendChunks(r, [chunk('Yes')]),
      { code: 'not_ready' },
      new RegExp(`silent for ${shortMs} ms`),
      1,
    ],
    ['half a reply', sending([chunk('Yes')]), { code: 'not_ready' }, /ended before/, 1],
    ['a cut', cutting([chunk('Y')]), { code: 'not_ready' }, /broke a/, 1],
    ['an error in the stream', sending([chunk('Y'), { error: {} }]), { code: 'not_ready' }, /broke/, 1],
    [
      'an end nobody asked for',
      sending([chunk('Y', { finish_reason: 'abort' })]),
      { code: 'not_ready' },
      /finish_reason abort/,
      1,
    ],
  ])('%s', async (_, answer, failure, reason, times) => {
    upstream.script.answer = answer;
    const asked = String(reason).includes('silent') ? await open({ timeout_ms: shortMs }) : upstream.model;
    const refused = await ask({}, never, asked).then(
      () => undefined,
      (error) => error,
    );
    expect(refused).toMatchObject(failure);
    if (refused.status !== 500) expect(refused.message).not.toMatch(/secret|127\.0\.0\.1/);
    expect(upstream.reasons).toEqual([expect.stringMatching(reason)]);
    expect(upstream.script.asked).toHaveLength(times);
    upstream.script.answer = well;
    expect(await ask()).toHaveLength(1);
  });

  it('ends all replies when it is one that fails', async () => {
    upstream.model = await open({ timeout_ms: 5_000 });
    const closed: unknown[] = [];
    upstream.script.answer = (request, response, body) => {
      // Not before the others are there, which would be left before they are answered.
      const all = () => vi.waitFor(() => expect(upstream.script.asked).toHaveLength(3), { timeout: 4_000 });
      if (JSON.parse(body).seed === 4) return void all().then(() => status(400)(request, response, body));
      sendChunks(response, [chunk('Yes')]);
      response.on('close', () => closed.push(body));
    };
    await expect(ask({ n: 3 })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect.poll(() => closed.length).toBe(2);
  });
});

it('after failures in a row it is left alone, then tried once, then back', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  upstream.model = await open({}, { breaker: { failures: 2, openMs: 300 } });
  upstream.script.answer = status(503);
  for (const _ of [1, 2]) await expect(ask()).rejects.toMatchObject({ code: 'not_ready' });
  const asked = upstream.script.asked.length;
  await expect(ask()).rejects.toMatchObject({ code: 'not_ready', details: { retryAfterS: 1 } });
  await expect(ask()).rejects.toThrow(/left alone/);
  expect(upstream.script.asked).toHaveLength(asked);

  vi.advanceTimersByTime(320);
  let fail = () => {};
  upstream.script.answer = (request, response, body) => {
    fail = () => status(503)(request, response, body);
  };
  const trial = ask();
  await expect.poll(() => upstream.script.asked.length).toBe(asked + 1);
  await expect(ask(), 'a second one beside the trial').rejects.toThrow(/left alone/);
  upstream.script.answer = status(503);
  fail();
  await expect(trial).rejects.toMatchObject({ code: 'not_ready' });
  await expect(ask()).rejects.toThrow(/left alone/);

  vi.advanceTimersByTime(320);
  upstream.script.answer = well;
  expect(await ask()).toHaveLength(1);
  expect(await Promise.all([ask(), ask()])).toHaveLength(2);
});

it('a caller who leaves a trial leaves it to the next', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  upstream.model = await open({}, { breaker: { failures: 1, openMs: 50 } });
  upstream.script.answer = status(503);
  await expect(ask()).rejects.toMatchObject({ code: 'not_ready' });
  vi.advanceTimersByTime(60);
  const abort = new AbortController();
  upstream.script.answer = () => abort.abort();
  await expect(ask({}, abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
  upstream.script.answer = well;
  expect(await ask()).toHaveLength(1);
});

describe('the caller', () => {
  it('may be slow', async () => {
    const timeoutMs = 1_500;
    upstream.model = await open({ timeout_ms: timeoutMs });
    upstream.script.answer = sending([chunk('Yes'), chunk(', it'), ...done]);
    const texts: string[] = [];
    const request = { prompt: [70], maxTokens: 8, stop: [], seed: 3, n: 1, temperature: 1, topP: 1, topK: 0 };
    for await (const event of upstream.model.complete(request, never)) {
      texts.push(event.kind);
      if (texts.length === 1) await new Promise((resolve) => setTimeout(resolve, timeoutMs + 300));
    }
    expect(texts.at(-1)).toBe('end');
  });

  it('may leave while nothing has come, between attempts too', async () => {
    const closed = new Promise<void>((resolve) => {
      upstream.script.answer = (_, response) => void response.on('close', resolve);
    });
    const abort = new AbortController();
    const waiting = ask({}, abort.signal);
    await expect.poll(() => upstream.script.asked.length).toBe(1);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await closed;
    expect(upstream.reasons).toEqual([]);
    await expect(ask({}, abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('gets what there is when the time is up', async () => {
    upstream.script.answer = (_, response) => sendChunks(response, [chunk('Yes')]);
    expect(await ask({ maxMs: 1_500 })).toMatchObject([{ text: 'Yes', finishReason: 'length', deadline: true }]);
    upstream.script.answer = () => {};
    expect(await ask({ maxMs: 60 })).toMatchObject([{ text: '', finishReason: 'length', deadline: true }]);
    expect(upstream.reasons).toEqual([]);
  });

  it('is refused when too many are there already, and cut off when the model goes', async () => {
    upstream.model = await open({ max_replies: 2, timeout_ms: 5_000 });
    upstream.script.answer = () => {};
    const first = ask({ n: 2 });
    await expect.poll(() => upstream.script.asked.length).toBe(2);
    await expect(ask()).rejects.toMatchObject({ code: 'overloaded', details: { retryAfterS: 1 } });
    const other = ask({ caller: 'another' });
    await vi.waitFor(() => expect(upstream.script.asked).toHaveLength(3));
    await upstream.model.dispose();
    for (const cut of [first, other]) await expect(cut).rejects.toMatchObject({ code: 'not_ready' });
    await expect(ask()).rejects.toMatchObject({ code: 'not_ready' });
  });
});
