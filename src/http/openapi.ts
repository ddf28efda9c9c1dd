// The OpenAPI 3.1 document: what the routes' schemas say, plus what zod cannot: event streams, the key, and the header on every reply.
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { HeaderObject, OpenAPIObject, OperationObject, ResponseObject, SchemaObject } from 'openapi3-ts/oas31';
import type { AppEnv } from './app-context.ts';
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
    for (const operation of [item.get, item.post, item.put, item.delete]) {
      if (operation) completeOperation(path, operation);
    }
  }
  return document;
}

function completeOperation(path: string, operation: OperationObject): void {
  if (path.startsWith('/health/')) operation.security = [];
  for (const [status, response] of Object.entries<ResponseObject>(operation.responses ?? {})) {
    response.headers = { 'x-request-id': requestIdHeader };
    if (status === '429' || status === '503')
      response.headers['retry-after'] = { schema: { type: 'integer' }, description: 'Seconds' };
    const stream = response.content?.['text/event-stream'];
    const chunks = streamedChunks[path];
    if (stream && chunks) stream.schema = describeEvents(chunks);
  }
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
