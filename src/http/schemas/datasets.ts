// Datasets, their samples and their figures as callers see them, and what an import may be told.
import { z } from '@hono/zod-openapi';
import { WrittenSchema } from '../../datasets/attribute-schema.ts';
import { weightOf } from '../../datasets/formats/format.ts';
import { type FormatName, formatNames, formats } from '../../datasets/formats/table.ts';
import type { LabelledSample } from '../../datasets/labelled-samples.ts';
import { preferences } from '../../datasets/sample.ts';
import type { Dataset, LabelChoice } from '../../datasets/samples.ts';
import { SteerError } from '../../errors.ts';
import type { AttributeSchema } from '../../steerlm/attributes.ts';
import { builtInSchemas } from '../../steerlm/schemas.ts';
import { labelSources, splits } from '../../store/schema.ts';
import { pageFields, pageOf } from './pages.ts';

const Time = z.int().openapi({ description: 'Unix seconds' });
const Format = z.enum(formatNames as [FormatName, ...FormatName[]]);
const writtenFormats = formatNames.filter((name) => formats[name].render !== null);
const schemaNames = builtInSchemas.map(({ name }) => name).join(', ');
const ownSchema =
  'One of your own goes into the body of a request for a file that is here already: {"name", "file_id", "schema": {"name", "attributes": [{"name", "levels"}]}}.';

const AttributeSchemaObject = z
  .object({
    name: z.string(),
    version: z.int(),
    attributes: z.array(
      z.object({
        name: z.string(),
        aliases: z.array(z.string()),
        description: z.string(),
        levels: z.array(z.string()),
        instructions: z
          .array(z.string())
          .optional()
          .openapi({ description: 'What each level is in words, for models that were not trained on it' }),
        resting: z.int().optional(),
        default: z.int().nullable(),
        cap: z.int(),
      }),
    ),
  })
  .openapi('AttributeSchema');

export const DatasetObject = z
  .object({
    object: z.literal('dataset'),
    id: z.string(),
    name: z.string(),
    version: z.int().openapi({ description: 'Counts the imports under one name; `name@version` finds it' }),
    format: z.string(),
    hash: z.string().openapi({
      description: 'SHA-256 over samples with their side and labels in order, and the schema, hex: equal data has an equal hash',
    }),
    samples: z.int(),
    conversations: z.int(),
    schema: AttributeSchemaObject.nullable().openapi({
      description:
        'Attributes the labels speak of, or those that were named and those of predictors that labelled it; null without any',
    }),
    created_at: Time,
  })
  .openapi('Dataset');

export const DatasetList = pageOf(DatasetObject).openapi('DatasetList');

export const DatasetParams = z.object({
  id: z
    .string()
    .max(256)
    .openapi({ description: 'Id, name (its newest version), `name@3`, or `name@` and 8 or more digits of the hash' }),
});

export const DatasetListQuery = z.object({
  ...pageFields,
  name: z.string().max(100).optional().openapi({ description: 'All versions of one name' }),
});

const importFields = {
  name: z.string().max(100),
  format: Format.optional().openapi({ description: 'Detected when absent' }),
  validation_share: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .openapi({ description: 'Share of the conversations held out; 0.05 when absent' }),
};

export const DatasetRequest = z
  .strictObject({
    ...importFields,
    file_id: z.string().max(128),
    schema: z
      .union([z.string(), WrittenSchema])
      .optional()
      .openapi({ description: `Labels must fit it: ${schemaNames}, or a schema; absent takes the attributes that occur` }),
  })
  .openapi('DatasetRequest');

/** What comes beside a dataset sent as the body itself. */
export const DatasetImportQuery = z.object({
  ...importFields,
  name: importFields.name.optional(),
  validation_share: z.coerce.number('expected a number').min(0).max(1).optional().openapi({ type: 'number' }),
  schema: z
    .string()
    .max(100)
    .optional()
    .openapi({ description: `Labels must fit it: ${schemaNames}; absent takes the attributes that occur. ${ownSchema}` }),
});

/** Content types a dataset may be sent as, each with the file name its reader goes by: lines, plain text, or whatever the first bytes say. */
export const datasetTypes: Record<string, string> = {
  'application/x-ndjson': 'body.jsonl',
  'application/jsonl': 'body.jsonl',
  'text/plain': 'body.txt',
  'application/gzip': '',
  'application/octet-stream': '',
};

export const DatasetSample = z
  .object({
    object: z.literal('dataset.sample'),
    position: z.int().openapi({ description: 'Place in the dataset, from 0; what `after` takes' }),
    conversation: z.string(),
    split: z.enum(splits),
    source: z.string().nullable().openapi({ description: 'What the record calls itself' }),
    messages: z
      .array(
        z.object({
          role: z.enum(['system', 'user', 'assistant']),
          content: z.string(),
          weight: z.literal(0).optional().openapi({ description: 'The reply is context alone: no model learns to write it' }),
        }),
      )
      .nullable(),
    preference: z.enum(preferences).nullable().openapi({
      description: 'Of two replies to one prompt, whether it ends with the better or the worse one; null where nobody compared',
    }),
    text: z.string().nullable().openapi({ description: 'In place of messages' }),
    labels: z.array(
      z.object({
        message: z.int().openapi({ description: 'Place of the labelled message in messages' }),
        attribute: z.string(),
        value: z.number(),
        level: z
          .int()
          .openapi({ description: 'The one that the record names, else the nearest to the value, as exports write it' }),
        probabilities: z.array(z.number()).nullable(),
        confidence: z.number().nullable(),
        source: z.enum(labelSources),
        author: z.string().openapi({ description: 'Rater, model, format or rule' }),
        revision: z.string().nullable(),
        created_at: Time,
      }),
    ),
  })
  .openapi('DatasetSample');

export const DatasetSampleList = pageOf(DatasetSample).openapi('DatasetSampleList');

export const DatasetSampleQuery = z.object({
  after: z.coerce
    .number('expected a whole number')
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .optional()
    .openapi({ type: 'integer', minimum: 0 }),
  limit: pageFields.limit,
});

const Flag = z.enum(['true', 'false', '1', '0']);

export const DatasetExportQuery = z.object({
  format: z
    .enum(writtenFormats as [FormatName, ...FormatName[]])
    .default('nemo')
    .openapi({ description: 'Format of the records' }),
  labels: z.string().max(100).default('latest').openapi({
    description: 'Labels that count: `latest`, or sources by preference, e.g. `human,model`',
  }),
  split: z.enum(splits).optional(),
  gzip: Flag.default('false'),
});

export const DeletedDataset = z
  .object({ id: z.string(), object: z.literal('dataset'), deleted: z.literal(true) })
  .openapi('DeletedDataset');

/** The dataset as callers see it. */
export function toDatasetObject(dataset: Dataset): z.infer<typeof DatasetObject> {
  const { id, name, version, format, hash, sampleCount, conversationCount, schema, createdAt } = dataset;
  const counts = { samples: sampleCount, conversations: conversationCount };
  return { object: 'dataset', id, name, version, format, hash, ...counts, schema, created_at: seconds(createdAt) };
}

/** The sample with everybody's labels; a system text is its first message. */
export function toDatasetSample({ sample, labels }: LabelledSample): z.infer<typeof DatasetSample> {
  const { position, conversation, split, source, messages, text, preference } = sample;
  const system = messages?.system ? [{ role: 'system' as const, content: messages.system }] : [];
  return {
    object: 'dataset.sample',
    position,
    conversation,
    split,
    source,
    messages: messages && [
      ...system,
      ...messages.turns.map((turn) => ({ role: turn.role, content: turn.content, ...weightOf(turn) })),
    ],
    preference,
    text,
    labels: labels.map(({ turn, attribute, value, level, probabilities, confidence, source, author, revision, createdAt }) => ({
      message: turn + system.length,
      attribute,
      value,
      level,
      probabilities,
      confidence,
      source,
      author,
      revision,
      created_at: seconds(createdAt),
    })),
  };
}

/** The schema a request names or brings. Throws `invalid_request` for an unknown name. */
export function toSchema(given: string | AttributeSchema | undefined): AttributeSchema | undefined {
  if (typeof given !== 'string') return given;
  const found = builtInSchemas.find(({ name }) => name === given);
  if (found) return found;
  throw new SteerError(
    'invalid_request',
    `schema: expected ${schemaNames}, found ${JSON.stringify(given.slice(0, 100))}. ${ownSchema}`,
    {
      details: { param: 'schema' },
    },
  );
}

/** `latest`, or sources in order of preference. Throws `invalid_request`. */
export function toLabelChoice(text: string): LabelChoice {
  if (text === 'latest') return 'latest';
  return text.split(',').map((name) => {
    const source = labelSources.find((known) => known === name.trim());
    if (source) return source;
    throw new SteerError('invalid_request', `labels: expected latest, or a list of ${labelSources.join(', ')}.`, {
      details: { param: 'labels' },
    });
  });
}

/** Whether a flag in a query is set. */
export function isSet(flag: z.infer<typeof Flag>): boolean {
  return flag === 'true' || flag === '1';
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}
