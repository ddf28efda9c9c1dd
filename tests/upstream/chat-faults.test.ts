// What an upstream that is asked by messages can do wrong, and what it cannot be asked.
import { describe, expect, it } from 'vitest';
import { type Script, sendChunks, sending, shortMs } from '../instances.ts';
import { ask, open, over, said, upstream, usage, well } from './scripted-chat.ts';

const status =
  (code: number, words: string, headers: Record<string, string> = {}): Script['answer'] =>
  (_, response) =>
    void response.writeHead(code, headers).end(words);

describe('what goes wrong is told, and nothing is lost', () => {
  const secret = '{"error": {"message": "secret words"}}';
  it.each<[string, Script['answer'], object, RegExp, number]>([
    ['half a reply', sending([said('Yes')]), { code: 'not_ready' }, /ended before/, 1],
    ['[DONE] before the end', sending([said('Yes'), '[DONE]']), { code: 'not_ready' }, /ended before/, 1],
    [
      'an error in the stream',
      sending([said('Yes'), { error: { message: 'secret' } }]),
      { code: 'not_ready' },
      /broke.*secret/,
      1,
    ],
    ['nothing but chunks without choices', sending([{}, '[DONE]']), { code: 'not_ready' }, /ended before/, 1],
    ['a page instead', (_, r) => void r.end('<html>Welcome!</html>'), { code: 'internal_error' }, /answer without any/, 1],
    ['no stream', (_, r) => void r.end(JSON.stringify({ choices: [] })), { code: 'internal_error' }, /answer without any/, 1],
    [
      'a reply that is withheld',
      sending([said('Y', { finish_reason: 'content_filter' })]),
      { code: 'invalid_request' },
      /content_filter/,
      1,
    ],
    ['a call of a tool', sending([said('', { finish_reason: 'tool_calls' })]), { code: 'not_ready' }, /tool_calls/, 1],
    ['a wrong key', status(401, secret), { code: 'invalid_config' }, /401.*secret.*THEIR_KEY/, 1],
    ['no such model', status(404, secret), { code: 'invalid_model' }, /model in upstream.json/, 1],
    [
      'too much to do',
      status(429, secret, { 'retry-after': '9' }),
      { code: 'overloaded', details: { retryAfterS: 9 } },
      /429/,
      1,
    ],
    [
      'a conversation that is too long there',
      status(400, '{"error": {"code": "context_length_exceeded"}}'),
      { code: 'context_length_exceeded' },
      /context_length in upstream.json/,
      1,
    ],
    ['another refusal', status(400, secret), { code: 'invalid_request' }, /400.*secret/, 1],
    ['a fault', status(500, secret), { code: 'not_ready' }, /500/, 3],
    ['silence', () => {}, { code: 'not_ready' }, new RegExp(`silent for ${shortMs} ms`), 1],
    [
      'nothing but signs of life',
      (_, r) => void r.writeHead(200).write(': wait\n\n'),
      { code: 'not_ready' },
      new RegExp(`silent for ${shortMs} ms`),
      1,
    ],
  ])('%s', async (_, answer, failure, reason, times) => {
    const patient = String(reason).includes('silent') ? { timeout_ms: shortMs } : {};
    const asked = await open({ api_key_env: 'THEIR_KEY', ...patient }, { keyOf: () => 'sk-theirs' });
    upstream.script.answer = answer;
    const refused = await ask({}, asked).then(
      () => undefined,
      (error) => error,
    );
    expect(refused).toMatchObject(failure);
    if (refused.status !== 500) expect(refused.message).not.toMatch(/secret|127\.0\.0\.1/);
    expect(upstream.reasons).toEqual([expect.stringMatching(reason)]);
    expect(upstream.reasons[0]).not.toContain('sk-theirs');
    expect(upstream.script.asked).toHaveLength(times);
    upstream.script.answer = well;
    // A machine that stalls is no silent upstream.
    expect(await ask({}, 'timeout_ms' in patient ? upstream.model : asked)).toHaveLength(1);
  });

  it('a reply without end is cut off', async () => {
    const left = new Promise<void>((resolve) => {
      upstream.script.answer = (_, response) => {
        response.on('close', resolve);
        const write = () => {
          if (response.destroyed) return;
          sendChunks(response, [said('x'.repeat(10_000))]);
          setImmediate(write);
        };
        write();
      };
    });
    const [end] = await ask({ maxTokens: 4 });
    await left;
    expect(end).toMatchObject({ finishReason: 'length' });
    expect(end!.text.length).toBeLessThanOrEqual(2 ** 16 + 4 * 16);
    expect(upstream.reasons).toEqual([expect.stringMatching(/more than the 4 tokens.*cut off/)]);
  });

  it('what comes behind the end is no part of the reply and holds nobody', async () => {
    upstream.script.answer = (_, response) => {
      sendChunks(response, [said('Yes'), over, usage]);
      const more = setInterval(() => sendChunks(response, [said(' and more')]), 20);
      response.on('close', () => clearInterval(more));
    };
    expect(await ask()).toMatchObject([{ text: 'Yes', finishReason: 'stop', completionTokens: 9 }]);
    expect(upstream.reasons).toEqual([]);
  });

  it('raw text, and what no conversation asks for', async () => {
    const prompt = upstream.model.encode([{ text: 'Once upon', trained: false }]);
    await expect(ask({ prompt })).rejects.toMatchObject({ code: 'invalid_request', details: { param: 'prompt' } });
    await expect(ask({ topK: 7 })).rejects.toMatchObject({ code: 'invalid_request', details: { param: 'top_k' } });
    expect(upstream.script.asked).toEqual([]);
  });

  it('a caller who leaves is left, and time that is up ends the reply', async () => {
    upstream.script.answer = (_, response) => sendChunks(response, [said('Yes')]);
    expect(await ask({ maxMs: 1_500 })).toMatchObject([{ text: 'Yes', finishReason: 'length', deadline: true }]);
    const closed = new Promise<void>((resolve) => {
      upstream.script.answer = (_, response) => void response.on('close', resolve);
    });
    const abort = new AbortController();
    const waiting = ask({}, upstream.model, abort.signal);
    await expect.poll(() => upstream.script.asked.length).toBe(2);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await closed;
    expect(upstream.reasons).toEqual([]);
  });
});
