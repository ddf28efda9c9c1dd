// Parts that descriptions of JSON routes are made of.
import type { z } from '@hono/zod-openapi';

/** A JSON body that must be there. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true as const, content: { 'application/json': { schema } } };
}

/** The reply of a request that went well. */
export function answered<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { 200: { description, content: { 'application/json': { schema } } } };
}
