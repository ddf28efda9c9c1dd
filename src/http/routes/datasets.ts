// /v1/datasets: imported from an uploaded file or from the body itself, listed, shown and deleted.
import { createRoute, type OpenAPIHono, type z } from '@hono/zod-openapi';
import { type ImportOptions, importDataset } from '../../datasets/import.ts';
import { openFile } from '../../datasets/read.ts';
import { findDataset } from '../../datasets/samples.ts';
import { spool } from '../../datasets/spool.ts';
import { checkName, deleteDataset, pageDatasets } from '../../datasets/versions.ts';
import { SteerError } from '../../errors.ts';
import { findFile, readFile } from '../../files/files.ts';
import { own } from '../../own.ts';
import type { Db } from '../../store/connect.ts';
import { type AppContext, type AppEnv, databaseOf, type RequestContext } from '../app-context.ts';
import { toInvalidRequest } from '../problem.ts';
import {
  DatasetImportQuery,
  DatasetList,
  DatasetListQuery,
  DatasetObject,
  DatasetParams,
  DatasetRequest,
  DeletedDataset,
  datasetTypes,
  toDatasetObject,
  toSchema,
} from '../schemas/datasets.ts';
import { failureResponses } from '../schemas/failure.ts';
import { readPage } from '../schemas/pages.ts';
import { answered, jsonReply } from '../schemas/route-parts.ts';
import { mediaType, streamBody } from '../uploads.ts';

const tags = ['Datasets'];

const importRoute = createRoute({
  method: 'post',
  path: '/v1/datasets',
  tags,
  summary: 'Import a dataset',
  description:
    'Imports an uploaded file, or the body itself with its name in the query, in any format and packed or not; all of it or nothing. ' +
    'MAX_FILE_BYTES limits what is sent, MAX_UNPACKED_BYTES what gzip unpacks to. ' +
    'A name in use gets another version, unless one with the same content is there: then that one is answered.',
  request: {
    query: DatasetImportQuery,
    body: {
      required: true,
      // Bodies told in JSON Schema alone: those with a schema of Zod's would be read into memory to be checked.
      content: {
        'application/json': { schema: { $ref: '#/components/schemas/DatasetRequest' } },
        ...Object.fromEntries(Object.keys(datasetTypes).map((type) => [type, { schema: { type: 'string' as const } }])),
      },
    },
  },
  responses: {
    200: jsonReply('A version of that name with the same content, which was there already', DatasetObject),
    201: jsonReply('The dataset', DatasetObject),
    ...failureResponses('not_found', 'invalid_dataset', 'cancelled'),
  },
});

const listRoute = createRoute({
  method: 'get',
  path: '/v1/datasets',
  tags,
  summary: 'List the datasets',
  request: { query: DatasetListQuery },
  responses: answered('A page of datasets, newest first', DatasetList, 'not_found'),
});

const oneRoute = createRoute({
  method: 'get',
  path: '/v1/datasets/{id}',
  tags,
  summary: 'Show one dataset',
  request: { params: DatasetParams },
  responses: answered('The dataset', DatasetObject, 'not_found'),
});

const deleteRoute = createRoute({
  method: 'delete',
  path: '/v1/datasets/{id}',
  tags,
  summary: 'Delete one version of a dataset with its samples and labels',
  request: { params: DatasetParams },
  responses: answered('The dataset is gone', DeletedDataset, 'not_found'),
});

/** Adds the routes. */
export function addDatasets(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openAPIRegistry.register('DatasetRequest', DatasetRequest);
  app.openapi(importRoute, async (c) => {
    const db = databaseOf(context);
    const { bytes, filename, ...asked } = await readImport(c, db, context.config.limits.fileBytes, c.req.valid('query'));
    checkName(asked.name);
    const { unpackedBytes } = context.config.limits;
    const { signal } = c.get('abort');
    const { id, created } = await spool(bytes, async (path) => {
      const stream = { bytes: openFile(path).bytes, name: filename };
      return await importDataset(db, { ...asked, input: { stream }, newVersion: true, unpackedBytes, signal });
    });
    return c.json(toDatasetObject(await findDataset(db, id)), created ? 201 : 200);
  });
  app.openapi(listRoute, async (c) => {
    const query = c.req.valid('query');
    return c.json(await readPage(query, (page) => pageDatasets(databaseOf(context), page), toDatasetObject), 200);
  });
  app.openapi(oneRoute, async (c) =>
    c.json(toDatasetObject(await findDataset(databaseOf(context), c.req.valid('param').id)), 200),
  );
  app.openapi(deleteRoute, async (c) => {
    const db = databaseOf(context);
    const { id } = await findDataset(db, c.req.valid('param').id);
    await deleteDataset(db, id);
    return c.json({ id, object: 'dataset' as const, deleted: true as const }, 200);
  });
}

interface WantedImport extends Pick<ImportOptions, 'name' | 'format' | 'schema' | 'validationShare'> {
  bytes: AsyncIterable<Uint8Array>;
  /** For what its ending tells of the format. */
  filename: string;
}

async function readImport(
  c: RequestContext,
  db: Db,
  limit: number,
  query: z.infer<typeof DatasetImportQuery>,
): Promise<WantedImport> {
  const type = mediaType(c.req.header('content-type'));
  if (type === 'application/json') {
    const body = DatasetRequest.safeParse(parseJson(await c.req.text()));
    if (!body.success) throw toInvalidRequest(body.error);
    const { name, file_id, format, schema, validation_share } = body.data;
    const { id, filename } = await findFile(db, file_id);
    return { name, format, schema: toSchema(schema), validationShare: validation_share, bytes: readFile(db, id), filename };
  }
  const filename = own(datasetTypes, type);
  if (filename === undefined) {
    const known = ['application/json', ...Object.keys(datasetTypes)].join(', ');
    throw new SteerError('unsupported_media_type', `Expected a Content-Type of ${known}; found ${type === '' ? 'none' : type}.`);
  }
  const { name, format, schema, validation_share } = query;
  if (name === undefined) {
    throw new SteerError('invalid_request', 'name: expected the name of the dataset in the query, found nothing.', {
      details: { param: 'name' },
    });
  }
  return { name, format, schema: toSchema(schema), validationShare: validation_share, bytes: streamBody(c, limit), filename };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SteerError('invalid_json', 'Expected a JSON body, found text that does not parse as JSON.');
  }
}
