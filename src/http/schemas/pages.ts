// Lists, whole or in pages, as OpenAI's protocol has them: ask after the last id you saw, hear whether there is more.
import { z } from '@hono/zod-openapi';

const mostListed = 100;
const listedUnlessSaid = 20;

/** Query of a listed thing; `limit` is text on its way in. */
export const pageFields = {
  after: z.string().max(128).optional().openapi({ description: 'Id of the last one seen; absent starts at the first' }),
  limit: z.coerce
    .number('expected a whole number')
    .int()
    .min(1)
    .max(mostListed)
    .default(listedUnlessSaid)
    .openapi({ type: 'integer', minimum: 1, maximum: mostListed, default: listedUnlessSaid }),
};

/** Schema of all there is of `Item`. */
export function listOf<Item extends z.ZodType>(Item: Item) {
  return z.object({ object: z.literal('list'), data: z.array(Item) });
}

/** Schema of a page of `Item`. */
export function pageOf<Item extends z.ZodType>(Item: Item) {
  return listOf(Item).extend({ first_id: z.string().nullable(), last_id: z.string().nullable(), has_more: z.boolean() });
}

/** What can be listed: `after` takes its id, or its place where it has none. */
export type Listed = { id: string } | { position: number };

export interface Page<Item> {
  object: 'list';
  data: Item[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/** The page a query asks for. `find` is asked for one more than the page holds, which tells whether there is more. */
export async function readPage<Query extends { limit: number }, Row, Item extends Listed>(
  query: Query,
  find: (query: Query) => Promise<readonly Row[]>,
  toItem: (row: Row) => Item,
): Promise<Page<Item>> {
  const found = await find({ ...query, limit: query.limit + 1 });
  return toPage(
    found.slice(0, query.limit).map((row) => toItem(row)),
    found.length > query.limit,
  );
}

/** A page of these items. */
export function toPage<Item extends Listed>(data: Item[], hasMore: boolean): Page<Item> {
  const [first, last] = [data[0], data.at(-1)];
  return {
    object: 'list',
    data,
    first_id: first === undefined ? null : nameOf(first),
    last_id: last === undefined ? null : nameOf(last),
    has_more: hasMore,
  };
}

function nameOf(item: Listed): string {
  return 'id' in item ? item.id : String(item.position);
}
