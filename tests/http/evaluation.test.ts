// POST /v1/models/{id}/evaluate: names become ids, defaults are those of the command, one key makes one job, and what would flatter is refused.
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AttributeSchema } from '../../src/steerlm/attributes.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import type { Store } from '../../src/store/connect.ts';
import { labels, samples } from '../../src/store/schema.ts';
import { jobs } from '../../src/store/work-schema.ts';
import { importText } from '../datasets/import-text.ts';
import { ratedLines, tone } from '../finetuning/workshop.ts';
import { openPglite } from '../store/databases.ts';
import { type House, knock, openHouse, post } from './knock.ts';
import { ParrotModel, WordCountPredictor } from './small-models.ts';

let store: Store;
let house: House;
let dataset: string;
let lore: string;
/** Jobs that were there when the test began. */
let before: string[];

/** A model on the shelf under another name. */
const called = <Model extends object>(model: Model, id: string, schema: AttributeSchema = gameCharacters): Model =>
  Object.assign(model, { id, schema });
const nothing: AttributeSchema = { name: 'none', version: 0, attributes: [] };

beforeAll(async () => {
  store = await openPglite();
  dataset = (await importText(store.db, 'talk', ratedLines(20))).id;
  lore = (await importText(store.db, 'lore', ratedLines(12))).id;
});
afterAll(() => store.close());
beforeEach(async () => {
  before = await jobIds();
  house = openHouse({}, { db: store.db });
  const { shelf } = house;
  shelf.languages.push(
    called(new ParrotModel(), 'plain', nothing),
    called(new ParrotModel(), 'shuffled'),
    called(new ParrotModel(), 'toned', tone),
  );
  shelf.predictors.push(called(new WordCountPredictor(), 'second'), called(new WordCountPredictor(), 'tone', tone));
});

const jobIds = async () => (await store.db.select({ id: jobs.id }).from(jobs)).map(({ id }) => id);
const made = async () => (await jobIds()).filter((id) => !before.includes(id));
const evaluate = (model: string, body: object, headers = {}) => post(house, `/v1/models/${model}/evaluate`, body, headers);

test('a predictor, by the defaults of the command', async () => {
  const { status, body } = await evaluate('counter', { kind: 'predictor', dataset: 'talk' });
  expect([status, body.object, body.kind, body.status]).toEqual([202, 'job', 'evaluate', 'queued']);
  expect(body.input).toEqual({
    kind: 'predictor',
    model: 'counter',
    dataset,
    split: 'validation',
    labels: ['human', 'import', 'rule'],
    limit: null,
    force: false,
    seed: 0,
  });
  expect(await made()).toEqual([body.id]);
  expect((await knock(house, `/v1/jobs/${body.id}`)).body.kind).toBe('evaluate');
});

test('steering: names and aliases become ids, and defaults are those of the command', async () => {
  await house.shelf.setAlias('npc', 'parrot');
  await house.shelf.setAlias('best', 'second');
  const asked = { kind: 'steering', dataset: 'talk@1', judge: 'counter', best_of: 3, chooser: 'best', base: 'plain' };
  const controls = [
    { name: 'shuffled labels', model: 'shuffled' },
    { name: 'no attributes', model: 'plain' },
  ];
  const { status, body } = await evaluate('npc', { ...asked, controls });
  expect([status, body.input]).toEqual([
    202,
    {
      kind: 'steering',
      model: 'parrot',
      dataset,
      judge: 'counter',
      split: 'validation',
      prompts_count: 40,
      seeds: 2,
      grid: 8,
      strength: [1],
      against: 'null',
      best_of: 3,
      chooser: 'second',
      controls,
      text_instruction: false,
      base: 'plain',
      max_tokens: 160,
      temperature: 0.7,
      top_p: 0.95,
      frequency_penalty: 0,
      draws: 1000,
      force: false,
      seed: 0,
    },
  ]);
});

test('likelihood: the base is the one the model was made from, unless another is named', async () => {
  house.shelf.bases.parrot = 'plain';
  const { body } = await evaluate('parrot', { kind: 'likelihood', dataset: 'talk', replies: 'lore' });
  expect(body.input).toMatchObject({ model: 'parrot', base: 'plain', labels: 'latest', limit: 200, training_data: null });
  expect(body.input.replies).toBe(lore);
});

test('one key makes one job; another request under it is a conflict', async () => {
  const key = { 'idempotency-key': 'same' };
  const asked = { kind: 'steering', judge: 'counter', dataset: 'talk' };
  const first = await evaluate('parrot', asked, key);
  // By id it is the same dataset, and a default said is the same request.
  const second = await evaluate('parrot', { ...asked, dataset, seeds: 2 }, key);
  expect([first.status, second.status, second.body.id]).toEqual([202, 200, first.body.id]);
  expect(await made()).toEqual([first.body.id]);
  const other = await evaluate('parrot', { ...asked, seeds: 3 }, key);
  expect([other.status, other.body.error]).toMatchObject([409, { code: 'conflict', param: 'Idempotency-Key' }]);
});

describe('refused at once', () => {
  const steering = { kind: 'steering', judge: 'counter', dataset: 'talk' };
  /** Status, code, field and message. */
  const refused = async (model: string, body: object) => {
    const { status, body: reply } = await evaluate(model, body);
    expect(await made()).toEqual([]);
    expect(reply.error.message).not.toMatch(/(^|\s)--/);
    return [status, reply.error.code, reply.error.param, reply.error.message];
  };
  const some = (text: string) => expect.stringContaining(text);

  test.each<[string, string, object, unknown[]]>([
    ['an unknown model', 'nobody', steering, [404, 'model_not_found', 'model', some('"nobody"')]],
    ['a predictor that is to be steered', 'counter', steering, [400, 'invalid_request', 'kind', some('which counter is')]],
    [
      'a language model that is to rate',
      'parrot',
      { kind: 'predictor', dataset: 'talk' },
      [400, 'invalid_request', 'kind', some('which parrot is')],
    ],
    ['no kind', 'parrot', { dataset: 'talk' }, [400, 'invalid_request', 'kind', some('kind')]],
    ['an unknown field', 'parrot', { ...steering, out: '/tmp' }, [400, 'invalid_request', some('out'), some('out')]],
    ['an unknown dataset', 'parrot', { ...steering, dataset: 'gone' }, [404, 'not_found', 'dataset', some('gone')]],
    ['an unknown judge', 'parrot', { ...steering, judge: 'parrot' }, [404, 'model_not_found', 'judge', some('No predictor')]],
    ['a path', 'parrot', { ...steering, judge: '../models/apm' }, [404, 'model_not_found', 'judge', some('../models/apm')]],
    ['an unknown base', 'parrot', { ...steering, base: 'nil' }, [404, 'model_not_found', 'base', some('"nil"')]],
    [
      'an unknown control',
      'parrot',
      { ...steering, controls: [{ name: 'a', model: 'nil' }] },
      [404, 'model_not_found', 'controls.0.model', some('"nil"')],
    ],
    [
      'two controls of one name',
      'parrot',
      { ...steering, controls: [1, 2].map(() => ({ name: 'a', model: 'shuffled' })) },
      [400, 'invalid_request', 'controls', some('no two of one name')],
    ],
    ['a model without attributes', 'plain', steering, [400, 'invalid_request', 'kind', some('plain has none to steer')]],
    ['a judge of another scale', 'parrot', { ...steering, judge: 'tone' }, [400, 'invalid_request', 'judge', some('tone rates')]],
    [
      'a control of other attributes',
      'parrot',
      { ...steering, controls: [{ name: 'a', model: 'toned' }] },
      [400, 'invalid_request', 'controls.0.model', some('toned')],
    ],
    [
      'candidates that nobody chooses among',
      'parrot',
      { ...steering, best_of: 2 },
      [400, 'invalid_request', 'best_of', some('best_of N and chooser MODEL together')],
    ],
    [
      'a chooser that is the judge',
      'parrot',
      { ...steering, best_of: 2, chooser: 'counter' },
      [400, 'invalid_request', 'chooser', some('add force to have the report marked chooser_is_judge')],
    ],
    [
      'likelihoods of a model without attributes',
      'plain',
      { kind: 'likelihood', dataset: 'talk' },
      [400, 'invalid_request', 'kind', some('Expected a steered model')],
    ],
    [
      'likelihoods without a base',
      'parrot',
      { kind: 'likelihood', dataset: 'talk' },
      [400, 'invalid_request', 'base', some('names no base')],
    ],
    [
      'a base that knows labels',
      'parrot',
      { kind: 'likelihood', dataset: 'talk', base: 'shuffled' },
      [400, 'invalid_request', 'base', some('never saw a label')],
    ],
    ['another scale', 'tone', { kind: 'predictor', dataset: 'talk' }, [422, 'invalid_dataset', null, some('Bring the data')]],
  ])('%s', async (_, model, body, expected) => {
    expect(await refused(model, body)).toEqual(expected);
  });

  test('prompts of a dataset by which the model, or a control, was trained, unless forced', async () => {
    house.shelf.trainedOn = { shuffled: ['talk'] };
    const asked = { ...steering, split: 'all', controls: [{ name: 'a', model: 'shuffled' }] };
    const message = expect.stringMatching(/^shuffled was trained on the train split of talk .* or add force to have/);
    expect(await refused('parrot', asked)).toEqual([400, 'invalid_request', 'split', message]);
    expect((await evaluate('parrot', { ...asked, split: 'validation' })).status).toBe(202);
    expect((await evaluate('parrot', { ...asked, force: true })).status).toBe(202);
  });

  test('a judge that learnt from the data of the model, or labelled it, unless forced', async () => {
    house.shelf.trainedOn = { parrot: ['lore'], counter: ['lore'] };
    const both = expect.stringContaining('counter and parrot were both trained on lore');
    expect(await refused('parrot', steering)).toEqual([400, 'invalid_request', 'judge', both]);
    expect((await evaluate('parrot', { ...steering, force: true })).status).toBe(202);
    before = await jobIds();
    house.shelf.trainedOn = { parrot: ['lore'] };
    expect((await evaluate('parrot', { ...steering, judge: 'second' })).status).toBe(202);
    before = await jobIds();
    const [sample] = await store.db.select({ sampleId: samples.id }).from(samples).where(eq(samples.datasetId, lore));
    const label = { turn: 1, attribute: 'humor', value: 1, source: 'model' as const, author: 'second', revision: 'rev-9' };
    await store.db.insert(labels).values({ ...label, level: 1, ...sample! });
    const labelled = expect.stringContaining('second labelled the data parrot was trained on');
    expect(await refused('parrot', { ...steering, judge: 'second' })).toEqual([400, 'invalid_request', 'judge', labelled]);
  });

  test('where there is no database', async () => {
    house = openHouse();
    expect(await evaluate('parrot', steering)).toMatchObject({ status: 503 });
  });
});
