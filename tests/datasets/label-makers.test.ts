// Whose labels count under a choice: on a dataset that came with ratings and was then labelled by two revisions of a predictor and rated by people.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countMakers, describeLabels } from '../../src/datasets/label-makers.ts';
import { findDataset, type LabelChoice, streamSamples } from '../../src/datasets/samples.ts';
import { appendLabels, type NewLabel } from '../../src/datasets/write.ts';
import type { Store } from '../../src/store/connect.ts';
import { testDatabases } from '../store/databases.ts';
import { collect } from './collect.ts';
import { importText } from './import-text.ts';

const option = (sources: string) => `--labels ${sources}`;
const rows = Array.from({ length: 4 }, (_, i) => ({ instruction: `Question ${i}`, output: 'Answer', attributes: { humor: 1 } }));

describe.each(await testDatabases())('makers of labels on $name', ({ open }) => {
  let store: Store;
  beforeAll(async () => {
    store = await open();
    await importText(store.db, 'talk', [...rows, { instruction: 'bare', output: 'Answer' }]);
    const { id } = await findDataset(store.db, 'talk');
    const samples = await collect(streamSamples(store.db, id));
    const label = { turn: 1, attribute: 'humor', value: 2, level: 2 };
    const by = (revision: string) => ({ source: 'model' as const, author: 'apm', revision });
    const made: NewLabel[] = [
      ...samples.slice(0, 2).map((sample) => ({ ...label, ...by('r1'), sampleId: sample.id })),
      ...samples.slice(1).map((sample) => ({ ...label, ...by('r2'), sampleId: sample.id })),
      ...samples.slice(3, 4).map((sample) => ({ ...label, source: 'human' as const, author: 'ann', sampleId: sample.id })),
      ...samples.slice(0, 1).map((sample) => ({ ...label, ...by('r2'), attribute: 'warmth', sampleId: sample.id })),
    ];
    await appendLabels(store.db, made);
  });
  afterAll(() => store.close());

  const count = async (choice: LabelChoice, part = {}) => {
    const found = await countMakers(store.db, await findDataset(store.db, 'talk'), choice, part);
    const short = (makers: typeof found.counted) =>
      makers.map(({ source, author, revision, labels }) =>
        [labels, source, author, revision].filter((each) => each !== null).join(' '),
      );
    return { found, counted: short(found.counted), passed: short(found.passed_over) };
  };

  test('the newest of each counts, and the others are passed over', async () => {
    const { found, counted, passed } = await count('latest');
    expect(counted).toEqual(['4 model apm r2', '1 human ann', '1 model apm r1']);
    expect(passed).toEqual(['4 import alpaca', '1 model apm r1', '1 model apm r2']);
    expect(describeLabels(found, option)).toEqual([
      'Labels of talk: 4 by the predictor apm r2, 1 by raters (ann), 1 by the predictor apm r1; where there are several, the newest counts.',
      'Passed over: 4 of the import (alpaca), 1 by the predictor apm r1, 1 by the predictor apm r2. --labels import,model,human takes them first.',
    ]);
  });

  test('so many as the walk through the samples takes, whatever the choice and the part', async () => {
    const { id } = await findDataset(store.db, 'talk');
    for (const choice of ['latest', ['import'], ['human', 'import'], ['model'], ['rule'], []] as LabelChoice[]) {
      const taken = (await collect(streamSamples(store.db, id, { labels: choice }))).flatMap(({ content }) =>
        content.kind === 'text' ? [] : content.conversation.turns.flatMap(({ label }) => Object.keys(label ?? {})),
      );
      const { found } = await count(choice);
      const sum = (makers: typeof found.counted) => makers.reduce((total, { labels }) => total + labels, 0);
      expect([choice, sum(found.counted), sum(found.counted) + sum(found.passed_over)]).toEqual([choice, taken.length, 12]);
    }
    expect((await count('latest', { most: 1 })).counted).toEqual(['1 model apm r1', '1 model apm r2']);
    expect((await count('latest', { attributes: ['warmth'] })).passed).toEqual([]);
    const sides = await Promise.all((['train', 'validation'] as const).map((split) => count(['import'], { split })));
    expect(sides.flatMap(({ found }) => found.counted).reduce((total, { labels }) => total + labels, 0)).toBe(4);
  });

  test('nothing is said where nothing is labelled, and no other choice where there is none', async () => {
    await importText(store.db, 'bare', [{ instruction: 'a', output: 'b' }]);
    expect(describeLabels(await countMakers(store.db, await findDataset(store.db, 'bare'), 'latest'), option)).toEqual([]);
    const { found } = await count(['model'], { most: 3 });
    expect(describeLabels({ ...found, passed_over: found.counted }, option)[1]).not.toContain('--labels');
    expect(describeLabels((await count(['rule'])).found, null)[0]).toBe('Labels of talk: none; asked for: rule.');
  });
});
