// Steering vectors of characters and of their lines: whose holds, what is told and logged, and what is read plain.
import { cp, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openLanguageModel } from '../../src/generation/steered-model.ts';
import { removeVector, steeringVectors, vectorsName } from '../../src/model/vectors/kept-vectors.ts';
import { giveVectors, numbersFor, openScratch } from '../model/vectors/vector-files.ts';
import { base64, png, text } from '../npc/odd-card.ts';
import { testDatabases } from '../store/databases.ts';
import { writeTinyModel } from '../tiny-model.ts';
import { knock, post } from './knock.ts';
import { marta, openInn } from './marta.ts';

const scratch = openScratch();
const shipped = fileURLToPath(new URL('../../models/npc', import.meta.url));
const sunny = { ...marta, id: 'sunny', actions: ['wave'], vectors: { happy: 0.5, sad: 0.25 } };
let count = 0;

describe.each(await testDatabases())('on $name', (database) => {
  const { inn, line, begin, log } = openInn(database);
  let folder: string;

  beforeEach(async () => {
    folder = scratch(`tiny-${++count}`);
    await writeTinyModel(folder, { kind: 'steered', name: 'parrot', layers: 3 });
    await giveVectors(folder, { happy: await numbersFor(folder, 1, 1), sad: await numbersFor(folder, 2, 1) });
    Object.assign(inn.talker, { vectors: steeringVectors(folder, 'parrot') });
    expect((await post(inn.house, '/v1/npcs', sunny)).body).toMatchObject({ vectors: { happy: 0.5, sad: 0.25 } });
  });

  /** A session with the character of that id, and its ways. */
  const meet = async (id = 'sunny') => {
    const { body } = await post(inn.house, `/v1/npcs/${id}/sessions`, { player_id: 'ann', seed: 5 });
    const at = `/v1/npcs/${id}/sessions/${body.id}`;
    return {
      say: (fields: object = {}) => post(inn.house, `${at}/say`, { text: 'Hello.', ...fields }),
      warm: () => post(inn.house, `${at}/warm`, {}),
      log: async () => (await knock(inn.house, `${at}/log`)).body.data as Record<string, unknown>[],
    };
  };
  /** The sums and tokens of the requests for lines, in order. */
  const asked = () =>
    inn.talker.requests
      .filter(({ constraint }) => !constraint)
      .map(({ phases, vectorTokens }) => ({ sum: phases?.[0]?.vectorSum, tokens: vectorTokens }));
  const sumOf = (weights: Record<string, number>) => steeringVectors(folder, 'parrot').sum(weights);

  test("a line is written under the character's vectors, its own winning by name, and the log keeps both", async () => {
    const { say, log } = await meet();
    expect((await say()).body.steering.vectors).toEqual({ happy: 0.5, sad: 0.25 });
    const own = { vectors: { happy: -1, sad: 0 }, vector_tokens: 'all' };
    expect((await say({ steering: own })).body.steering).toMatchObject({ vectors: { happy: -1 }, vector_tokens: 'all' });
    expect(asked()).toEqual([
      { sum: await sumOf({ happy: 0.5, sad: 0.25 }), tokens: 'reply' },
      { sum: await sumOf({ happy: -1 }), tokens: 'all' },
    ]);
    const [, heard, spoke, heardNext, spokeNext] = await log();
    expect([heard, heardNext].map((entry) => [entry!.kind, entry!.vectors, entry!.vector_tokens])).toEqual([
      ['heard', undefined, undefined],
      ['heard', { happy: -1, sad: 0 }, 'all'],
    ]);
    expect([spoke, spokeNext].map((entry) => [entry!.kind, entry!.vectors, entry!.vector_tokens])).toEqual([
      ['spoke', { happy: 0.5, sad: 0.25 }, 'reply'],
      ['spoke', { happy: -1 }, 'all'],
    ]);
  });

  test('choosing an action and warming up read plain', async () => {
    const { say, warm } = await meet();
    expect((await warm()).status).toBe(200);
    await say();
    const [warmed, written, ...choosing] = inn.talker.requests;
    expect(warmed!.phases?.some(({ vectorSum }) => vectorSum) ?? false).toBe(false);
    expect(written!.phases![0]!.vectorSum).toBeDefined();
    expect(choosing.length).toBeGreaterThan(0);
    expect(choosing.every(({ phases, constraint }) => constraint && !phases)).toBe(true);
  });

  test('every prompt of a mixture carries the same sum', async () => {
    const { say } = await meet();
    await say({ strength: 2 });
    const [{ branches, vectorSum }] = inn.talker.requests[0]!.phases as [{ branches: object[]; vectorSum: Float32Array }];
    expect([branches.length, vectorSum]).toEqual([2, await sumOf({ happy: 0.5, sad: 0.25 })]);
  });

  test('a remembered line tells them, and a fallback was written under none', async () => {
    const { say, log } = await meet();
    const { body } = await say({ steering: { vectors: { sad: 0 } } });
    const kept = (await knock(inn.house, `/v1/chat/completions/${body.id}`)).body;
    expect(kept).toMatchObject({
      system_fingerprint: expect.stringMatching(/^rev-1-v\w{8}$/),
      choices: [{ steering: body.steering }],
    });
    expect(body.steering.vectors).toEqual({ happy: 0.5 });
    inn.talker.lateAfter = 0;
    const late = (await say({ max_ms: 60_000 })).body;
    expect(late.fallback).toBe(true);
    expect(late.steering).not.toHaveProperty('vectors');
    expect((await log()).at(-1)).not.toHaveProperty('vectors');
  });

  test('what is asked for and cannot be is refused before anything is heard', async () => {
    const { say, log } = await meet();
    const before = await log();
    for (const [vectors, code, message] of [
      [{ happpy: 1 }, 'unknown_vector', /Did you mean happy/],
      [{ happy: 2 }, 'vector_out_of_range', /between -1 and 1/],
    ] as const) {
      const { status, body } = await say({ steering: { vectors } });
      const [name] = Object.keys(vectors);
      expect([status, body.error]).toMatchObject([
        400,
        { code, param: `steering.vectors.${name}`, message: expect.stringMatching(message) },
      ]);
    }
    expect((await say({ steering: { strength: 2 } })).body.error.param).toBe('steering.strength');
    expect(await log()).toEqual(before);
  });

  test('a character asks for those its model has; one that is gone since is left out, and a session goes on', async () => {
    for (const [vectors, code] of [
      [{ hapy: 1 }, 'unknown_vector'],
      [{ happy: 3 }, 'vector_out_of_range'],
    ] as const) {
      const { status, body } = await post(inn.house, '/v1/npcs', { ...sunny, id: 'other', vectors });
      expect([status, body.error]).toMatchObject([400, { code, param: `vectors.${Object.keys(vectors)[0]}` }]);
    }
    const { say } = await meet();
    await removeVector(folder, 'sad');
    expect((await say()).body.steering.vectors).toEqual({ happy: 0.5 });
    await removeVector(folder, 'happy');
    await giveVectors(folder, { happy: await numbersFor(folder, 1, 1) }, [-1, 0.25]);
    expect((await say()).body.steering.vectors).toEqual({ happy: 0.25 });
    Object.assign(inn.talker, { vectors: undefined });
    const plain = await say();
    expect([plain.status, plain.body.steering.vectors]).toEqual([200, undefined]);
    const elsewhere = await post(inn.house, '/v1/npcs', { ...sunny, id: 'other' });
    expect([elsewhere.status, elsewhere.body.error.param]).toEqual([400, 'vectors']);
  });

  test('a file that is torn is told of by the field that asks for it, and nothing is heard', async () => {
    const { say, log } = await meet();
    const before = await log();
    await writeFile(join(folder, vectorsName), 'no tensors at all');
    const { status, body } = await say();
    expect([status, body.error]).toMatchObject([422, { code: 'invalid_vector', param: 'vectors' }]);
    expect(await log()).toEqual(before);
    await rm(join(folder, vectorsName));
    expect((await say()).status).toBe(200);
  });

  test('a card keeps them, as JSON and in a picture, to the letter', async () => {
    const card = await (await inn.house.app.request('/v1/npcs/sunny/card')).text();
    expect(JSON.parse(card).data.extensions['steerlm/attributes'].vectors).toEqual({ happy: 0.5, sad: 0.25 });
    for (const [id, body, type] of [
      ['json', Buffer.from(card), 'application/json'],
      ['drawn', png(text('chara', base64(card))), 'image/png'],
    ] as const) {
      const init = { method: 'POST', headers: { 'content-type': type }, body: new Uint8Array(body) };
      expect((await knock(inn.house, `/v1/npcs/import?id=${id}`, init)).body.vectors).toEqual({ happy: 0.5, sad: 0.25 });
      const { say } = await meet(id);
      expect((await say()).body.steering.vectors).toEqual({ happy: 0.5, sad: 0.25 });
      const sent = await inn.house.app.request(`/v1/npcs/${id}/card?format=${id === 'json' ? 'json' : 'png'}`);
      expect(Buffer.from(await sent.arrayBuffer()).equals(body)).toBe(true);
    }
  });

  test('a character of before has none', async () => {
    const sid = await begin();
    expect((await line(sid, 'Hello.')).steering).not.toHaveProperty('vectors');
    expect((await log(sid)).at(-1)).not.toHaveProperty('vectors');
    expect((await knock(inn.house, '/v1/npcs/marta')).body.vectors).toEqual({});
  });

  describe('on the shipped model', () => {
    const real = scratch(`npc-${database.name.replace(/\W/g, '')}`);
    beforeAll(async () => {
      await cp(shipped, real, { recursive: true, filter: (each) => basename(each) !== 'evaluation' });
      await giveVectors(real, { happy: await numbersFor(real, 1, 0.6) });
    }, 60_000);

    test('the same seed and words under the same vectors are the same lines, and others without', async () => {
      const model = await openLanguageModel(real, { threads: 1, precision: 'int8' });
      inn.house.shelf.languages = [model];
      const body = { ...marta, id: 'real', persona: 'You are Marta, an innkeeper in Fallowmere.', facts: [], line_tokens: 24 };
      expect((await post(inn.house, '/v1/npcs', body)).status).toBe(200);
      const lines = async (steering?: object) => {
        const { say, log } = await meet('real');
        const [first, second] = [await say({ steering }), await say({ steering, text: 'Where is the market?' })];
        return { texts: [first.body.text, second.body.text], log: await log() };
      };
      const plain = await lines();
      const happy = await lines({ vectors: { happy: 1 } });
      const [, heard] = happy.log;
      const again = await lines({ vectors: heard!.vectors, vector_tokens: heard!.vector_tokens });
      await model.dispose();
      expect(again.texts).toEqual(happy.texts);
      expect(happy.texts[0]).not.toBe(plain.texts[0]);
    });
  });
});
