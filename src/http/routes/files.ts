// /v1/files: files go in and come out as streams; between the two they lie in the database.
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import { deleteFile, findFile, listFiles, readFile, storeFile } from '../../files/files.ts';
import { type AppContext, type AppEnv, databaseOf } from '../app-context.ts';
import { streamBytes } from '../byte-stream.ts';
import { failureResponses } from '../schemas/failure.ts';
import {
  attachment,
  DeletedFile,
  FileList,
  FileObject,
  FileQuery,
  purposeOf,
  toFileObject,
  uploadForm,
} from '../schemas/files.ts';
import { readPage } from '../schemas/pages.ts';
import { answered, idParams } from '../schemas/route-parts.ts';
import { openUploadForm, type UploadForm } from '../uploads.ts';

const tags = ['Files'];

const uploadRoute = createRoute({
  method: 'post',
  path: '/v1/files',
  tags,
  summary: 'Upload a file',
  description: 'The file is stored as it comes and never held in memory. MAX_FILE_BYTES limits its size.',
  request: { body: { required: true, content: { 'multipart/form-data': { schema: uploadForm } } } },
  responses: answered('The file, ready to be used', FileObject, 'cancelled'),
});

const listRoute = createRoute({
  method: 'get',
  path: '/v1/files',
  tags,
  summary: 'List the files',
  request: { query: FileQuery },
  responses: answered('A page of files', FileList, 'not_found'),
});

const oneRoute = createRoute({
  method: 'get',
  path: '/v1/files/{id}',
  tags,
  summary: 'Show one file',
  request: { params: idParams },
  responses: answered('The file', FileObject, 'not_found'),
});

const contentRoute = createRoute({
  method: 'get',
  path: '/v1/files/{id}/content',
  tags,
  summary: 'Download a file',
  request: { params: idParams },
  responses: {
    200: {
      description: 'The content, byte for byte',
      content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
    },
    ...failureResponses('not_found'),
  },
});

const deleteRoute = createRoute({
  method: 'delete',
  path: '/v1/files/{id}',
  tags,
  summary: 'Delete a file',
  request: { params: idParams },
  responses: answered('The file is gone', DeletedFile, 'not_found'),
});

/** Adds the routes. */
export function addFiles(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openapi(uploadRoute, async (c) => {
    const db = databaseOf(context);
    const form = await openUploadForm(c, context.config.limits.fileBytes);
    try {
      const { filename, fields } = form;
      const stored = await storeFile(db, {
        filename,
        purpose: () => purposeOf(fields),
        content: checked(form),
        signal: c.get('abort').signal,
      });
      return c.json(toFileObject(stored), 200);
    } finally {
      form.close();
    }
  });
  app.openapi(listRoute, async (c) => {
    const query = c.req.valid('query');
    return c.json(await readPage(query, (page) => listFiles(databaseOf(context), page), toFileObject), 200);
  });
  app.openapi(oneRoute, async (c) => c.json(toFileObject(await findFile(databaseOf(context), c.req.valid('param').id)), 200));
  app.openapi(contentRoute, async (c) => {
    const db = databaseOf(context);
    const { id, bytes, filename } = await findFile(db, c.req.valid('param').id);
    return await streamBytes(c, readFile(db, id), {
      'content-type': 'application/octet-stream',
      'content-length': String(bytes),
      'content-disposition': attachment(filename),
    });
  });
  app.openapi(deleteRoute, async (c) => {
    const { id } = c.req.valid('param');
    await deleteFile(databaseOf(context), id);
    return c.json({ id, object: 'file' as const, deleted: true as const }, 200);
  });
}

/** A form that tells its purpose first need not be read to its end to be refused. */
async function* checked({ content, fields }: UploadForm): AsyncGenerator<Uint8Array> {
  if (fields.has('purpose')) purposeOf(fields);
  let empty = true;
  for await (const chunk of content) {
    empty = false;
    yield chunk;
  }
  if (empty) {
    throw new SteerError('invalid_request', 'file: expected content, found an empty file.', { details: { param: 'file' } });
  }
}
