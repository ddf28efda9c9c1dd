// Cards in pictures over HTTP: read wherever programs put them, refused by name, and given back as they came.
import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/connect.ts';
import { npcPicturePieces, npcPictures, npcs } from '../../src/store/npc-schema.ts';
import { base64, chunk, languageText, oddCard, packedText, png, text } from '../npc/odd-card.ts';
import { testDatabases } from '../store/databases.ts';
import { type Answer, type House, knock, openHouse, post } from './knock.ts';
import { ParrotModel } from './small-models.ts';

/** What programs write that keep a V3 card beside one from before V2. */
const v3 = JSON.stringify({
  ...{ spec: 'chara_card_v3', spec_version: '3.0' },
  data: { name: 'New', description: 'You are {{char}}, a smith.', first_mes: 'Hello, {{user}}.', extensions: {} },
});
const v1 = JSON.stringify({ name: 'Old', description: 'd', personality: 'p', scenario: 's', first_mes: 'hi', mes_example: '' });
const beside = png(text('chara', base64(v1)), text('ccv3', base64(v3)));

/** Fits a character with a greeting. */
class Roomy extends ParrotModel {
  override readonly contextLength = 2048;
}

describe.each(await testDatabases())('cards in pictures on $name', (database) => {
  let store: Store;
  let house: House;
  beforeAll(async () => {
    store = await database.open();
  }, 60_000);
  afterAll(() => store.close());
  beforeEach(async () => {
    for (const table of [npcs, npcPictures]) await store.db.delete(table);
    house = openHouse({}, { db: store.db });
    house.shelf.languages = [new Roomy()];
  });

  const send = async (body: Buffer, type = 'image/png', id = 'drawn'): Promise<Answer> =>
    await knock(house, `/v1/npcs/import?id=${id}`, {
      ...{ method: 'POST', headers: { 'content-type': type } },
      body: new Uint8Array(body),
    });
  const download = async (format: 'json' | 'png', id = 'drawn') => {
    const reply = await house.app.request(`/v1/npcs/${id}/card?format=${format}`);
    return { status: reply.status, headers: reply.headers, bytes: Buffer.from(await reply.arrayBuffer()) };
  };

  test.each([
    ['zTXt', png(packedText('chara', base64(oddCard))), 'Serafin'],
    ['iTXt', png(languageText('chara', base64(oddCard), false)), 'Serafin'],
    ['packed iTXt', png(languageText('CHARA', base64(oddCard), true)), 'Serafin'],
    ['ccv3 beside one from before V2', beside, 'New'],
    ['several megabytes', png(chunk('juNk', randomBytes(3_000_000)), text('ccv3', base64(v3))), 'New'],
  ])('are read in %s, and the picture goes out as it came', async (_, image, name) => {
    const { status, body } = await send(image);
    expect([status, body.name, body.card]).toEqual([200, name, 'png']);
    const { status: sent, headers, bytes } = await download('png');
    expect([sent, headers.get('content-type'), headers.get('content-length')]).toEqual([200, 'image/png', String(image.length)]);
    expect(headers.get('content-disposition')).toBe('attachment; filename="drawn.png"');
    expect(bytes.equals(image)).toBe(true);
    expect((await download('json')).bytes.toString()).toBe(name === 'New' ? v3 : oddCard);
  });

  test('go out with what was changed since, and are read again', async () => {
    const { object, id, created_at, updated_at, card, ...rest } = (await send(beside)).body;
    const body = JSON.stringify({ ...rest, name: 'Newer' });
    await knock(house, '/v1/npcs/drawn', { method: 'PUT', headers: { 'content-type': 'application/json' }, body });
    const { status, bytes } = await download('png');
    expect([status, bytes.includes(text('chara', base64(v1)))]).toEqual([200, true]);
    expect((await send(bytes, 'image/png', 'again')).body).toMatchObject({ name: 'Newer', persona: rest.persona });
  });

  test.each([
    [
      'a JPEG',
      Buffer.from('ffd8ffe000104a464946', 'hex'),
      'image/jpeg',
      415,
      /application\/json or image\/png, found "image\/jpeg"/,
    ],
    ['a WebP of two megabytes', Buffer.alloc(2_000_000), 'image/webp', 415, /found "image\/webp".*export it as PNG or JSON/],
    [
      'a JPEG that says it is a PNG',
      Buffer.from('ffd8ffe000104a464946', 'hex'),
      'image/png',
      400,
      /expected a PNG file, found a JPEG/,
    ],
    [
      'one without its end',
      png(text('chara', base64(oddCard))).subarray(0, -20),
      'image/png',
      400,
      /bytes follow|follow|cut off|IEND/,
    ],
    ['one without a card', png(text('Title', 'x')), 'image/png', 400, /named ccv3 or chara.*texts named "Title"/],
    ['too large a card', png(text('chara', base64(`"${'x'.repeat(2 ** 20)}"`))), 'image/png', 413, /raise MAX_BODY_BYTES/],
  ])('are refused: %s', async (_, body, type, status, message) => {
    const answer = await send(body, type);
    expect([answer.status, answer.body.error.message]).toEqual([status, expect.stringMatching(message)]);
    expect([await store.db.$count(npcs), await store.db.$count(npcPictures)]).toEqual([0, 0]);
  });

  test('are neither read nor needed by anything but their download', async () => {
    await send(beside);
    const pieces = sql`npc_picture_pieces`;
    await store.db.execute(sql`alter table ${pieces} rename to put_away`);
    try {
      expect((await knock(house, '/v1/npcs')).body.data).toMatchObject([{ id: 'drawn', card: 'png' }]);
      expect((await knock(house, '/v1/npcs/drawn')).status).toBe(200);
      expect((await download('json')).status).toBe(200);
      const begun = await post(house, '/v1/npcs/drawn/sessions', { player_id: 'ann', player_name: 'Ann' });
      expect([begun.status, begun.body.greeting]).toEqual([200, 'Hello, Ann.']);
      const session = `/v1/npcs/drawn/sessions/${begun.body.id}`;
      expect((await post(house, `${session}/say`, { text: 'Hello' })).status).toBe(200);
      expect((await knock(house, '/v1/npcs/drawn/sessions')).body.data).toMatchObject([{ id: begun.body.id, entries: 3 }]);
      expect((await download('png')).status).toBe(500);
    } finally {
      await store.db.execute(sql`alter table put_away rename to ${pieces}`);
    }
    expect((await download('png')).bytes.equals(beside)).toBe(true);
    expect((await knock(house, '/v1/npcs/drawn', { method: 'DELETE' })).status).toBe(200);
    expect([await store.db.$count(npcPictures), await store.db.$count(npcPicturePieces)]).toEqual([0, 0]);
  });
});
