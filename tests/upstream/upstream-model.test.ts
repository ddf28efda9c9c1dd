// A model that runs elsewhere: what is wrong with its folder or its server is named, and its replies are read as each kind of server tells them.
import { describe, expect, it } from 'vitest';
import { chunk, openScript, sendChunks, shortMs } from '../instances.ts';
import { ask, open, upstream, well } from './scripted-upstream.ts';

describe('an upstream that tells text only', () => {
  it('is read all the same, with the smaller of two contexts', async () => {
    expect(upstream.model.contextLength).toBe(48);
    expect(await ask()).toMatchObject([{ text: 'Yes.', finishReason: 'stop', completionTokens: 2 }]);
    expect(upstream.script.asked[0]).toMatchObject({
      prompt: [70, 71],
      model: 'm',
      seed: 3,
      stream: true,
      top_k: -1,
      max_tokens: 8,
    });
  });

  it('its count of tokens holds, the newline that closes a turn goes, and stop strings are watched for here', async () => {
    const usage = { choices: [], usage: { prompt_tokens: 2, completion_tokens: 9, total_tokens: 11 } };
    upstream.script.answer = (_, response) => {
      sendChunks(response, [chunk('Yes'), chunk('. No'), chunk('\n', { finish_reason: 'stop' }), usage, '[DONE]']);
      response.end();
    };
    expect(await ask()).toMatchObject([{ text: 'Yes. No', completionTokens: 9 }]);
    const left = new Promise<void>((resolve) => {
      upstream.script.answer = (_, response) => {
        sendChunks(response, [chunk('Yes'), chunk('. No'), chunk(' more')]);
        response.on('close', resolve);
      };
    });
    expect(await ask({ stop: ['. N'] })).toMatchObject([{ text: 'Yes', finishReason: 'stop' }]);
    await left;
    expect(upstream.script.asked[1]).not.toHaveProperty('stop');
  });

  it('refuses logprobs, which cannot be told', async () => {
    await expect(ask({ topLogprobs: 2 })).rejects.toMatchObject({ code: 'invalid_request', details: { param: 'logprobs' } });
  });
});

it("vLLM's token ids are what counts, without the one that ended the reply", async () => {
  const turn = upstream.script.asked;
  await ask();
  const [end] = turn[0].stop_token_ids;
  upstream.script.answer = (_, response) => {
    const logprobs = (ids: number[]) => ({
      tokens: ids.map((id) => `token_id:${id}`),
      token_logprobs: ids.map(() => -0.5),
      top_logprobs: ids.map((id) => ({ [`token_id:${id}`]: -0.5, 'token_id:9': -0.1, 'token_id:8': -0.3 })),
    });
    const first = chunk('?', { token_ids: [70, 71], logprobs: logprobs([70, 71]) });
    sendChunks(response, [first, chunk('', { token_ids: [end], logprobs: logprobs([end]), finish_reason: 'stop' }), '[DONE]']);
    response.end();
  };
  const text = new TextDecoder().decode(Buffer.concat([upstream.model.bytesOf(70), upstream.model.bytesOf(71)]));
  const top = [
    { token: 9, logprob: -0.1 },
    { token: 8, logprob: -0.3 },
  ];
  const tokens = [70, 71].map((token) => ({ token, logprob: -0.5, top }));
  expect(await ask({ topLogprobs: 2 })).toEqual([
    { kind: 'end', index: 0, text, finishReason: 'stop', completionTokens: 2, tokens },
  ]);
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
    upstream.script.mute = true;
    await expect(open({ timeout_ms: shortMs })).rejects.toMatchObject({
      code: 'not_ready',
      message: expect.stringMatching(new RegExp(`silent for ${shortMs} ms`)),
    });
  });

  it('nobody there', async () => {
    const gone = await openScript(well);
    await gone.close();
    await expect(open({ url: gone.url })).rejects.toMatchObject({ code: 'not_ready', message: expect.not.stringMatching(/127/) });
    expect(upstream.reasons).toEqual([expect.stringMatching(/127.*ECONNREFUSED.*upstream.json/)]);
  });
});
