// Cards in pictures: found wherever programs put them, refused by name where they are not, and written back with every other byte as it was.
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type CardCharacter, readCard, writeCard } from '../../src/npc/card.ts';
import { cardOfImage, cardOfJson, writeCardImage } from '../../src/npc/card-file.ts';
import { base64, chunk, end, header, languageText, oddCard, packedText, pixels, png, signature, text } from './odd-card.ts';

const mostBytes = 2 ** 20;
const v3 = oddCard.replace('chara_card_v2', 'chara_card_v3').replace('"2.0"', '"3.0"').replace('gate of', 'gate — of');
/** A card from before V2: its fields lie at the top. */
const v1 = JSON.stringify({ name: 'Old', description: 'Older than V2.', first_mes: 'Hi' });

const cardIn = async (image: Uint8Array) => (await cardOfImage(image, mostBytes)).text;
const write = (image: Uint8Array, character: CardCharacter, card = v3) =>
  writeCardImage(image, writeCard(card, character), { character, mostBytes });
/** The whole text of a refusal. */
const refusal = async (image: Uint8Array) => {
  const error = await cardOfImage(image, mostBytes).catch((thrown) => thrown);
  expect(error).toMatchObject({ details: { param: 'card' } });
  return `${error.code} ${error.message}`;
};

describe('a card is found', () => {
  test('under V3 before V2, whichever comes first, and in any script', async () => {
    const [two, three] = [text('chara', base64(oddCard)), text('ccv3', base64(v3))];
    expect(await cardIn(png(two))).toBe(oddCard);
    expect(await cardIn(png(two, text('Title', 'x'), three))).toBe(v3);
    expect(await cardIn(png(three, two))).toBe(v3);
    expect(readCard(await cardIn(png(three))).persona).toContain('gate — of');
  });

  test.each([
    ['zTXt', packedText('chara', base64(oddCard))],
    ['iTXt', languageText('chara', base64(oddCard), false)],
    ['packed iTXt', languageText('chara', base64(oddCard), true)],
    ['a keyword in capitals', text('Chara', base64(oddCard))],
    ['base64 with line breaks', text('chara', base64(oddCard).replace(/.{76}/g, '$&\r\n'))],
    ['base64 of addresses, without its padding', text('chara', Buffer.from(oddCard).toString('base64url'))],
    ['a byte order mark before the JSON', text('chara', base64(`\ufeff${oddCard}`))],
    ['the last of several', Buffer.concat([text('chara', base64(v1)), text('chara', base64(oddCard))])],
  ])('in %s', async (_, carrier) => {
    expect(await cardIn(png(text('Title', 'x'), carrier, text('Author', 'y')))).toBe(oddCard);
  });

  test('before the pixels as well as behind them', async () => {
    expect(await cardIn(Buffer.concat([signature, header, text('chara', base64(oddCard)), pixels, end]))).toBe(oddCard);
  });
});

describe('a picture is refused that', () => {
  const whole = png(text('chara', base64(oddCard)));
  const flipped = (at: number) => Buffer.from(whole.map((byte, i) => (i === at ? byte ^ 1 : byte)));
  const zeros = deflateSync(Buffer.alloc(2 ** 26, 'A'));

  test.each<[string, Uint8Array, RegExp]>([
    ['is a GIF', Buffer.from('GIF89a'), /expected a PNG file, found a GIF.*Export the card as PNG again/],
    ['is a JPEG', Buffer.from('ffd8ffe000104a464946', 'hex'), /expected a PNG file, found a JPEG/],
    ['is a WebP', Buffer.from('RIFF\x24\0\0\0WEBPVP8 ', 'latin1'), /expected a PNG file, found a WebP/],
    ['is a ZIP archive', Buffer.from('PK\x03\x04'), /found a ZIP archive/],
    ['is JSON', Buffer.from(oddCard), /found JSON, which is sent as application\/json/],
    ['is empty', Buffer.alloc(0), /found other bytes/],
    ['has no text', png(), /no tEXt, zTXt or iTXt chunk named ccv3 or chara.*it has no text/],
    ['has other texts', png(text('Title', 'x'), packedText('parameters', 'y')), /it has texts named "Title", "parameters"/],
    ['has no base64', png(text('chara', '{"spec"}')), /expected base64 in the tEXt chunk named chara/],
    ['has an empty card', png(text('ccv3', ' ')), /the tEXt chunk named ccv3 is empty/],
    ['is cut off', whole.subarray(0, 200), /says it has \d+ bytes and \d+ follow/],
    ['is cut off between two chunks', whole.subarray(0, -12), /ends before its last chunk, IEND/],
    ['is cut off within the head of a chunk', whole.subarray(0, -6), /chunk 4, at byte \d+, is cut off/],
    ['has a flipped bit in its card', flipped(300), /chunk 3, at byte 5\d, tEXt, does not fit its checksum/],
    ['has a flipped bit elsewhere', flipped(20), /chunk 1, at byte 8, IHDR, does not fit its checksum/],
    ['has a type of no letters', Buffer.concat([signature, header, Buffer.alloc(12)]), /no type of four letters/],
    [
      'has a chunk that does not unpack',
      png(chunk('zTXt', Buffer.from('chara\0\0no zlib'))),
      /zTXt chunk named chara does not unpack/,
    ],
    ['is packed in an unknown way', png(chunk('zTXt', Buffer.from('chara\0\x07'))), /packed in a way PNG does not know/],
    ['has half an iTXt', png(chunk('iTXt', Buffer.from('chara\0\0\0de'))), /ends before its text/],
    [
      'unpacks without end',
      png(chunk('zTXt', Buffer.concat([Buffer.from('chara\0\0'), zeros]))),
      /^body_too_large .*MAX_BODY_BYTES/,
    ],
    ['has too large a card', png(text('chara', 'A'.repeat(2 ** 21))), /^body_too_large .*at most 1048576 bytes of JSON/],
    ['has many cards', png(...Array.from({ length: 65 }, () => text('chara', ''))), /at most 64 texts named ccv3 or chara/],
    ['has a card of many parts', png(text('chara', base64(`[${'[],'.repeat(50_000)}0]`))), /at most 50000 members/],
  ])('%s', async (_, image, message) => {
    expect(await refusal(image)).toMatch(message);
  });

  test('and JSON of more parts than any card, where brackets in texts are none', () => {
    const many = JSON.stringify({ a: `${'[{:\\"'.repeat(60_000)}` });
    expect(cardOfJson(many).text).toBe(many);
    expect(() => cardOfJson(`{${'"a":1,'.repeat(50_000)}"b":1}`)).toThrow(/at most 50000 members, lists and objects in the body/);
    expect(cardOfJson('{"a": "').text).toBe('{"a": "');
  });
});

describe('a picture is written back', () => {
  const read = readCard(v3);
  const front = signature.length + header.length + pixels.length;

  test('with the character in it and other chunks untouched, bytes behind its end too', async () => {
    const one = Buffer.concat([png(text('Title', 'x'), text('ccv3', base64(v3)), text('Title', 'y')), Buffer.from('tail')]);
    expect((await write(one, read)).equals(one)).toBe(true);
    const renamed = await write(one, { ...read, name: 'Ina' });
    expect(readCard(await cardIn(renamed))).toEqual({ ...read, name: 'Ina' });
    expect(
      renamed.subarray(0, front + text('Title', 'x').length).equals(one.subarray(0, front + text('Title', 'x').length)),
    ).toBe(true);
    expect(renamed.subarray(-4).toString()).toBe('tail');
  });

  test('in both cards where both can be read', async () => {
    const both = png(text('chara', base64(oddCard)), text('ccv3', base64(v3)));
    const renamed = await write(both, { ...read, name: 'Ina' });
    expect(readCard(await cardIn(renamed))).toEqual({ ...read, name: 'Ina' });
    const second = Buffer.concat([renamed.subarray(0, front), renamed.subarray(front, renamed.lastIndexOf('ccv3') - 8), end]);
    expect(readCard(await cardIn(second))).toEqual({ ...read, name: 'Ina' });
  });

  test('with a card of a version that is not read here left as it is', async () => {
    const old = text('chara', base64(v1));
    const renamed = await write(png(old, text('ccv3', base64(v3))), { ...read, name: 'Ina' });
    expect(readCard(await cardIn(renamed)).name).toBe('Ina');
    expect(renamed.includes(old)).toBe(true);
  });

  test('with one card where there were several alike, and as tEXt where it was packed', async () => {
    const several = png(text('ccv3', base64(oddCard)), languageText('ccv3', base64(v3), true));
    const renamed = await write(several, { ...read, name: 'Ina' });
    const only = text('ccv3', base64(writeCard(v3, { ...read, name: 'Ina' })));
    expect(renamed.equals(png(only))).toBe(true);
  });
});

test('a picture of a million chunks leaves everyone else their turns', async () => {
  const million = png(Buffer.alloc(12 * 1_000_000, chunk('juNk', Buffer.alloc(0))), text('chara', base64(oddCard)));
  let turns = 0;
  let read = false;
  const others = (async () => {
    while (!read) {
      turns++;
      await sleep(0);
    }
  })();
  expect(await cardIn(million)).toBe(oddCard);
  read = true;
  await others;
  // Read in one go it would be one, before; how many there are depends on the machine.
  expect(turns).toBeGreaterThan(2);
});
