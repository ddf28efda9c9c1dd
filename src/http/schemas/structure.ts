// The form a reply must have, in OpenAI's words and in vLLM's: which of them were used, and what they come to.
import { z } from '@hono/zod-openapi';
import { type ConstraintSpec, checkConstraint } from '../../constraints/constraint.ts';
import { SteerError } from '../../errors.ts';
import { recordOf } from '../../record-of.ts';

const JsonSchema = recordOf(z.string(), z.unknown());
const Choices = z.array(z.string().min(1).max(1000)).min(1).max(1000);
const Pattern = z.string().min(1).max(10_000);

export const structureFields = {
  response_format: z
    .discriminatedUnion('type', [
      z.looseObject({ type: z.literal('text') }),
      z.looseObject({
        type: z.literal('json_object'),
        schema: JsonSchema.nullish().openapi({ description: 'The reply is JSON of this schema, as with json_schema' }),
      }),
      z.looseObject({
        type: z.literal('json_schema'),
        json_schema: z.looseObject({ name: z.string().optional(), schema: JsonSchema, strict: z.boolean().nullish() }),
      }),
    ])
    .superRefine((format, context) => {
      // Whoever sends a schema means it: under another type it would be passed over.
      const strays = {
        text: ['schema', 'json_schema', 'value'],
        json_object: ['json_schema', 'value'],
        json_schema: ['schema', 'value'],
      }[format.type];
      for (const field of strays) {
        if (format[field] === undefined || format[field] === null) continue;
        context.addIssue({ code: 'custom', path: [field], message: `is not read beside type ${format.type}; leave it out` });
      }
    })
    .nullish()
    .openapi({
      description:
        'The reply is JSON of this schema, token by token, and is brought to a valid end before max_tokens. Only where these are too few for any, ' +
        'or max_ms is over, it is incomplete: finish_reason `length`. Refused by name where a keyword is not supported',
    }),
  structured_outputs: z
    .strictObject({
      json: JsonSchema.optional(),
      json_object: z.literal(true).optional(),
      regex: Pattern.optional(),
      choice: Choices.optional(),
    })
    .nullish()
    .openapi({ description: "vLLM's field for the same: exactly one of json, json_object, regex and choice" }),
  guided_json: JsonSchema.nullish().openapi({ description: 'Older name of structured_outputs.json' }),
  guided_regex: Pattern.nullish().openapi({ description: 'Older name of structured_outputs.regex' }),
  guided_choice: Choices.nullish().openapi({ description: 'Older name of structured_outputs.choice' }),
};

type Structure = z.infer<z.ZodObject<typeof structureFields>>;

/** What the reply must be, and the field that says so; undefined where none does. Throws invalid_request for two, or for what is not supported. */
export function toConstraint(body: Structure): ConstraintSpec | undefined {
  const asked = askedOf(body);
  if (asked.length > 1) {
    const fields = asked.map(([field]) => field);
    throw refused(fields[1]!, `the reply cannot have two forms at once; found ${fields.join(' and ')}. Leave one out.`);
  }
  const [found] = asked;
  if (!found) return undefined;
  const [field, spec] = found;
  try {
    checkConstraint(spec);
  } catch (error) {
    if (!(error instanceof SteerError)) throw error;
    throw new SteerError(error.code, `${field}: ${error.message}`, { cause: error, details: { param: field } });
  }
  return spec;
}

function askedOf(body: Structure): [field: string, spec: ConstraintSpec][] {
  const { response_format: format, structured_outputs: outputs, guided_json, guided_regex, guided_choice } = body;
  const asked: [string, ConstraintSpec][] = [];
  const add = <T>(field: string, value: T | null | undefined, spec: (value: T) => ConstraintSpec): void => {
    if (value !== null && value !== undefined) asked.push([field, spec(value)]);
  };
  if (format?.type === 'json_object') {
    const { schema } = format;
    asked.push(
      schema ? ['response_format.schema', { kind: 'json_schema', schema }] : ['response_format', { kind: 'json_object' }],
    );
  }
  if (format?.type === 'json_schema') {
    asked.push(['response_format.json_schema.schema', { kind: 'json_schema', schema: format.json_schema.schema }]);
  }
  add('structured_outputs.json', outputs?.json, (schema) => ({ kind: 'json_schema', schema }));
  add('structured_outputs.json_object', outputs?.json_object, () => ({ kind: 'json_object' }));
  add('structured_outputs.regex', outputs?.regex, (pattern) => ({ kind: 'regex', pattern }));
  add('structured_outputs.choice', outputs?.choice, (choices) => ({ kind: 'choice', choices }));
  add('guided_json', guided_json, (schema) => ({ kind: 'json_schema', schema }));
  add('guided_regex', guided_regex, (pattern) => ({ kind: 'regex', pattern }));
  add('guided_choice', guided_choice, (choices) => ({ kind: 'choice', choices }));
  return asked;
}

function refused(param: string, message: string): SteerError {
  return new SteerError('invalid_request', `${param}: ${message}`, { details: { param } });
}
