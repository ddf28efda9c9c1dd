// Lists in pages, as OpenAI's protocol has them: ask after the last id you saw, hear whether there is more.
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

/** Schema of a page of `Item`. */
export function pageOf<Item extends z.ZodType>(Item: Item) {
  return z.object({
    object: z.literal('list'),
    data: z.array(Item),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });
}

/** A page of at most `limit`, from up to one more than that. */
export function toPage<Item>(found: readonly Item[], limit: number, idOf: (item: Item) => string) {
  const data = found.slice(0, limit);
  const [first, last] = [data[0], data.at(-1)];
  return {
    object: 'list' as const,
    data,
    first_id: first === undefined ? null : idOf(first),
    last_id: last === undefined ? null : idOf(last),
    has_more: found.length > limit,
  };
}
