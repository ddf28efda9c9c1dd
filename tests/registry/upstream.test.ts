// A folder with an upstream among the models, and a server that starts before the upstream does.
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exportGguf } from '../../src/model/formats/gguf.ts';
import { blankCard, readModelCard, writeModelCard } from '../../src/model/model-folder.ts';
import { ModelRegistry } from '../../src/registry/model-registry.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import { startSteer } from '../cli/steer.ts';
import { writeSmallModel } from '../engine/models.ts';
import { chunk, openScript, type Script, sendChunks } from '../instances.ts';

let home: string;
let script: Script;
let keys: (string | undefined)[];

beforeEach(async () => {
  keys = [];
  script = await openScript((request, response) => {
    keys.push(request.headers.authorization);
    sendChunks(response, [chunk('Yes.', { finish_reason: 'stop' }), '[DONE]']);
    response.end();
  }, 160);
  home = await mkdtemp(join(tmpdir(), 'steer-home-'));
  const folder = await writeSmallModel(160);
  await mkdir(join(home, 'models'));
  await cp(folder, join(home, 'models', 'far'), { recursive: true });
  await rm(folder, { recursive: true });
  await rm(join(home, 'models', 'far', 'model.safetensors'));
  await writeFile(join(home, 'models', 'far', 'upstream.json'), JSON.stringify({ url: script.url, model: 'm' }));
});
afterEach(async () => {
  await script.close();
  await rm(home, { recursive: true });
});

test('it is listed, loaded and asked like any other; what does not fit is passed over', async () => {
  const odd = join(home, 'models', 'odd');
  await cp(join(home, 'models', 'far'), odd, { recursive: true });
  await writeModelCard(odd, { ...(await readModelCard(odd)), name: 'odd', kind: 'predictor' });
  const bad = join(home, 'models', 'bad');
  await cp(join(home, 'models', 'far'), bad, { recursive: true });
  await writeFile(join(bad, 'upstream.json'), '{"url": "here", "model": "m"}');
  const told: string[] = [];
  const registry = await ModelRegistry.open(join(home, 'models'), {
    onBroken: (folder, reason) => told.push(`${folder.slice(home.length)}: ${reason}`),
    upstreamKey: 'sk-1',
    onUpstreamFault: (id, reason) => told.push(`${id}: ${reason}`),
  });
  expect(told.splice(0)).toEqual([
    expect.stringMatching(/bad: .*upstream.json: url: expected an address/),
    expect.stringMatching(/odd: .*predictor, which runs here only/),
  ]);
  expect(registry.list()).toMatchObject([{ id: 'small', kind: 'language', status: 'unloaded', contextLength: 160 }]);
  await registry.warmUp();
  const model = await registry.language('small');
  const request = { prompt: [70], maxTokens: 8, stop: [], seed: 3, n: 1, temperature: 1, topP: 1, topK: 0 };
  const texts: string[] = [];
  for await (const event of model.complete(request, new AbortController().signal)) texts.push(event.text);
  expect([texts, keys]).toEqual([['Yes.', 'Yes.'], ['Bearer sk-1']]);
  script.answer = (_, response) => void response.writeHead(400).end('too odd');
  await expect(model.complete(request, new AbortController().signal)[Symbol.asyncIterator]().next()).rejects.toThrow(/refused/);
  expect(told).toEqual([expect.stringMatching(/small: .*400: too odd/)]);
  await registry.dispose();
});

test('one that is asked by messages needs nothing but where it runs, and a card only for a name and attributes', async () => {
  for (const folder of ['hosted', 'named', 'odd']) {
    await mkdir(join(home, 'models', folder));
    const settings = { url: script.url, model: 'm', protocol: 'chat', context_length: 4096, api_key_env: 'THEIR_KEY' };
    await writeFile(join(home, 'models', folder, 'upstream.json'), JSON.stringify(settings));
  }
  const named = join(home, 'models', 'named');
  await writeModelCard(named, { ...blankCard('guard'), attributeSchema: gameCharacters });
  await writeFile(join(home, 'models', 'odd', 'upstream.json'), JSON.stringify({ url: script.url, model: 'm' }));
  const told: string[] = [];
  const registry = await ModelRegistry.open(join(home, 'models'), {
    onBroken: (folder, reason) => told.push(`${folder.slice(home.length)}: ${reason}`),
    upstreamKey: 'sk-1',
    upstreamKeyOf: (variable) => (variable === 'THEIR_KEY' ? 'sk-3' : undefined),
  });
  expect(told).toEqual([expect.stringMatching(/odd: Expected .* "protocol": "chat"/)]);
  const rest = { kind: 'language', chat: 'messages', contextLength: 4096, status: 'unloaded' };
  expect(registry.list()).toMatchObject([
    { id: 'small' },
    { id: 'hosted', aliases: [], schema: { name: 'everyday' }, ...rest },
    { id: 'guard', aliases: ['named'], schema: { name: 'npc' }, ...rest },
  ]);
  expect(await registry.report('hosted')).toEqual({ measured: {}, evaluations: {} });
  expect(await registry.language('guard')).toMatchObject({ id: 'guard', contextLength: 160, schema: { name: 'npc' } });
  await registry.dispose();
});

test('a GGUF file tells what config.json and tokenizer.json would', async () => {
  const weights = await writeSmallModel(64);
  const folder = join(home, 'models', 'far');
  await rm(folder, { recursive: true });
  await mkdir(folder);
  await exportGguf(weights, join(folder, 'small.gguf'), 'f32');
  await rm(weights, { recursive: true });
  const told: string[] = [];
  const revisions: string[] = [];
  for (const max_replies of [1, 1, 2]) {
    await writeFile(join(folder, 'upstream.json'), JSON.stringify({ url: script.url, model: 'm', max_replies }));
    const registry = await ModelRegistry.open(join(home, 'models'), { onBroken: (_, reason) => told.push(reason) });
    expect(registry.list()).toMatchObject([{ id: 'small', contextLength: 64 }]);
    const { revision, contextLength } = await registry.language('small');
    expect(contextLength).toBe(64);
    revisions.push(revision);
    await registry.dispose();
  }
  expect(told).toEqual([]);
  expect(revisions).toEqual([revisions[0], revisions[0], expect.not.stringMatching(revisions[0]!)]);
});

test('it is listed without a size, and without a context that nobody told', async () => {
  await mkdir(join(home, 'models', 'hosted'));
  await writeFile(
    join(home, 'models', 'hosted', 'upstream.json'),
    JSON.stringify({ url: script.url, model: 'm', protocol: 'chat' }),
  );
  const { code, stdout } = await startSteer(home, ['models']).ended;
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/\nsmall +language +– +160 .*\nhosted +language +– +– .*instruction/s),
  ]);
});

test('it writes on the terminal, with the key that the environment holds', async () => {
  await mkdir(join(home, 'models', 'hosted'));
  const settings = { url: script.url, model: 'm', protocol: 'chat', api_key_env: 'THEIR_KEY' };
  await writeFile(join(home, 'models', 'hosted', 'upstream.json'), JSON.stringify(settings));
  script.answer = (request, response) => {
    keys.push(request.headers.authorization);
    sendChunks(response, [{ choices: [{ delta: { content: 'Aye.' }, finish_reason: 'stop' }] }]);
    response.end();
  };
  const args = ['generate', '--model', 'hosted', '--attribute', 'verbosity=0', 'Well?'];
  const { code, stdout } = await startSteer(home, args, { env: { THEIR_KEY: 'sk-3', UPSTREAM_API_KEY: 'sk-1' } }).ended;
  expect([code, stdout, keys]).toEqual([0, 'Aye.\n', ['Bearer sk-3']]);
  expect(script.asked[0].messages).toEqual([{ role: 'user', content: 'Well?\n\nAnswer in one short sentence.' }]);
  const unset = await startSteer(home, args, { env: { UPSTREAM_API_KEY: 'sk-1' } }).ended;
  expect([unset.code, unset.stderr]).toEqual([1, expect.stringMatching(/THEIR_KEY holds its key, and that is not set/)]);
});

test('a server waits for the upstream of its default model, and says so', async () => {
  script.mute = true;
  const server = startSteer(home, ['serve'], { env: { PORT: '0', UPSTREAM_API_KEY: 'sk-2' } });
  try {
    await server.said('Trying again');
    const url = /"url":"(http:[^"]+)"/.exec(server.output())?.[1];
    expect((await fetch(`${url}/health/ready`)).status).toBe(503);
    script.mute = false;
    await server.said('"msg":"ready"');
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'Well?' }] });
    const reply = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(await reply.json()).toMatchObject({ choices: [{ message: { content: 'Yes.' } }], model: 'small' });
    await expect.poll(() => keys).toEqual(['Bearer sk-2']);
  } finally {
    server.kill('SIGTERM');
    await server.ended;
  }
});
