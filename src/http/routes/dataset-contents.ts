// What is inside a dataset: figures, samples with everybody's labels, and the whole of it in any format that can be written.
import { pipeline, type Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { makersOfExport, readExport } from '../../datasets/export.ts';
import { countLabelledBy, inspectDataset } from '../../datasets/inspect.ts';
import type { ChosenLabels } from '../../datasets/label-makers.ts';
import { listLabelledSamples } from '../../datasets/labelled-samples.ts';
import { type Dataset, findDataset } from '../../datasets/samples.ts';
import { countTokens } from '../../datasets/token-lengths.ts';
import { findModel } from '../../registry/models.ts';
import { type AppContext, type AppEnv, databaseOf, type RequestContext } from '../app-context.ts';
import { streamBytes } from '../byte-stream.ts';
import { languageModel, predictorModel } from '../loaded-models.ts';
import { refusal } from '../refusals.ts';
import {
  type CountedTokens,
  DatasetInspection,
  DatasetInspectionQuery,
  type PredictorFigures,
  toInspection,
} from '../schemas/dataset-inspection.ts';
import {
  DatasetExportQuery,
  DatasetParams,
  DatasetSampleList,
  DatasetSampleQuery,
  isSet,
  toDatasetSample,
  toLabelChoice,
} from '../schemas/datasets.ts';
import { failureResponses } from '../schemas/failure.ts';
import { attachment } from '../schemas/files.ts';
import { toLabelsHeader } from '../schemas/label-makers.ts';
import { readPage } from '../schemas/pages.ts';
import { answered } from '../schemas/route-parts.ts';

const tags = ['Datasets'];
const binary = { schema: { type: 'string' as const, format: 'binary' } };

const inspectRoute = createRoute({
  method: 'get',
  path: '/v1/datasets/{id}/inspect',
  tags,
  summary: 'Tell of a dataset in figures',
  request: { params: DatasetParams, query: DatasetInspectionQuery },
  responses: answered('The figures', DatasetInspection, 'not_found', 'model_not_found', 'cancelled', 'not_ready'),
});

const samplesRoute = createRoute({
  method: 'get',
  path: '/v1/datasets/{id}/samples',
  tags,
  summary: 'List the samples of a dataset with their labels',
  request: { params: DatasetParams, query: DatasetSampleQuery },
  responses: answered('A page of samples in input order', DatasetSampleList, 'not_found'),
});

const exportRoute = createRoute({
  method: 'get',
  path: '/v1/datasets/{id}/export',
  tags,
  summary: 'Download a dataset, one record per line',
  request: { params: DatasetParams, query: DatasetExportQuery },
  responses: {
    200: {
      description:
        'The records. A sample the format cannot hold breaks the reply off, or is a failure where it is among the first',
      headers: {
        'x-labels': {
          description: 'Whose labels the records have and whose were passed over, as JSON of `ChosenLabels`',
          schema: { type: 'string' as const },
        },
      },
      content: { 'application/jsonl': binary, 'application/gzip': binary },
    },
    ...failureResponses('not_found', 'invalid_dataset'),
  },
});

/** Adds the routes. */
export function addDatasetContents(app: OpenAPIHono<AppEnv>, context: AppContext): void {
  app.openapi(inspectRoute, async (c) => {
    const db = databaseOf(context);
    const dataset = await findDataset(db, c.req.valid('param').id);
    const asked = c.req.valid('query');
    const { signal } = c.get('abort');
    const predictor = asked.predictor === undefined ? null : await describePredictor(c, context, dataset, asked.predictor);
    const tokens = await countByModel(c, context, dataset, asked.model);
    return c.json(toInspection(dataset, await inspectDataset(db, dataset, signal), tokens, predictor), 200);
  });
  app.openapi(samplesRoute, async (c) => {
    const db = databaseOf(context);
    const { id } = await findDataset(db, c.req.valid('param').id);
    return c.json(await readPage(c.req.valid('query'), (page) => listLabelledSamples(db, id, page), toDatasetSample), 200);
  });
  app.openapi(exportRoute, async (c) => {
    const db = databaseOf(context);
    const { id, name, version } = await findDataset(db, c.req.valid('param').id);
    const { format, labels, split, gzip } = c.req.valid('query');
    const choice = { dataset: id, format, labels: toLabelChoice(labels), split };
    const makers = await makersOfExport(db, choice);
    refuseUnlabelled(makers);
    const text = readExport(db, choice);
    const [bytes, type, ending] = isSet(gzip)
      ? [packed(text), 'application/gzip', '.jsonl.gz']
      : [encoded(text), 'application/jsonl; charset=utf-8', '.jsonl'];
    const disposition = attachment(`${name}-v${version}.${format}${ending}`);
    return await streamBytes(c, bytes, {
      'content-type': type,
      'content-disposition': disposition,
      'x-labels': toLabelsHeader(makers),
    });
  });
}

/** Throws `invalid_request` where labels of some makers are asked for, and there are only others. */
function refuseUnlabelled({ dataset, choice, counted, passed_over: others }: ChosenLabels): void {
  if (choice === 'latest' || counted.length > 0 || others.length === 0) return;
  const found = [...new Set(others.map(({ source }) => source))].join(', ');
  throw refusal('labels', `expected makers whose labels ${dataset} has (${found}), or latest; found ${choice.join()}`);
}

async function countByModel(
  c: RequestContext,
  context: AppContext,
  dataset: Dataset,
  name: string | undefined,
): Promise<CountedTokens | null> {
  if (name === undefined && !context.models.list().some(({ kind }) => kind === 'language')) return null;
  const model = await languageModel(c, context.models, name);
  const count = (text: string) => model.countTokens(text);
  const { signal } = c.get('abort');
  const lengths = await countTokens(databaseOf(context), dataset, { schema: model.schema, count, signal });
  return { model: model.id, contextLength: model.contextLength, lengths };
}

async function describePredictor(
  c: RequestContext,
  context: AppContext,
  dataset: Dataset,
  name: string,
): Promise<PredictorFigures> {
  const { id, contextLength } = findModel(context.models, name, ['predictor']);
  const { revision } = await predictorModel(c, context.models, name);
  return { id, revision, contextLength, labelledTurns: await countLabelledBy(databaseOf(context), dataset, id, revision) };
}

async function* encoded(text: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const piece of text) yield Buffer.from(piece);
}

/** A failure of the text becomes one of the packed stream, and a reader that stops ends the text. */
function packed(text: AsyncIterable<string>): Readable {
  return pipeline(encoded(text), createGzip(), () => {});
}
