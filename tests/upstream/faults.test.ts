// What an upstream can do wrong, each against a server that does it.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CompletionRequest, LanguageModel } from '../../src/generation/language-model.ts';
import { openUpstreamModel, type UpstreamOptions } from '../../src/upstream/upstream-model.ts';
import { writeSmallModel } from '../engine/models.ts';
import { chunk, gather, openScript, removeAll, type Script, sendChunks, writeUpstreamFolder } from '../instances.ts';

const folders: string[] = [];
const never = new AbortController().signal;
const done = [chunk('Yes'), chunk('.', { finish_reason: 'stop' }), '[DONE]'];
let weights: string;
let script: Script;
let model: LanguageModel;
let reasons: string[];

const status =
  (code: number, headers: Record<string, string> = {}): Script['answer'] =>
  (_, response) =>
    void response.writeHead(code, headers).end('{"error": {"message": "secret words"}}');

const sending =
  (chunks: (object | string)[]): Script['answer'] =>
  (_, response) => {
    sendChunks(response, chunks);
    response.end();
  };
const cutting =
  (chunks: object[]): Script['answer'] =>
  (_, response) => {
    sendChunks(response, chunks);
    setTimeout(() => response.destroy(), 20);
  };

const well = sending(done);

/** What a test has time for to see that an upstream says nothing. */
const shortMs = 150;

/** Patient, since a machine that stalls is no silent upstream. */
async function open(settings: object = {}, options: UpstreamOptions = {}): Promise<LanguageModel> {
  const folder = await writeUpstreamFolder(weights, { url: script.url, model: 'm', timeout_ms: 20_000, ...settings });
  folders.push(folder);
  return openUpstreamModel(folder, { onFault: (reason) => reasons.push(reason), ...options });
}

beforeAll(async () => {
  weights = await writeSmallModel(64);
  folders.push(weights);
});
afterAll(() => removeAll(folders));
beforeEach(async () => {
  reasons = [];
  script = await openScript(well);
  model = await open();
});
afterEach(async () => {
  vi.useRealTimers();
  await model.dispose();
  await script.close();
});

function ask(fields: Partial<CompletionRequest> = {}, signal = never, of = model) {
  const request = { prompt: [70, 71], maxTokens: 8, stop: [], seed: 3, n: 1, temperature: 1, topP: 1, topK: 0, ...fields };
  return gather(of.complete(request, signal));
}

describe('an upstream that tells text only', () => {
  it('is read all the same, with the smaller of two contexts', async () => {
    expect(model.contextLength).toBe(48);
    expect(await ask()).toMatchObject([{ text: 'Yes.', finishReason: 'stop', completionTokens: 2 }]);
    expect(script.asked[0]).toMatchObject({ prompt: [70, 71], model: 'm', seed: 3, stream: true, top_k: -1, max_tokens: 8 });
  });

  it('its count of tokens holds, the newline that closes a turn goes, and stop strings are watched for here', async () => {
    const usage = { choices: [], usage: { prompt_tokens: 2, completion_tokens: 9, total_tokens: 11 } };
    script.answer = (_, response) => {
      sendChunks(response, [chunk('Yes'), chunk('. No'), chunk('\n', { finish_reason: 'stop' }), usage, '[DONE]']);
      response.end();
    };
    expect(await ask()).toMatchObject([{ text: 'Yes. No', completionTokens: 9 }]);
    const left = new Promise<void>((resolve) => {
      script.answer = (_, response) => {
        sendChunks(response, [chunk('Yes'), chunk('. No'), chunk(' more')]);
        response.on('close', resolve);
      };
    });
    expect(await ask({ stop: ['. N'] })).toMatchObject([{ text: 'Yes', finishReason: 'stop' }]);
    await left;
    expect(script.asked[1]).not.toHaveProperty('stop');
  });

  it('refuses logprobs, which cannot be told', async () => {
    await expect(ask({ topLogprobs: 2 })).rejects.toMatchObject({ code: 'invalid_request', details: { param: 'logprobs' } });
  });
});

it("vLLM's token ids are what counts, without the one that ended the reply", async () => {
  const turn = script.asked;
  await ask();
  const [end] = turn[0].stop_token_ids;
  script.answer = (_, response) => {
    const logprobs = (ids: number[]) => ({
      tokens: ids.map((id) => `token_id:${id}`),
      token_logprobs: ids.map(() => -0.5),
      top_logprobs: ids.map((id) => ({ [`token_id:${id}`]: -0.5, 'token_id:9': -0.1, 'token_id:8': -0.3 })),
    });
    const first = chunk('?', { token_ids: [70, 71], logprobs: logprobs([70, 71]) });
    sendChunks(response, [first, chunk('', { token_ids: [end], logprobs: logprobs([end]), finish_reason: 'stop' }), '[DONE]']);
    response.end();
  };
  const text = new TextDecoder().decode(Buffer.concat([model.bytesOf(70), model.bytesOf(71)]));
  const top = [
    { token: 9, logprob: -0.1 },
    { token: 8, logprob: -0.3 },
  ];
  const tokens = [70, 71].map((token) => ({ token, logprob: -0.5, top }));
  expect(await ask({ topLogprobs: 2 })).toEqual([
    { kind: 'end', index: 0, text, finishReason: 'stop', completionTokens: 2, tokens },
  ]);
});

describe('trouble', () => {
  it('passes before the first token: asked again, unnoticed', async () => {
    let times = 0;
    script.answer = (request, response, body) => {
      times++;
      if (times === 1) status(500)(request, response, body);
      else if (times === 2) request.socket.destroy();
      else well(request, response, body);
    };
    expect(await ask()).toMatchObject([{ text: 'Yes.' }]);
    expect([times, reasons]).toEqual([3, []]);
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
    script.answer = answer;
    const asked = String(reason).includes('silent') ? await open({ timeout_ms: shortMs }) : model;
    const refused = await ask({}, never, asked).then(
      () => undefined,
      (error) => error,
    );
    expect(refused).toMatchObject(failure);
    if (refused.status !== 500) expect(refused.message).not.toMatch(/secret|127\.0\.0\.1/);
    expect(reasons).toEqual([expect.stringMatching(reason)]);
    expect(script.asked).toHaveLength(times);
    script.answer = well;
    expect(await ask()).toHaveLength(1);
  });

  it('ends all replies when it is one that fails', async () => {
    model = await open({ timeout_ms: 5_000 });
    const closed: unknown[] = [];
    script.answer = (request, response, body) => {
      // Not before the others are there, which would be left before they are answered.
      const all = () => vi.waitFor(() => expect(script.asked).toHaveLength(3), { timeout: 4_000 });
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
  model = await open({}, { breaker: { failures: 2, openMs: 300 } });
  script.answer = status(503);
  for (const _ of [1, 2]) await expect(ask()).rejects.toMatchObject({ code: 'not_ready' });
  const asked = script.asked.length;
  await expect(ask()).rejects.toMatchObject({ code: 'not_ready', details: { retryAfterS: 1 } });
  await expect(ask()).rejects.toThrow(/left alone/);
  expect(script.asked).toHaveLength(asked);

  vi.advanceTimersByTime(320);
  let fail = () => {};
  script.answer = (request, response, body) => {
    fail = () => status(503)(request, response, body);
  };
  const trial = ask();
  await expect.poll(() => script.asked.length).toBe(asked + 1);
  await expect(ask(), 'a second one beside the trial').rejects.toThrow(/left alone/);
  script.answer = status(503);
  fail();
  await expect(trial).rejects.toMatchObject({ code: 'not_ready' });
  await expect(ask()).rejects.toThrow(/left alone/);

  vi.advanceTimersByTime(320);
  script.answer = well;
  expect(await ask()).toHaveLength(1);
  expect(await Promise.all([ask(), ask()])).toHaveLength(2);
});

it('a caller who leaves a trial leaves it to the next', async () => {
  model = await open({}, { breaker: { failures: 1, openMs: 50 } });
  script.answer = status(503);
  await expect(ask()).rejects.toMatchObject({ code: 'not_ready' });
  await new Promise((resolve) => setTimeout(resolve, 60));
  script.answer = () => {};
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 30);
  await expect(ask({}, abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
  script.answer = well;
  expect(await ask()).toHaveLength(1);
});

describe('the caller', () => {
  it('may be slow', async () => {
    const timeoutMs = 1_500;
    model = await open({ timeout_ms: timeoutMs });
    script.answer = sending([chunk('Yes'), chunk(', it'), ...done]);
    const texts: string[] = [];
    const request = { prompt: [70], maxTokens: 8, stop: [], seed: 3, n: 1, temperature: 1, topP: 1, topK: 0 };
    for await (const event of model.complete(request, never)) {
      texts.push(event.kind);
      if (texts.length === 1) await new Promise((resolve) => setTimeout(resolve, timeoutMs + 300));
    }
    expect(texts.at(-1)).toBe('end');
  });

  it('may leave while nothing has come, between attempts too', async () => {
    const closed = new Promise<void>((resolve) => {
      script.answer = (_, response) => void response.on('close', resolve);
    });
    const abort = new AbortController();
    const waiting = ask({}, abort.signal);
    await expect.poll(() => script.asked.length).toBe(1);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await closed;
    expect(reasons).toEqual([]);
    await expect(ask({}, abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('gets what there is when the time is up', async () => {
    script.answer = (_, response) => sendChunks(response, [chunk('Yes')]);
    expect(await ask({ maxMs: 1_500 })).toMatchObject([{ text: 'Yes', finishReason: 'length', deadline: true }]);
    script.answer = () => {};
    expect(await ask({ maxMs: 60 })).toMatchObject([{ text: '', finishReason: 'length', deadline: true }]);
    expect(reasons).toEqual([]);
  });

  it('is refused when too many are there already, and cut off when the model goes', async () => {
    model = await open({ max_replies: 2, timeout_ms: 5_000 });
    script.answer = () => {};
    const first = ask({ n: 2 });
    await expect.poll(() => script.asked.length).toBe(2);
    await expect(ask()).rejects.toMatchObject({ code: 'overloaded', details: { retryAfterS: 1 } });
    const other = ask({ caller: 'another' });
    await vi.waitFor(() => expect(script.asked).toHaveLength(3));
    await model.dispose();
    for (const cut of [first, other]) await expect(cut).rejects.toMatchObject({ code: 'not_ready' });
    await expect(ask()).rejects.toMatchObject({ code: 'not_ready' });
  });
});

describe('loading names what is wrong', () => {
  it.each<[object, object]>([
    [
      { url: 'ftp://host/v1' },
      { code: 'invalid_model', message: expect.stringMatching(/upstream.json: url: expected an address/) },
    ],
    [{ url: 'http://me:pass@host/v1' }, { code: 'invalid_model', message: expect.stringMatching(/UPSTREAM_API_KEY/) }],
    [{ timeout_ms: 1 }, { code: 'invalid_model', message: expect.stringMatching(/upstream.json: timeout_ms/) }],
    [{ urll: 'x' }, { code: 'invalid_model' }],
    [{ model: 'other' }, { code: 'invalid_model', message: expect.stringMatching(/"other" at .*found: m/) }],
  ])('%j', async (settings, failure) => {
    await expect(open(settings)).rejects.toMatchObject(failure);
  });

  it('nobody who speaks', async () => {
    script.mute = true;
    await expect(open({ timeout_ms: shortMs })).rejects.toMatchObject({
      code: 'not_ready',
      message: expect.stringMatching(new RegExp(`silent for ${shortMs} ms`)),
    });
  });

  it('nobody there', async () => {
    const gone = await openScript(well);
    await gone.close();
    await expect(open({ url: gone.url })).rejects.toMatchObject({ code: 'not_ready', message: expect.not.stringMatching(/127/) });
    expect(reasons).toEqual([expect.stringMatching(/127.*ECONNREFUSED.*upstream.json/)]);
  });
});
