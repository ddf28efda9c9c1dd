// The committed document is the one the routes make.
import { readFileSync } from 'node:fs';
import type { SchemaObject } from 'openapi3-ts/oas31';
import { expect, test } from 'vitest';
import { describeApi } from '../../src/http/openapi.ts';
import { expectToFit, openHouse } from './knock.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('openapi/openapi.json is what the routes say; `steer openapi` writes it anew', () => {
  const { app } = openHouse();
  expect(`${JSON.stringify(describeApi(app), null, 2)}\n`).toBe(read('openapi/openapi.json'));
  expect(describeApi(app)).toEqual(JSON.parse(read('openapi/openapi.json')));
});

test('the document carries the version of the package', () => {
  expect(JSON.parse(read('openapi/openapi.json')).info.version).toBe(JSON.parse(read('package.json')).version);
});

test('every route asks for the key, health checks aside, and every reply tells its request id', () => {
  const { paths } = JSON.parse(read('openapi/openapi.json'));
  for (const [path, item] of Object.entries<
    Record<string, { security?: unknown; responses: Record<string, { headers: object }> }>
  >(paths)) {
    for (const operation of Object.values(item)) {
      expect(operation.security).toEqual(path.startsWith('/health/') ? [] : undefined);
      for (const response of Object.values(operation.responses)) expect(response.headers).toHaveProperty('x-request-id');
    }
  }
});

test('every route declares how whatever takes what it takes can fail', () => {
  const { paths } = JSON.parse(read('openapi/openapi.json'));
  type Operation = { parameters?: object[]; requestBody?: { content: object }; responses: Record<string, object> };
  let routes = 0;
  for (const [path, item] of Object.entries<Record<string, Operation>>(paths)) {
    if (path.startsWith('/health/')) continue;
    for (const [method, { parameters = [], requestBody, responses }] of Object.entries(item)) {
      const expected = ['401', '403', '500', '503'];
      if (parameters.length > 0 || requestBody) expected.push('400');
      if (method !== 'get') expected.push('413', '415', '507');
      expect([method, path, expected.filter((status) => !responses[status])]).toEqual([method, path, []]);
      routes++;
    }
  }
  expect(routes).toBeGreaterThan(70);
});

test('every route that reads a body says what it may be', () => {
  const { paths } = JSON.parse(read('openapi/openapi.json'));
  expect(Object.keys(paths['/v1/npcs/import'].post.requestBody.content)).toEqual(['application/json', 'image/png']);
});

test('every stream of events names the schema its events follow', () => {
  const { paths, components } = JSON.parse(read('openapi/openapi.json'));
  const streams = Object.entries<
    Record<string, { responses: Record<string, { content?: Record<string, { schema: SchemaObject }> }> }>
  >(paths).flatMap(([path, item]) =>
    Object.values(item).flatMap(({ responses }) => {
      const schema = responses['200']?.content?.['text/event-stream']?.schema;
      return schema ? [[path, schema.oneOf?.[0]] as const] : [];
    }),
  );
  expect(streams.length).toBeGreaterThanOrEqual(4);
  for (const [path, chunk] of streams) {
    const { $ref = '' } = (chunk ?? {}) as { $ref?: string };
    expect(components.schemas, path).toHaveProperty($ref.replace('#/components/schemas/', ''));
  }
});

test('the check of replies can fail', () => {
  const usage = { $ref: '#/components/schemas/Usage' };
  const good = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  expect(() => expectToFit(usage, good, 'here')).not.toThrow();
  expect(() => expectToFit(usage, { ...good, extra: 1 }, 'here')).toThrow(/extra/);
  expect(() => expectToFit(usage, { ...good, total_tokens: '3' }, 'here')).toThrow(/total_tokens/);
});
