// Who may judge a model and choose among its replies, and which prompts are drawn.
import { describe, expect, test } from 'vitest';
import type { Sample } from '../../../src/datasets/sample.ts';
import { refuseChooser, refuseShared, sharedTraining } from '../../../src/evaluation/steering/judge-independence.ts';
import { gatherPrompts, type PromptChoice } from '../../../src/evaluation/steering/prompts.ts';
import type { Turn } from '../../../src/steerlm/conversation.ts';

const card = (name: string, ...data: [string, string][]) => {
  return { name, revision: `${name} 1`, datasets: data.map(([name, hash]) => ({ name, hash })) };
};

describe('a judge', () => {
  const model = card('npc', ['talk', 'aa'], ['more', 'bb']);

  test('is independent when neither data nor labels are shared', () => {
    expect(sharedTraining(model, card('apm', ['ratings', 'cc']), [{ author: 'other', revision: 'x' }])).toBeNull();
    expect(refuseShared(null, false)).toBe(false);
  });

  test('is refused for data of one hash or one name, and for labels it made, unless forced', () => {
    const found = [
      sharedTraining(model, card('apm', ['renamed', 'bb'])),
      sharedTraining(model, card('apm', ['talk', 'dd'])),
      sharedTraining(model, card('apm'), [{ author: 'apm', revision: 'earlier' }]),
      sharedTraining(model, card('apm'), [{ author: 'renamed', revision: 'apm 1' }]),
    ];
    expect(found).toEqual([
      'apm and npc were both trained on renamed',
      'apm and npc were both trained on talk',
      'apm labelled the data npc was trained on',
      'apm labelled the data npc was trained on',
    ]);
    expect(() => refuseShared(found[0]!, false)).toThrow('learnt from other data, but apm and npc were both trained on renamed');
    expect(refuseShared(found[0]!, true)).toBe(true);
  });

  test('does not choose what it judges', () => {
    const judge = { revision: 'r1' };
    expect(refuseChooser({ id: 'b', revision: 'r2' }, judge, false)).toBe(false);
    expect(() => refuseChooser({ id: 'copy', revision: 'r1' }, judge, false)).toThrow('copy would choose what it likes to see');
    expect(refuseChooser({ id: 'copy', revision: 'r1' }, judge, true)).toBe(true);
  });
});

describe('prompts', () => {
  const schema = {
    name: 'tone',
    version: 1,
    attributes: [{ name: 'wit', aliases: ['humour'], description: '', levels: ['no', 'some', 'yes'], default: 0, cap: 2 }],
  };
  const choice: PromptChoice = {
    schema,
    split: 'validation',
    count: 100,
    seed: 1,
    fits: async () => true,
    signal: new AbortController().signal,
  };
  const sample = (turns: Turn[], split: Sample['split'] = 'validation'): Sample => {
    return { content: { kind: 'conversation', conversation: { system: '', turns } }, conversationId: 'c', source: null, split };
  };
  const user = (content: string): Turn => ({ role: 'user', content });
  const assistant = (content: string, wit?: number): Turn => ({
    role: 'assistant',
    content,
    ...(wit === undefined ? {} : { label: { humour: wit } }),
  });
  const sourceOf = (...samples: Sample[]) => ({
    name: 'talk',
    schema: null,
    samples: async function* () {
      yield* samples;
    },
  });

  test('end with what the user said last, once each, earlier replies under their labels in the names of the schema', async () => {
    const source = sourceOf(
      sample([user('a'), assistant('b', 1), user('c'), assistant('d', 2)]),
      sample([user('a'), assistant('b', 1), user('c'), assistant('another', 0)]),
      sample([user('a'), assistant('b', 1), user('other')]),
      sample([user('seen'), assistant('d', 2)], 'train'),
      sample([assistant('alone')]),
    );
    const { prompts, labels } = await gatherPrompts(source, choice);
    const said = prompts.map(({ turns }) => turns.map(({ content }) => content).join(' ')).toSorted();
    expect(said).toEqual(['a b c', 'a b other']);
    expect(prompts[0]!.turns[1]!.label).toEqual({ wit: 1 });
    expect(labels).toEqual([1, 2, 1, 0, 1, 2].map((wit) => ({ wit })));
  });

  test('are drawn by the seed, whatever their order, and not more than asked for', async () => {
    const samples = Array.from({ length: 50 }, (_, i) => sample([user(`prompt ${i}`)]));
    const draw = async (seed: number, from: Sample[]) =>
      (await gatherPrompts(sourceOf(...from), { ...choice, seed, count: 5 })).prompts.map(({ turns }) => turns[0]!.content);
    const first = await draw(1, samples);
    expect(first).toHaveLength(5);
    expect(await draw(1, samples.toReversed())).toEqual(first);
    expect(await draw(2, samples)).not.toEqual(first);
  });

  test('that do not fit are passed over, and their want is told', async () => {
    const source = sourceOf(sample([user('short')]), sample([user('a long one')]));
    const fits: PromptChoice['fits'] = async ({ turns }) => turns[0]!.content === 'short';
    expect((await gatherPrompts(source, { ...choice, fits })).prompts).toHaveLength(1);
    await expect(gatherPrompts(source, { ...choice, fits: async () => false })).rejects.toThrow('too long for the context');
    await expect(gatherPrompts(source, { ...choice, split: 'train' })).rejects.toThrow(
      'a user turn in the train split of talk, found none',
    );
  });
});
