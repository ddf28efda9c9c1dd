// A model that is asked by messages behind the routes: a second instance of this server answers them, or a server that says what it is told.
import { basename } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LanguageModel } from '../../src/generation/language-model.ts';
import { openLanguageModel } from '../../src/generation/steered-model.ts';
import type { Listening } from '../../src/http/server.ts';
import { instructionText } from '../../src/steerlm/instructions.ts';
import { everyday } from '../../src/steerlm/schemas.ts';
import type { Store } from '../../src/store/connect.ts';
import { openUpstreamModel } from '../../src/upstream/upstream-model.ts';
import { writeSmallModel } from '../engine/models.ts';
import { key, openScript, removeAll, type Script, sending, serveModel, writeChatFolder } from '../instances.ts';
import { testDatabases } from '../store/databases.ts';
import { type House, openHouse, post } from './knock.ts';
import { marta } from './marta.ts';

const folders: string[] = [];
afterAll(() => removeAll(folders));

async function open(settings: object): Promise<LanguageModel> {
  const folder = await writeChatFolder({ model: 'small', ...settings });
  folders.push(folder);
  return await openUpstreamModel(folder, { apiKey: key });
}

describe('a second instance of this server', () => {
  const route = '/v1/chat/completions';
  const messages = [{ role: 'user', content: 'Is the gate shut?' }];
  const words = instructionText(everyday, { verbosity: 0 });
  let local: LanguageModel;
  let second: Listening;
  let model: LanguageModel;
  let house: House;

  beforeAll(async () => {
    const folder = await writeSmallModel(512);
    folders.push(folder);
    local = await openLanguageModel(folder, { threads: 1, sequences: 16 });
    second = await serveModel(local);
    model = await open({ url: `${second.url}/v1/` });
    house = openHouse();
    house.shelf.languages = [model];
  });
  afterAll(async () => {
    await model.dispose();
    await second.close();
    await local.dispose();
  });

  const ask = async (fields: object, path = route) => (await post(house, path, { messages, ...fields })).body;
  /** The second instance, asked by hand. */
  async function askThere(content: string, fields: object) {
    const body = JSON.stringify({ messages: [{ role: 'user', content }], temperature: 0.999, ...fields });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
    const reply = await fetch(`${second.url}${route}`, { method: 'POST', headers, body });
    // biome-ignore lint/suspicious/noExplicitAny: the test reads what came
    return (await reply.json()) as any;
  }

  it('says what it says to the same messages, counted as it counts', async () => {
    const dials = {
      temperature: 0.999,
      top_p: 0.9,
      max_tokens: 12,
      frequency_penalty: 0.5,
      seed: 4,
      logprobs: true,
      top_logprobs: 2,
    };
    const there = await askThere(`Is the gate shut?\n\n${words}`, dials);
    const { choices, usage, model: name } = await ask({ ...dials, attributes: { verbosity: 0 } });
    expect(choices[0]).toMatchObject({
      message: { content: there.choices[0].message.content, attributes: { verbosity: 0 } },
      finish_reason: there.choices[0].finish_reason,
      logprobs: there.choices[0].logprobs,
      steering: { applied: { verbosity: 0 } },
    });
    expect([usage, name]).toEqual([there.usage, basename(folders.at(-1)!)]);
    expect(usage.completion_tokens).toBe(12);
  });

  it('says it in a stream too, each of several', async () => {
    const dials = { temperature: 0.999, max_tokens: 10, seed: 11, n: 2, stop: ['~~'] };
    const there = await askThere('Is the gate shut?', dials);
    const chunks = await ask({ ...dials, stream: true, stream_options: { include_usage: true } });
    expect(chunks.at(-1)).toBe('[DONE]');
    for (const index of [0, 1]) {
      const deltas = chunks
        .flatMap((each: typeof there) => each.choices ?? [])
        .filter((each: typeof there) => each.index === index);
      const text = deltas.map((each: typeof there) => each.delta.content ?? '').join('');
      expect(text).toBe(there.choices[index].message.content);
    }
    expect(chunks.at(-2).usage).toEqual(there.usage);
  });

  it('keeps to a schema and to a choice', async () => {
    const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false };
    const { choices } = await ask({ response_format: { type: 'json_schema', json_schema: { schema } }, max_tokens: 40 });
    expect(Object.keys(JSON.parse(choices[0].message.content))).toEqual(['n']);
    const chosen = await ask({ structured_outputs: { choice: ['open', 'shut'] }, max_tokens: 40 });
    expect(['open', 'shut']).toContain(chosen.choices[0].message.content);
  });

  it('the nearest of several is kept where a predictor is named', async () => {
    const steering = { best_of: 3, predictor: 'counter' };
    const { choices, usage } = await ask({ attributes: { verbosity: 4 }, steering, max_tokens: 10, temperature: 0.999, seed: 2 });
    expect(choices[0].steering).toMatchObject({ candidates: 3, measured: { verbosity: { value: expect.any(Number) } } });
    expect(usage.completion_tokens).toBeGreaterThan(10);
    expect((await ask({ steering: { best_of: 3 } })).error).toMatchObject({ param: 'steering.predictor' });
  });

  it('its prompt is shown in words, without ids that nobody knows', async () => {
    const shown = await ask({ attributes: { verbosity: 0 } }, `${route}/render`);
    expect(shown).toMatchObject({ prompt: `<user>Is the gate shut?\n\n${words}`, token_ids: [] });
    expect(shown.prompt_tokens).toBeGreaterThan(10);
  });

  it.each<[object, string]>([
    [{ steering: { strength: 2 }, attributes: { verbosity: 0 } }, 'steering.strength'],
    [{ steering: { schedule: [{ after: { tokens: 2 }, attributes: { verbosity: 0 } }] } }, 'steering.schedule'],
    [{ steering: { method: 'label' } }, 'steering.method'],
    [{ attributes: { verbosity: 0.5 } }, 'attributes.verbosity'],
    [{ top_k: 4 }, 'top_k'],
    [{ min_p: 0.2 }, 'min_p'],
    [{ repetition_penalty: 1.2 }, 'repetition_penalty'],
    [{ structured_outputs: { regex: 'a+' } }, 'structured_outputs.regex'],
  ])('%j is refused by name', async (fields, param) => {
    expect((await ask(fields)).error).toMatchObject({ code: 'invalid_request', param });
  });

  it('raw text is refused, and a conversation beyond the estimate', async () => {
    for (const prompt of ['Once', [5, 6]]) {
      const { error } = (await post(house, '/v1/completions', { prompt })).body;
      expect(error).toMatchObject({
        code: 'invalid_request',
        param: 'prompt',
        message: expect.stringMatching(/asked by messages/),
      });
    }
    const { error } = await ask({ messages: [{ role: 'user', content: 'word '.repeat(20_000) }] });
    expect(error).toMatchObject({ code: 'context_length_exceeded' });
  });
});

describe.each(await testDatabases())('a character on $name', (database) => {
  const said = (content: string, finish_reason: string | null = null) => ({ choices: [{ delta: { content }, finish_reason }] });
  const usage = { choices: [], usage: { prompt_tokens: 77, completion_tokens: 6 } };
  const attributes = { ...marta.attributes, helpfulness: 2 };
  let script: Script;
  let store: Store;
  let house: House;

  beforeAll(async () => {
    store = await database.open();
  }, 60_000);
  afterAll(() => store.close());
  beforeEach(async () => {
    script = await openScript((request, response, body) => {
      const text = JSON.parse(body).response_format ? ['{"choice": ', '"pour"}'] : ['Aye. The ', 'cellar floods.'];
      const thought = { choices: [{ delta: { reasoning_content: 'They ask of the cellar.' } }] };
      sending([thought, said(text[0]!), said(text[1]!, 'stop'), usage, '[DONE]'])(request, response, body);
    }, 4_000);
    house = openHouse({}, { db: store.db });
    house.shelf.languages = [await open({ url: script.url, model: 'm' })];
    return () => script.close();
  });

  it('speaks through it: its mood in words, what it knows in the system turn, and does what it chooses', async () => {
    const actions = [{ name: 'pour' }, { name: 'leave' }];
    const made = await post(house, '/v1/npcs', { ...marta, attributes, actions });
    expect(made.status, JSON.stringify(made.body)).toBe(200);
    const { body: session } = await post(house, '/v1/npcs/marta/sessions', { player_id: 'ann', player_name: 'Ann', seed: 5 });
    const at = `/v1/npcs/marta/sessions/${session.id}`;
    await post(house, `${at}/events`, { type: 'quest.completed', data: { item: 'a goose' } });
    const { status, body } = await post(house, `${at}/say`, { text: 'How is the cellar?' });
    expect([status, body]).toMatchObject([200, { text: 'Aye. The cellar floods.', action: 'pour', fallback: false }]);
    expect(JSON.stringify(body)).not.toContain('They ask');
    expect(body.usage).toMatchObject({ prompt_tokens: 77, completion_tokens: 6 });
    const [{ messages }, choosing] = script.asked;
    expect(messages.map(({ role }: { role: string }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(messages[0].content).toMatch(/^You are Marta.*The cellar floods in spring.*Ann brought a goose\.$/s);
    const { applied } = body.steering;
    expect(applied).toMatchObject({ humor: 3 });
    expect(messages.at(-1).content).toBe(`How is the cellar?\n\n${instructionText(everyday, applied)}`);
    expect(choosing.messages.at(-1).content).toMatch(/^What do you do\? One of: none, pour, leave/);
  });

  it('says what it has ready where the upstream fails', async () => {
    script.answer = (_, response) => void response.writeHead(429, { 'retry-after': '3' }).end();
    await post(house, '/v1/npcs', { ...marta, attributes });
    const { body: session } = await post(house, '/v1/npcs/marta/sessions', { player_id: 'ann', player_name: 'Ann' });
    const { body } = await post(house, `/v1/npcs/marta/sessions/${session.id}/say`, { text: 'Hello?' });
    expect(body).toMatchObject({ text: 'Marta nods.', fallback: true, reason: 'overloaded' });
  });
});
