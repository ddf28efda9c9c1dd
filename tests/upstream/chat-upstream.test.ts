// A model that is asked by messages: what is sent, what is read of servers that speak the protocol each in its way, and how it is opened.
import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { layOutAsked } from '../../src/generation/steered-prompt.ts';
import { type Script, sendChunks, sending, shortMs } from '../instances.ts';
import { ask, conversation, folders, open, over, said, upstream, usage, well } from './scripted-chat.ts';

const raw =
  (body: string): Script['answer'] =>
  (_, response) =>
    void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(body);

it('needs nothing but its address, and tells what the upstream counted', async () => {
  expect(await readdir(folders.at(-1)!)).toEqual(['upstream.json']);
  expect(upstream.model).toMatchObject({ chat: 'messages', contextLength: 4_000, mixes: false, schema: { name: 'everyday' } });
  expect(await ask()).toMatchObject([{ text: 'Yes.', finishReason: 'stop', promptTokens: 21, completionTokens: 9 }]);
  expect(upstream.script.asked[0]).toEqual({
    model: 'm',
    messages: [
      { role: 'system', content: 'The guard' },
      { role: 'user', content: 'Is the gate shut?' },
    ],
    ...{ n: 1, seed: 3, max_tokens: 8, stream: true, stream_options: { include_usage: true } },
  });
});

it('attributes stand in words at the end of what the user said', async () => {
  const prompt = upstream.model.encode(await layOutAsked(upstream.model, conversation, { verbosity: 0 }));
  await ask({ prompt });
  const { messages } = upstream.script.asked[0];
  expect(messages[1].content).toMatch(/^Is the gate shut\?\n\n\S.*\.$/);
});

it('two speakers take turns there, the user first', async () => {
  const turns = [
    { role: 'assistant' as const, content: 'Halt!' },
    { role: 'user' as const, content: 'Me?' },
    { role: 'user' as const, content: 'Why?' },
  ];
  await ask({ prompt: upstream.model.encode(await layOutAsked(upstream.model, { system: ' ', turns }, {})) });
  expect(upstream.script.asked[0].messages).toEqual([
    { role: 'user', content: '…' },
    { role: 'assistant', content: 'Halt!' },
    { role: 'user', content: 'Me?\nWhy?' },
  ]);
});

it('each of several replies has a seed of its own', async () => {
  expect(await ask({ n: 3 })).toHaveLength(3);
  expect(upstream.script.asked.map(({ seed }) => seed).toSorted()).toEqual([3, 4, 5]);
});

it('whose length nobody named leaves it to the upstream', async () => {
  const prompt = upstream.model.encode(await layOutAsked(upstream.model, conversation, {}));
  await ask({ prompt, maxTokens: 4_000 - prompt.length });
  expect(upstream.script.asked[0]).not.toHaveProperty('max_tokens');
});

describe('reads what servers make of the stream', () => {
  const lines = ['Yes', '.'].map((text) => `data: ${JSON.stringify(said(text))}`);
  it.each<[string, Script['answer']]>([
    ['no role, no usage', sending([said('Yes'), said('.'), over, '[DONE]'])],
    ['no [DONE]', sending([said('Yes'), said('.'), over])],
    ['the end beside the last text', sending([said('Yes'), said('.', { finish_reason: 'stop' }), '[DONE]'])],
    ['an empty reason until the end', sending([said('Yes', { finish_reason: '' }), said('.', { finish_reason: '' }), over])],
    ['usage that is null or odd', sending([{ ...said('Yes'), usage: null }, { ...said('.'), usage: {} }, over, '[DONE]'])],
    ['a chunk without choices first', sending([{ choices: [], prompt_filter_results: [] }, said('Yes'), said('.'), over])],
    ['chunks that have none at all', sending([{}, said('Yes'), { choices: null, error: null }, said('.'), over])],
    ['a refusal, which is what it says', sending([{ choices: [{ delta: { content: null, refusal: 'Yes.' } }] }, over])],
    ['CRLF', raw([...lines, `data: ${JSON.stringify(over)}`, 'data: [DONE]', ''].join('\r\n\r\n'))],
    ['comments that keep it alive', raw([': wait', ...lines, ': wait', `data: ${JSON.stringify(over)}`, ''].join('\n\n'))],
  ])('%s', async (_, answer) => {
    upstream.script.answer = answer;
    const [end] = await ask();
    expect(end).toMatchObject({ text: 'Yes.', finishReason: 'stop' });
    expect(end).not.toHaveProperty('promptTokens');
    expect(end!.completionTokens).toBeGreaterThan(0);
    expect(upstream.reasons).toEqual([]);
  });

  it.each<[string, object[]]>([
    [
      'in a field of their own',
      [
        { choices: [{ delta: { role: 'assistant', reasoning_content: 'Hm. ' } }] },
        { choices: [{ delta: { content: null, reasoning: 'Or yes?' } }] },
        said('Yes'),
      ],
    ],
    ['in the text', [said('<thi'), said('nk>Hm. Or'), said(' yes?</think>\n\n'), said('Yes')]],
  ])('thoughts %s, told apart from the reply', async (_, chunks) => {
    upstream.script.answer = sending([...chunks, said('.'), over]);
    expect(await ask()).toMatchObject([{ text: 'Yes.', reasoning: 'Hm. Or yes?', finishReason: 'stop' }]);
  });

  it('nothing but thoughts, where its length ends there', async () => {
    const thought = { choices: [{ delta: { reasoning_content: 'Hm.' }, finish_reason: 'length' }] };
    upstream.script.answer = sending([thought]);
    expect(await ask()).toMatchObject([{ text: '', reasoning: 'Hm.', finishReason: 'length', completionTokens: 1 }]);
  });

  it('a reply that is cut, and one that ends at a stop string', async () => {
    upstream.script.answer = sending([said('Yes'), said(', but', { finish_reason: 'length' }), usage]);
    expect(await ask()).toMatchObject([{ text: 'Yes, but', finishReason: 'length', completionTokens: 9 }]);
    const left = new Promise<void>((resolve) => {
      upstream.script.answer = (_, response) => {
        sendChunks(response, [said('Yes'), said(', but')]);
        response.on('close', resolve);
      };
    });
    expect(await ask({ stop: [', b'] })).toMatchObject([{ text: 'Yes', finishReason: 'stop' }]);
    await left;
  });

  it('how likely tokens were, by their bytes', async () => {
    const content = [{ token: 'Yes', logprob: -0.1, bytes: null, top_logprobs: [{ token: '\\xf0', logprob: -2, bytes: [240] }] }];
    upstream.script.answer = sending([said('Yes', { logprobs: { content } }), over]);
    const [end] = await ask({ topLogprobs: 1 });
    const top = [{ token: -1, logprob: -2, bytes: Uint8Array.of(240) }];
    expect(end!.tokens).toEqual([{ token: -1, logprob: -0.1, bytes: new TextEncoder().encode('Yes'), top }]);
    upstream.script.answer = well;
    await expect(ask({ topLogprobs: 1 })).rejects.toMatchObject({ code: 'invalid_request', details: { param: 'logprobs' } });
  });
});

describe('one of a few texts', () => {
  const constraint = { kind: 'choice' as const, choices: ['open', 'shut'] };
  it.each<[string, string, string]>([
    ['taken out of its JSON', '{\n "choice": "shut"}', 'shut'],
    ['as a JSON text', '"open"', 'open'],
    ['bare', ' open\n', 'open'],
  ])('%s', async (_, told, text) => {
    upstream.script.answer = sending([said(told.slice(0, 4)), said(told.slice(4)), over]);
    expect(await ask({ constraint })).toMatchObject([{ text, finishReason: 'stop' }]);
    expect(upstream.script.asked[0].max_tokens).toBeGreaterThan(8);
  });

  it('nothing where its length cut it off, and a refusal where it is another', async () => {
    upstream.script.answer = sending([said('{"choi', { finish_reason: 'length' })]);
    expect(await ask({ constraint })).toMatchObject([{ text: '', finishReason: 'length' }]);
    upstream.script.answer = sending([said('{"choice": "ajar"}'), over]);
    await expect(ask({ constraint })).rejects.toMatchObject({
      code: 'not_ready',
      message: expect.stringMatching(/none of the choices/),
    });
    expect(upstream.reasons).toEqual([expect.stringMatching(/ajar.*json_schema/)]);
  });
});

describe('opening', () => {
  it.each<[object, RegExp]>([
    [{ protocol: 'telepathy' }, /protocol/],
    [{ protocol: 'completions', context_length: 4096 }, /context_length: is read beside "protocol": "chat" alone/],
    [{ api_key_env: 'sk-123' }, /api_key_env: expected the name of an environment variable/],
    [{ context_length: 3 }, /context_length/],
    [{ max_tokens_field: 'tokens' }, /max_tokens_field/],
  ])('%j is refused', async (settings, message) => {
    await expect(open(settings)).rejects.toMatchObject({ code: 'invalid_model', message: expect.stringMatching(message) });
  });

  it('asks for the key it names, and sends that alone', async () => {
    const names: string[] = [];
    const keys: unknown[] = [];
    const keyOf = (name: string) => {
      names.push(name);
      return name === 'THEIR_KEY' ? 'sk-theirs' : undefined;
    };
    upstream.script.answer = (request, response, body) => {
      keys.push(request.headers.authorization);
      well(request, response, body);
    };
    await ask({}, await open({ api_key_env: 'THEIR_KEY' }, { keyOf, apiKey: 'sk-common' }));
    await ask({}, await open({}, { keyOf, apiKey: 'sk-common' }));
    expect(keys).toEqual(['Bearer sk-theirs', 'Bearer sk-common']);
    const missing = open({ api_key_env: 'NO_KEY' }, { keyOf, apiKey: 'sk-common' });
    await expect(missing).rejects.toMatchObject({ code: 'invalid_config', message: expect.stringMatching(/NO_KEY.*not set/) });
    expect(names).toEqual(['THEIR_KEY', 'NO_KEY']);
  });

  it('takes the smaller context, and an estimate where nobody tells one', async () => {
    expect((await open({ context_length: 512 })).contextLength).toBe(512);
    expect((await open({ context_length: 9_000 })).contextLength).toBe(4_000);
    expect((await open({ model: 'unlisted' })).contextLength).toBe(8_192);
    expect((await open({ model: 'unlisted', context_length: 512 })).contextLength).toBe(512);
  });

  it('needs no list of models, but somebody who answers', async () => {
    const answers = await open({ url: `${upstream.script.url}/elsewhere` });
    expect(answers.contextLength).toBe(8_192);
    upstream.script.mute = true;
    await expect(open({ timeout_ms: shortMs })).rejects.toMatchObject({ code: 'not_ready' });
    expect(upstream.reasons.at(-1)).toMatch(new RegExp(`silent for ${shortMs} ms`));
  });
});
