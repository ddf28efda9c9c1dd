// Remembered completions are listed and found without the requests they answered, which are read where the conversation is asked for.
import { describe, expect, test } from 'vitest';
import { findRemembered, findRequest, listRemembered } from '../../src/feedback/remembered.ts';
import { testDatabases } from '../store/databases.ts';
import { emptyStore, plantCompletion } from './plant.ts';

const messages = [{ role: 'user', content: 'Who goes there?' }];

describe.each(await testDatabases())('remembered completions on $name', (database) => {
  const store = emptyStore(database);

  test('come without their requests, but for what the caller noted', async () => {
    const noted = { messages, metadata: { scene: 'gate' } };
    await plantCompletion(store.db, 'a', ['Aye.', 'Nay.'], { request: noted });
    await plantCompletion(store.db, 'b', ['Halt.'], { request: { messages } });
    const found = await listRemembered(store.db, { order: 'asc', limit: 5 });
    expect(found.map((replies) => replies.map(({ reply, metadata }) => [reply, metadata]))).toEqual([
      [
        ['Aye.', { scene: 'gate' }],
        ['Nay.', { scene: 'gate' }],
      ],
      [['Halt.', null]],
    ]);
    expect(await findRemembered(store.db, 'a')).toEqual(found[0]);
    for (const reply of found.flat()) expect(reply).not.toHaveProperty('request');
    expect(await findRequest(store.db, 'a')).toEqual(noted);
    await expect(findRequest(store.db, 'c')).rejects.toMatchObject({ code: 'not_found' });
  });
});
