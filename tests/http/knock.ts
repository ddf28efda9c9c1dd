// An app over small models, and a way to ask it that checks every reply against the committed OpenAPI document.
import { readFileSync } from 'node:fs';
import type { OpenAPIObject, OperationObject, ResponseObject, SchemaObject } from 'openapi3-ts/oas31';
import { expect } from 'vitest';
import { z } from 'zod';
import { type Config, readConfig } from '../../src/config.ts';
import { createApp } from '../../src/http/app.ts';
import type { AppContext } from '../../src/http/app-context.ts';
import { createLog } from '../../src/http/log.ts';
import { ParrotModel, Shelf, WordCountPredictor } from './small-models.ts';

const document = JSON.parse(readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8')) as OpenAPIObject;
const routes = Object.entries(document.paths ?? {});

export interface House {
  model: ParrotModel;
  predictor: WordCountPredictor;
  shelf: Shelf;
  app: ReturnType<typeof createApp>;
  /** Lines the app logged. */
  lines: string[];
}

/** A fresh app. */
export function openHouse(settings: Record<string, string> = {}, rest: Partial<AppContext> = {}): House {
  const model = new ParrotModel();
  const predictor = new WordCountPredictor();
  const shelf = new Shelf([model], [predictor]);
  const lines: string[] = [];
  const config: Config = readConfig(settings);
  const log = createLog('debug', { write: (line: string) => void lines.push(line) });
  return { model, predictor, shelf, lines, app: createApp({ models: shelf, config, log, ...rest }) };
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever came back
  body: any;
}

/** Asks and checks the reply against the document: status, content type, request id and body. */
export async function knock(house: House, path: string, init: RequestInit = {}): Promise<Answer> {
  const reply = await house.app.request(path, init);
  const type = (reply.headers.get('content-type') ?? '').split(';')[0] ?? '';
  expect(reply.headers.get('x-request-id')).toMatch(/^[\w=-]{1,128}$/);
  const schema = schemaOf(path, init.method ?? 'GET', reply.status, type);
  const text = await reply.text();
  const body = type === 'text/event-stream' ? readEvents(text) : JSON.parse(text);
  for (const each of type === 'text/event-stream' ? body : [body]) expectToFit(schema, each, `${path} ${reply.status}`);
  return { status: reply.status, headers: reply.headers, body };
}

/** The same with a JSON body. */
export function post(house: House, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
  return knock(house, path, init);
}

/** Data of each event, parsed; `[DONE]` as it is. Every event must be one line. */
export function readEvents(text: string): unknown[] {
  expect(text).toMatch(/\n\n$/);
  return text
    .slice(0, -2)
    .split('\n\n')
    .map((event) => {
      expect(event).toMatch(/^data: [^\n]+$/);
      const data = event.slice('data: '.length);
      return data === '[DONE]' ? data : JSON.parse(data);
    });
}

function schemaOf(path: string, method: string, status: number, type: string): SchemaObject {
  const address = path.split('?')[0] ?? '';
  const item = routes.find(([template]) => new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(address))?.[1];
  const operation = item?.[method.toLowerCase() as 'get' | 'post'] as OperationObject | undefined;
  // What no route answers has no place in the document but must still be an error it knows.
  if (!operation) return { $ref: `#/components/schemas/${type === 'application/problem+json' ? 'Problem' : 'Error'}` };
  const response = operation.responses?.[String(status)] as ResponseObject | undefined;
  const schema = response?.content?.[type]?.schema;
  if (!schema) throw new Error(`${method} ${path} answered ${status} ${type}, which openapi.json does not know`);
  return schema as SchemaObject;
}

/** Fails unless the value fits the schema and has no field the schema does not list. */
export function expectToFit(schema: SchemaObject, value: unknown, where: string): void {
  const $defs = Object.fromEntries(Object.entries(document.components?.schemas ?? {}).map(([name, def]) => [name, close(def)]));
  const closed = { $schema: 'https://json-schema.org/draft/2020-12/schema', $defs, ...(close(schema) as object) };
  const parsed = z.fromJSONSchema(closed as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value);
  if (!parsed.success)
    throw new Error(`${where} does not fit openapi.json: ${z.prettifyError(parsed.error)}\n${JSON.stringify(value)}`);
}

/** The schema with references into $defs, and objects that allow nothing unlisted. */
function close(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(close);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $ref } = schema as { $ref?: string };
  if ($ref) return { $ref: $ref.replace('#/components/schemas/', '#/$defs/') };
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, close(value)]));
  return 'properties' in copy && !('additionalProperties' in copy) ? { ...copy, additionalProperties: false } : copy;
}
