// Values at the ends of what validation lets through, and names that every object of the language inherits, in every field and address: refused or
// answered, never a fault of the server.
import { readFileSync } from 'node:fs';
import type { OpenAPIObject, OperationObject, ParameterObject } from 'openapi3-ts/oas31';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/connect.ts';
import { testDatabases } from '../store/databases.ts';
import { at, bodies, hostile, ids, odd, queries, talk } from './hostile-values.ts';
import { type House, openHouse, post } from './knock.ts';
import { ParrotModel, WordCountPredictor } from './small-models.ts';

const { paths = {} } = JSON.parse(readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8')) as OpenAPIObject;

/** Whether the document says that the route may answer so. An address that no route takes has nothing declared. */
function isDeclared(method: string, path: string, status: number): boolean {
  const address = path.split('?')[0]!;
  const fitting = Object.entries(paths).filter(([template]) =>
    new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(address),
  );
  const operations = fitting.flatMap(([, item]) => (item[method.toLowerCase() as 'get'] as OperationObject | undefined) ?? []);
  return operations.length === 0 || operations.some(({ responses }) => responses?.[status]);
}

describe.each(await testDatabases())('on $name', (database) => {
  let store: Store;
  let house: House;
  const known: Record<string, string> = {};
  const faults: string[] = [];

  beforeAll(async () => {
    store = await database.open();
    house = openHouse({}, { db: store.db });
    const plain = Object.assign(new ParrotModel(), { id: 'plain', schema: { ...odd, attributes: [] } });
    house.shelf.languages = [Object.assign(new ParrotModel(), { schema: odd }), plain];
    house.shelf.predictors = [new WordCountPredictor(odd)];
    const upload = async (purpose: string, text: string) => {
      const form = new FormData();
      form.set('purpose', purpose);
      form.set('file', new File([text], 'lines.jsonl'));
      return ((await (await house.app.request('/v1/files', { method: 'POST', body: form })).json()) as { id: string }).id;
    };
    const lines = Array.from({ length: 12 }, (_, i) => {
      const said = { role: 'assistant', content: `a${i}`, attributes: { constructor: i % 5, humor: 1 } };
      return JSON.stringify({ messages: [{ role: 'user', content: `q${i}` }, said] });
    });
    known.FILE = await upload('fine-tune', lines.join('\n'));
    known.BATCH = await upload('batch', '{}');
    const imported = await post(house, '/v1/datasets', { name: 'lines', file_id: known.FILE });
    expect([imported.status, imported.body.schema?.attributes.map(({ name }: { name: string }) => name)]).toEqual([
      201,
      ['constructor', 'humor'],
    ]);
    for (const name of ['COMPLETION', 'OTHER'])
      known[name] = (await post(house, '/v1/chat/completions', { messages: talk })).body.id;
    const rules = [{ event: 'e', changes: { constructor: 1 }, note: '{{who}} and {{constructor}}' }];
    const baseline = { humor: 1, constructor: 1 };
    for (const id of ['marta', 'olin']) {
      expect(
        (await post(house, '/v1/npcs', { id, name: 'Marta', persona: 'You are Marta.', rules, attributes: baseline })).status,
      ).toBe(200);
    }
    known.SESSION = (await post(house, '/v1/npcs/marta/sessions', { player_id: 'ann' })).body.id;
    await post(house, `/v1/${at.replace('SESSION', known.SESSION!)}/say`, { text: 'Hello' });
  }, 60_000);
  afterAll(() => store.close());

  const filled = (text: string) => text.replace(/COMPLETION|OTHER|FILE|BATCH|SESSION/g, (name) => known[name]!);

  async function ask(method: string, path: string, body?: unknown, place = ''): Promise<number> {
    const init =
      body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: filled(JSON.stringify(body)) };
    const before = house.lines.length;
    const reply = await house.app.request(filled(path), { method, ...init });
    const text = await reply.text();
    if (!isDeclared(method, path, reply.status))
      faults.push(`${method} ${path.slice(0, 100)} answers ${reply.status} undeclared`);
    if (reply.status >= 500) {
      const cause = house.lines.slice(before).find((line) => line.includes('request failed')) ?? '';
      faults.push(`${method} ${path.slice(0, 100)} ${place}: ${reply.status} ${cause.slice(0, 400)}`);
    } else if (/"(stored|broken)":false/.test(text) || house.lines.slice(before).some((line) => line.includes('not kept'))) {
      faults.push(`${method} ${path} ${place}: not kept`);
    }
    return reply.status;
  }

  test.each(bodies)(
    '%s %s, field by field',
    async (method, path, body) => {
      faults.splice(0);
      const whole = await ask(method, `/v1/${path}`, body);
      expect([whole < 300 || (path === `${at}/feedback` && whole === 404), faults]).toEqual([true, []]);
      for (const [place, changed] of hostile(body))
        await ask(method, `/v1/${path}`, changed, `${place} in ${JSON.stringify(changed)}`);
      expect(faults).toEqual([]);
    },
    120_000,
  );

  test('every address and every query', async () => {
    faults.splice(0);
    for (const [template, item] of Object.entries(paths)) {
      for (const method of ['get', 'post', 'put', 'delete'] as const) {
        const operation = item[method] as OperationObject | undefined;
        if (!operation) continue;
        const parameters = (operation.parameters ?? []) as ParameterObject[];
        const whole = template
          .replace('{sid}', 'SESSION')
          .replace(/\{(id|alias)\}/, template.includes('/npcs/') ? 'marta' : 'lines');
        const body = method === 'post' || method === 'put' ? {} : undefined;
        for (const id of ids) {
          for (const part of template.match(/\{\w+\}/g) ?? []) {
            const path = template
              .replace(part, id)
              .replace('{sid}', 'SESSION')
              .replace(/\{\w+\}/, 'marta');
            await ask(method.toUpperCase(), path, body);
          }
        }
        if (method !== 'get') continue;
        for (const { name } of parameters.filter((parameter) => parameter.in === 'query')) {
          for (const value of queries) await ask('GET', `${whole}?${name}=${value}`);
        }
      }
    }
    expect(faults).toEqual([]);
  }, 120_000);

  test('what was let in can be read again', async () => {
    faults.splice(0);
    const lists = [
      'chat/completions',
      'feedback',
      'raters',
      'raters/agreement',
      'leaderboard',
      'datasets',
      'jobs',
      'batches',
      'fine_tuning/jobs',
      'npcs',
    ];
    for (const list of [...lists, 'npcs/marta/sessions', `${at}/log`, `${at}/mood`, `${at}/saves`, 'datasets/lines/inspect']) {
      expect([list, await ask('GET', `/v1/${list}`)]).toEqual([list, 200]);
    }
    expect(faults).toEqual([]);
  });
});
