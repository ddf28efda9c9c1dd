// /v1/npcs: characters are written, imported from cards, found, and written back into their cards.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import { writeCard } from '../../npc/card.ts';
import type { Notice } from '../../npc/card-book.ts';
import { type Card, cardOfImage, cardOfJson, writeCardImage } from '../../npc/card-file.ts';
import { type Character, checkCharacter } from '../../npc/character.ts';
import { findNpc, findNpcCard, insertNpc, listNpcs, removeNpc, replaceNpc } from '../../npc/character-rows.ts';
import { checkFits, measureCharacter } from '../../npc/fit.ts';
import { checkVectors } from '../../npc/line-vectors.ts';
import type { Speakers } from '../../npc/macros.ts';
import { notFollowed } from '../../npc/not-followed.ts';
import { readPicture } from '../../npc/pictures.ts';
import { findModel } from '../../registry/models.ts';
import { type AppContext, type AppEnv, databaseOf, type RequestContext } from '../app-context.ts';
import { streamBytes } from '../byte-stream.ts';
import { chatModel } from '../loaded-models.ts';
import { failureResponses } from '../schemas/failure.ts';
import {
  bodyOfCard,
  DeletedNpc,
  NewNpcBody,
  NpcBody,
  NpcId,
  NpcList,
  NpcObject,
  playerNameUnlessSaid,
  type Told,
  toCardCharacter,
  toCharacter,
  toNpcObject,
} from '../schemas/npcs.ts';
import { pageFields, readPage } from '../schemas/pages.ts';
import { answered, jsonBody } from '../schemas/route-parts.ts';
import { mediaType } from '../uploads.ts';

const tags = ['Characters'];
const params = z.object({ id: z.string().max(64) });
const refusals = [
  'unknown_attribute',
  'attribute_out_of_range',
  'unknown_vector',
  'vector_out_of_range',
  'invalid_vector',
  'context_length_exceeded',
  'model_not_found',
  'not_ready',
] as const;

const createNpcRoute = createRoute({
  method: 'post',
  path: '/v1/npcs',
  tags,
  summary: 'Make a character',
  request: { body: jsonBody(NewNpcBody) },
  responses: answered('The character', NpcObject, ...refusals, 'conflict'),
});

const importRoute = createRoute({
  method: 'post',
  path: '/v1/npcs/import',
  tags,
  summary: 'Make a character from a card',
  description:
    'A character card V2 or V3, as JSON or in a text of a PNG named `ccv3` or `chara`. What lies under `steerlm/attributes` in its extensions is read as POST /v1/npcs reads it. ' +
    'The card is kept to the letter; `creator_notes` and `tags` are never told to the model. `tokens` tells what it takes of the context of its ' +
    'model and what gives way; a card that names a model it can never fit is refused. `not_followed` tells what of it changes nothing.',
  request: {
    query: z.object({ id: NpcId.optional() }),
    body: {
      required: true,
      content: {
        'application/json': { schema: z.looseObject({ spec: z.string(), data: z.looseObject({}) }).openapi('CharacterCard') },
        'image/png': { schema: { type: 'string', format: 'binary' } },
      },
    },
  },
  responses: answered('The character', NpcObject, ...refusals, 'conflict'),
});

const listRoute = createRoute({
  method: 'get',
  path: '/v1/npcs',
  tags,
  summary: 'List the characters',
  request: { query: z.object(pageFields) },
  responses: answered('A page of characters', NpcList, 'not_found'),
});

const oneRoute = createRoute({
  method: 'get',
  path: '/v1/npcs/{id}',
  tags,
  summary: 'Show one character',
  request: { params },
  responses: answered('The character', NpcObject, 'not_found'),
});

const replaceRoute = createRoute({
  method: 'put',
  path: '/v1/npcs/{id}',
  tags,
  summary: 'Replace a character',
  description: 'Sessions in hand keep who the character was when they began.',
  request: { params, body: jsonBody(NpcBody) },
  responses: answered('The character', NpcObject, ...refusals, 'not_found'),
});

const deleteRoute = createRoute({
  method: 'delete',
  path: '/v1/npcs/{id}',
  tags,
  summary: 'Delete a character with all its sessions',
  request: { params },
  responses: answered('It is gone', DeletedNpc, 'not_found'),
});

const cardRoute = createRoute({
  method: 'get',
  path: '/v1/npcs/{id}/card',
  tags,
  summary: 'Download a character as a card',
  description:
    'An imported card comes back with every field it had, to the letter but for what was changed since. With `format=png` in its picture.',
  request: { params, query: z.object({ format: z.enum(['json', 'png']).default('json') }) },
  responses: {
    200: {
      description: 'The card',
      content: {
        'application/json': { schema: z.looseObject({ spec: z.string(), data: z.looseObject({}) }) },
        'image/png': { schema: { type: 'string', format: 'binary' } },
      },
    },
    ...failureResponses('not_found'),
  },
});

/** Adds the routes. */
export function addNpcs(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  const checked = (character: Character): Character => {
    return checkCharacter(character, findModel(context.models, character.model, ['language']).schema);
  };

  app.openapi(createNpcRoute, async (c) => {
    const { id, ...body } = c.req.valid('json');
    const db = databaseOf(context);
    const character = checked(toCharacter(body));
    const told = await look(c, context, character);
    return c.json(toNpcObject(await insertNpc(db, { id, character }), told), 200);
  });

  // Told whole, but the body is read by hand: one that is a picture is no JSON.
  app.openAPIRegistry.registerPath(importRoute);
  app.openapi({ ...importRoute, hide: true, request: { query: importRoute.request.query } }, async (c) => {
    const db = databaseOf(context);
    const { text, image } = await readUpload(c, context.config.limits.bodyBytes);
    const notices: Notice[] = [];
    const character = checked(toCharacter(bodyOfCard(text, (notice) => notices.push(notice))));
    const told = await look(c, context, character, notices);
    const { id } = c.req.valid('query');
    return c.json(toNpcObject(await insertNpc(db, { id, character, card: text, image }), told), 200);
  });

  app.openapi(listRoute, async (c) => {
    const query = c.req.valid('query');
    return c.json(await readPage(query, (page) => listNpcs(databaseOf(context), page), toNpcObject), 200);
  });

  app.openapi(oneRoute, async (c) => {
    const npc = await findNpc(databaseOf(context), c.req.valid('param').id);
    return c.json(toNpcObject(npc, await measureIfLoaded(context, npc.character)), 200);
  });

  app.openapi(replaceRoute, async (c) => {
    const db = databaseOf(context);
    const character = checked(toCharacter(c.req.valid('json')));
    const told = await look(c, context, character);
    return c.json(toNpcObject(await replaceNpc(db, c.req.valid('param').id, character), told), 200);
  });

  app.openapi(deleteRoute, async (c) => {
    const { id } = c.req.valid('param');
    await removeNpc(databaseOf(context), id);
    return c.json({ object: 'npc' as const, id, deleted: true as const }, 200);
  });

  app.openapi(cardRoute, async (c) => {
    const { id } = c.req.valid('param');
    const db = databaseOf(context);
    const { character, card, picture } = await findNpcCard(db, id);
    const written = toCardCharacter(character);
    const text = writeCard(card ?? undefined, written);
    const named = (ending: string) => ({ 'content-disposition': `attachment; filename="${id}.${ending}"`, ...nosniff });
    if (c.req.valid('query').format === 'json')
      return c.body(text, 200, { 'content-type': 'application/json', ...named('json') });
    if (!picture) {
      throw new SteerError('invalid_request', `format: the character ${id} came without a picture. Ask for format=json.`, {
        details: { param: 'format' },
      });
    }
    const headers = { 'content-type': 'image/png', ...named('png') };
    const image = readPicture(db, picture);
    // A picture whose card says what it said goes out as it came.
    if (text === card) return await streamBytes(c, image, { ...headers, 'content-length': String(picture.bytes) });
    const limits = { character: written, mostBytes: context.config.limits.bodyBytes };
    return c.body(new Uint8Array(await writeCardImage(await whole(image), text, limits)), 200, headers);
  });
}

async function whole(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const held: Uint8Array[] = [];
  for await (const piece of pieces) held.push(piece);
  return Buffer.concat(held);
}

/**
 * What there is to tell of a character beside itself; its model is loaded where it was not. Throws what does not hold of its vectors, and
 * context_length_exceeded naming `persona` for one that names a model it can never fit; where it names none, another model may be the default when its
 * sessions begin.
 */
async function look(c: RequestContext, context: AppContext, character: Character, notices: Notice[] = []): Promise<Told> {
  const model = await chatModel(c, context.models, character.model);
  await checkVectors(model, character);
  const speakers = speakersBeforeSession(character);
  if (character.model !== undefined) await checkFits(model, character, speakers);
  return { tokens: await measureCharacter(model, character, speakers), notices: notFollowed(character, notices) };
}

/** Who only looks has no model loaded; and a model that is gone is no reason to show nothing. */
async function measureIfLoaded({ models }: AppContext, character: Character): Promise<Told> {
  const card = models.list().find(({ id, kind, aliases }) => {
    return kind === 'language' && (id === character.model || aliases.includes(character.model ?? 'default'));
  });
  if (card?.status !== 'loaded' || card.chat === null) return {};
  return { tokens: await measureCharacter(await models.language(card.id), character, speakersBeforeSession(character)) };
}

function speakersBeforeSession({ name }: Character): Speakers {
  return { char: name, user: playerNameUnlessSaid, seed: 0 };
}

const nosniff = { 'x-content-type-options': 'nosniff' };

async function readUpload({ req }: RequestContext, mostBytes: number): Promise<Card> {
  const type = mediaType(req.header('content-type'));
  if (type === 'application/json') return cardOfJson(await req.text());
  if (type === 'image/png') return await cardOfImage(new Uint8Array(await req.arrayBuffer()), mostBytes);
  const found = type === '' ? 'none' : JSON.stringify(type.slice(0, 64));
  const message = `Content-Type: expected a character card as application/json or image/png, found ${found}. No card is read from other kinds of files: export it as PNG or JSON from the program it was made in.`;
  throw new SteerError('unsupported_media_type', message);
}
