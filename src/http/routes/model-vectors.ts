// /v1/models/{id}/vectors: the steering vectors of a model, told, added from a file and removed.
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { writingTo } from '../../errors.ts';
import { addVectors, listVectors, removeVector, type VectorCard } from '../../model/vectors/kept-vectors.ts';
import { parseVectorRange } from '../../model/vectors/vector-file.ts';
import { privateFile } from '../../private-files.ts';
import { findModel } from '../../registry/models.ts';
import type { AppContext, AppEnv } from '../app-context.ts';
import { listOf } from '../schemas/pages.ts';
import { answered } from '../schemas/route-parts.ts';
import { openUploadForm, type UploadForm, vectorFileBytes } from '../uploads.ts';

const Vector = z
  .object({
    object: z.literal('model.vector'),
    name: z.string(),
    range: z.tuple([z.number(), z.number()]).openapi({ description: 'Lowest and highest weight' }),
    revision: z.string().openapi({ description: 'Changes with its numbers' }),
  })
  .openapi('ModelVector');
const Vectors = listOf(Vector).openapi('ModelVectorList');

/** Told in JSON Schema alone: a body with a schema of Zod's would be read into memory to be checked. */
const uploadForm = {
  type: 'object' as const,
  required: ['file'],
  properties: {
    name: { type: 'string' as const, description: 'Absent takes the name in the file, or that of a GGUF file' },
    range: { type: 'string' as const, description: 'Lowest and highest weight, like `-1,1`; absent takes what the file says' },
    file: { type: 'string' as const, format: 'binary', description: 'With its name, after the other fields' },
  },
};

const tags = ['Models'];
const params = z.object({ id: z.string() });

const listRoute = createRoute({
  method: 'get',
  path: '/v1/models/{id}/vectors',
  tags,
  summary: 'List the steering vectors of a model',
  request: { params },
  responses: answered('Every vector', Vectors, 'model_not_found', 'invalid_vector'),
});

const addRoute = createRoute({
  method: 'post',
  path: '/v1/models/{id}/vectors',
  tags,
  summary: 'Add steering vectors to a model',
  description:
    'From a control vector of llama.cpp (GGUF), or a `vectors.safetensors` of this program, which may hold several. ' +
    'It must have been made for this model, in whatever precision. The model stays loaded.',
  request: { params, body: { required: true, content: { 'multipart/form-data': { schema: uploadForm } } } },
  responses: answered('The vectors that were added', Vectors, 'model_not_found', 'invalid_vector', 'conflict', 'cancelled'),
});

const removeRoute = createRoute({
  method: 'delete',
  path: '/v1/models/{id}/vectors/{name}',
  tags,
  summary: 'Remove a steering vector of a model',
  request: { params: z.object({ id: z.string(), name: z.string() }) },
  responses: answered(
    'The vector is gone',
    z.object({ object: z.literal('model.vector'), name: z.string(), deleted: z.literal(true) }).openapi('DeletedModelVector'),
    'model_not_found',
    'unknown_vector',
    'conflict',
  ),
});

/** Adds the routes. */
export function addModelVectors(app: OpenAPIHono<AppEnv>, { models }: AppContext): void {
  const folderOf = (name: string) => models.folderOf(findModel(models, name, ['language', 'predictor']).id);
  app.openapi(listRoute, async (c) => c.json(toList(await listVectors(folderOf(c.req.valid('param').id))), 200));
  app.openapi(addRoute, async (c) => {
    const folder = folderOf(c.req.valid('param').id);
    const form = await openUploadForm(c, vectorFileBytes);
    try {
      const added = await spooled(form, (path) => {
        const { name, range } = Object.fromEntries(form.fields);
        const given = { told: form.filename, name, range: range === undefined ? undefined : parseVectorRange(range) };
        return writingTo(folder, () => addVectors(folder, path, given));
      });
      await models.refresh();
      return c.json(toList(added), 200);
    } finally {
      form.close();
    }
  });
  app.openapi(removeRoute, async (c) => {
    const { id, name } = c.req.valid('param');
    await removeVector(folderOf(id), name);
    await models.refresh();
    return c.json({ object: 'model.vector' as const, name, deleted: true as const }, 200);
  });
}

function toList(vectors: readonly VectorCard[]): z.infer<typeof Vectors> {
  const data = vectors.map(({ name, range: [lowest, highest], revision }) => {
    return { object: 'model.vector' as const, name, range: [lowest, highest] as [number, number], revision };
  });
  return { object: 'list', data };
}

/** The uploaded file on disk for as long as `use` takes; its readers go to and fro in it. */
async function spooled<Result>({ content }: UploadForm, use: (path: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'steer-vectors-'));
  try {
    const path = join(folder, 'upload');
    await writingTo(tmpdir(), () => pipeline(content, createWriteStream(path, { mode: privateFile })));
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
