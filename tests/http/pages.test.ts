// A page says whether there is more without counting: whoever finds its items is asked for one more than it holds.
import { expect, test } from 'vitest';
import { readPage } from '../../src/http/schemas/pages.ts';

const letters = [...'abcde'];
const find = async ({ from, limit }: { from: number; limit: number }) => letters.slice(from, from + limit);
const page = async (from: number, limit: number) => readPage({ from, limit }, find, (id) => ({ id }));

test('there is more only where an item is left beyond the page', async () => {
  expect(await page(0, 2)).toEqual({
    object: 'list',
    data: [{ id: 'a' }, { id: 'b' }],
    first_id: 'a',
    last_id: 'b',
    has_more: true,
  });
  expect(await page(3, 2)).toMatchObject({ first_id: 'd', last_id: 'e', has_more: false });
  expect(await page(4, 2)).toMatchObject({ data: [{ id: 'e' }], has_more: false });
  expect(await page(5, 2)).toEqual({ object: 'list', data: [], first_id: null, last_id: null, has_more: false });
});

test('items without an id are named by their position', async () => {
  const placed = await readPage({ from: 0, limit: 2 }, find, (letter) => ({ position: letters.indexOf(letter) }));
  expect(placed).toMatchObject({ first_id: '0', last_id: '1' });
});
