// Parts that descriptions of routes are made of.
import { z } from '@hono/zod-openapi';
import type { FailureCode } from '../../errors.ts';
import { failureResponses } from './failure.ts';

/** Path of a thing that an id of ours names. */
export const idParams = z.object({ id: z.string().max(128) });

/** A JSON body that must be there. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true as const, content: { 'application/json': { schema } } };
}

/** A JSON reply, for routes that answer with more than one status. */
export function jsonReply<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } };
}

/** Replies of a route that answers with JSON: when all went well, and the failures that are its own. */
export function answered<Schema extends z.ZodType>(description: string, schema: Schema, ...codes: FailureCode[]) {
  return { 200: jsonReply(description, schema), ...failureResponses(...codes) };
}

/** Replies of a route that answers with JSON or with server-sent events. */
export function answeredOrStreamed<Schema extends z.ZodType>(description: string, schema: Schema, ...codes: FailureCode[]) {
  const content = { 'application/json': { schema }, 'text/event-stream': { schema: z.string() } };
  return { 200: { description, content }, ...failureResponses(...codes) };
}

/** Replies of a route that answers with JSON lines. Their media type is kept from the compiler, which takes it for one JSON value. */
export function answeredInLines(description: string, name: string, ...codes: FailureCode[]) {
  const schema = z.string().openapi({ description: `Each line is a \`${name}\`` });
  const content: Record<string, { schema: z.ZodString }> = { 'application/jsonl': { schema } };
  return { 200: { description, content }, ...failureResponses(...codes) };
}
