// Aliases of models, kept in the database: they move while replies are told, and hold on other processes.
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { removeAlias, writeAlias } from '../../src/registry/aliases.ts';
import { lookEveryMs } from '../../src/registry/model-registry.ts';
import { findModel } from '../../src/registry/models.ts';
import type { Store } from '../../src/store/connect.ts';
import { testDatabases } from '../store/databases.ts';
import { endOf, inFolder, open, speak, statusOf, talkative, wholeReply, write } from './model-folder.ts';

/** Keeps registries from looking by themselves; other timers run, since the database's driver connects by one. */
function withoutLooks() {
  const wait = globalThis.setTimeout;
  const never = ((act: () => void, ms?: number) => wait(act, ms === lookEveryMs ? 2 ** 30 : ms)) as typeof setTimeout;
  return vi.spyOn(globalThis, 'setTimeout').mockImplementation(never);
}

describe.each(await testDatabases())('aliases on $name', ({ open: openDatabase }) => {
  let store: Store;
  beforeAll(async () => {
    store = await openDatabase();
  });
  afterAll(() => store.close());

  test('default moves to another model while replies of the old one are told to their end', async () => {
    await write('one', 'steered', 'one', talkative);
    await write('two', 'steered');
    const { registry } = await open(store);
    await registry.load('two');
    expect(findModel(registry, undefined, ['language']).id).toBe('one');
    const reply = speak(await registry.language('one'));
    await reply.next();
    expect(await registry.setAlias('default', 'two')).toMatchObject({ id: 'two', status: 'loaded', aliases: ['default'] });
    registry.unload('one');
    expect(findModel(registry, undefined, ['language']).id).toBe('two');
    expect(registry.list()[0]!.id).toBe('two');
    expect(await endOf(reply)).toMatchObject(wholeReply);
    expect(statusOf(registry, 'one')).toBe('unloaded');
    await registry.removeAlias('default');
    expect(findModel(registry, 'default', ['language']).id).toBe('one');
    await registry.dispose();
  });

  test('hold on other processes by notice, without a look of their own', async () => {
    await write('one', 'steered');
    await write('two', 'steered');
    const looks = withoutLooks();
    try {
      const { registry: still } = await open(store);
      const turnUntil = async (holds: () => boolean) => {
        while (!holds()) await new Promise((resolve) => setImmediate(resolve));
      };
      await writeAlias(store.db, 'npc', 'one');
      await turnUntil(() => still.aliases().get('npc') === 'one');
      await writeAlias(store.db, 'npc', 'two');
      await turnUntil(() => still.aliases().get('npc') === 'two');
      await removeAlias(store.db, 'npc');
      await turnUntil(() => !still.aliases().has('npc'));
      await still.dispose();
    } finally {
      looks.mockRestore();
    }
  });

  test('hold on other processes also where notices do not get through', async () => {
    await write('one', 'steered');
    const { registry } = await open({ db: store.db, listen: () => () => {} });
    await writeAlias(store.db, 'npc', 'one');
    await vi.waitFor(() => expect(registry.aliases().get('npc')).toBe('one'), 20_000);
    await removeAlias(store.db, 'npc');
    await registry.dispose();
  });

  test('are kept, and another process sees them and new models within seconds', { timeout: 60_000 }, async () => {
    await write('one', 'steered');
    await write('rater', 'predictor');
    const [{ registry: here }, { registry: there }] = [await open(store), await open(store)];
    await here.setAlias('npc', 'one');
    await write('new', 'steered');
    await vi.waitFor(() => expect(findModel(there, 'npc', ['language']).id).toBe('one'), 15_000);
    await vi.waitFor(() => expect(findModel(there, 'new', ['language']).id).toBe('new'), 15_000);
    expect([...there.aliases()]).toEqual([['npc', 'one']]);
    const { registry: later } = await open(store);
    expect(later.aliases().get('npc')).toBe('one');
    await later.dispose();
    rmSync(inFolder('one'), { recursive: true });
    await here.refresh();
    expect(() => findModel(here, 'npc', ['language']), 'an alias of nothing').toThrow(/No language model/);
    await here.removeAlias('npc');
    await expect(here.removeAlias('npc')).rejects.toMatchObject({ code: 'not_found' });
    await expect(here.setAlias('default', 'rater')).rejects.toMatchObject({
      code: 'invalid_request',
      details: { param: 'model' },
    });
    await expect(here.setAlias('new', 'rater')).rejects.toMatchObject({ code: 'conflict' });
    await expect(here.setAlias('a b', 'new')).rejects.toMatchObject({ code: 'invalid_request' });
    await Promise.all([here.dispose(), there.dispose()]);
  });
});
