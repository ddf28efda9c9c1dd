// The Idempotency-Key header: a request sent twice under one key makes one thing.
import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';

/** Header of routes that honour it. */
export const IdempotencyHeader = z.object({
  'idempotency-key': z.string().min(1).max(255).optional().openapi({
    description:
      'Sent again under the same key, the same request is answered with what the first one made; another request is a conflict',
  }),
});

/** The key with a hash of everything that was asked for; undefined without the header. */
export function idempotencyOf(
  header: z.infer<typeof IdempotencyHeader>,
  asked: unknown,
): { key: string; requestHash: string } | undefined {
  const key = header['idempotency-key'];
  if (key === undefined) return undefined;
  return {
    key,
    requestHash: createHash('sha256')
      .update(JSON.stringify(sorted(asked)))
      .digest('hex'),
  };
}

/** The same value with the keys of every object in one order: how a body is written says nothing. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
