// The OpenAPI 3.1 document: what the routes' schemas say, plus what zod cannot: event streams, the key, and the header on every reply.
import type { OpenAPIHono } from '@hono/zod-openapi';
import type {
  ContentObject,
  HeaderObject,
  OpenAPIObject,
  OperationObject,
  ResponseObject,
  SchemaObject,
} from 'openapi3-ts/oas31';
import { type FailureCode, failures } from '../errors.ts';
import type { AppEnv } from './app-context.ts';
import { ErrorEnvelope, Problem } from './schemas/failure.ts';
import { LineObject, SentenceObject } from './schemas/npc-sessions.ts';
import { ChatCompletionChunk, TextCompletionChunk } from './schemas/replies.ts';

const requestIdHeader: HeaderObject = {
  description: "The caller's own x-request-id where it sent a sane one, else a new id; the server's log knows it",
  schema: { type: 'string' },
};

/** Names of the schemas that events of a stream follow, by path. */
const streamedChunks: Record<string, string[]> = {
  '/v1/chat/completions': ['ChatCompletionChunk'],
  '/v1/completions': ['TextCompletionChunk'],
  '/v1/fine_tuning/jobs/{id}/events': ['FineTuningEvent'],
  '/v1/jobs/{id}/events': ['JobEvent'],
  '/v1/npcs/{id}/sessions/{sid}/say': ['NpcSentence', 'NpcLine'],
};

/** The document of an app's routes; plain data, the same on every call. */
export function describeApi(app: OpenAPIHono<AppEnv>): OpenAPIObject {
  app.openAPIRegistry.register('Error', ErrorEnvelope);
  app.openAPIRegistry.register('Problem', Problem);
  app.openAPIRegistry.register('ChatCompletionChunk', ChatCompletionChunk);
  app.openAPIRegistry.register('TextCompletionChunk', TextCompletionChunk);
  app.openAPIRegistry.register('NpcSentence', SentenceObject);
  app.openAPIRegistry.register('NpcLine', LineObject);
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'The key in STEER_API_KEY; asked for only where the server has one',
  });
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'steer',
      version: '0.1.0',
      description: 'Language models steered by attributes, over the OpenAI protocol',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    security: [{ key: [] }],
  }) as OpenAPIObject;
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of ['get', 'post', 'put', 'delete'] as const) {
      const operation = item[method];
      if (operation) completeOperation(path, method, operation);
    }
  }
  return document;
}

function completeOperation(path: string, method: string, operation: OperationObject): void {
  if (path.startsWith('/health/')) operation.security = [];
  else for (const code of commonFailures(method, operation)) addFailure(operation, code);
  addFailure(operation, 'internal_error');
  for (const [status, response] of Object.entries<ResponseObject>(operation.responses ?? {})) {
    response.headers = { 'x-request-id': requestIdHeader };
    if (status === '429' || status === '503')
      response.headers['retry-after'] = { schema: { type: 'integer' }, description: 'Seconds' };
    const stream = response.content?.['text/event-stream'];
    const chunks = streamedChunks[path];
    if (stream && chunks) stream.schema = describeEvents(chunks);
  }
}

/** How any route can fail that takes what this one takes; a route itself names only what is its own. */
function commonFailures(method: string, { parameters = [], requestBody }: OperationObject): FailureCode[] {
  const content = requestBody && 'content' in requestBody ? Object.keys(requestBody.content) : [];
  return [
    ...(parameters.length > 0 || content.length > 0 ? (['invalid_request'] as const) : []),
    ...(content.includes('application/json') ? (['invalid_json'] as const) : []),
    // Whatever can be sent with a body may send one too large, too slowly or of a type that is not read, and what writes may find no room.
    ...(method === 'get' ? [] : (['body_too_large', 'unsupported_media_type', 'request_timeout', 'disk_full'] as const)),
    ...(['invalid_api_key', 'forbidden'] as const),
    // A player's token is looked up, whatever the route.
    'database_unavailable',
    // Any server stops some day.
    'not_ready',
  ];
}

function addFailure({ responses = {} }: OperationObject, code: FailureCode): void {
  const { status, summary } = failures[code];
  const line = `\`${code}\`: ${summary}`;
  const known: ResponseObject | undefined = responses[status];
  if (known === undefined) responses[status] = { description: line, content: failureContent() };
  else if (!known.description.includes(`\`${code}\``)) known.description += `. ${line}`;
}

function failureContent(): ContentObject {
  const schemas = { 'application/json': 'Error', 'application/problem+json': 'Problem' };
  return Object.fromEntries(
    Object.entries(schemas).map(([type, name]) => [type, { schema: { $ref: `#/components/schemas/${name}` } }]),
  );
}

function describeEvents(chunks: string[]): SchemaObject {
  return {
    description:
      'Lines `data: JSON`, each followed by a blank line. Each is a chunk as below; `data: [DONE]` ends the stream. ' +
      'A reply that breaks off ends with one `data: {"error": …}` instead.',
    oneOf: [
      ...chunks.map((chunk) => ({ $ref: `#/components/schemas/${chunk}` })),
      { $ref: '#/components/schemas/Error' },
      { type: 'string', const: '[DONE]' },
    ],
  };
}
