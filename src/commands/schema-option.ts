// The --schema option: attributes by the name of a built-in schema, from a JSON file somebody wrote by hand, or from a model trained with them.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { SteerError } from '../errors.ts';
import { readModelCard } from '../llama/model-folder.ts';
import { builtInSchemas } from '../schemas.ts';
import type { AttributeSchema } from '../steerlm.ts';
import { findModelFolder } from './model-folders.ts';

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'expected lower-case letters, digits, dashes or underscores');
const attribute = z
  .strictObject({
    name,
    aliases: z.array(z.string()).default([]),
    description: z.string().default(''),
    levels: z.array(z.string()).min(2, 'expected at least two levels, lowest first'),
    default: z.int().min(0).nullable().default(null),
    cap: z.int().min(0).optional(),
  })
  .transform(({ cap, ...rest }) => ({ ...rest, cap: cap ?? rest.levels.length - 1 }))
  .refine(({ levels, cap }) => cap < levels.length, { path: ['cap'], error: 'is above the highest level' })
  .refine(({ levels, default: level }) => (level ?? 0) < levels.length, {
    path: ['default'],
    error: 'is above the highest level',
  });
const schemaFile = z.strictObject({
  name: z.string().min(1),
  version: z.int().default(1),
  attributes: z
    .array(attribute)
    .min(1)
    .refine((all) => new Set(all.map((each) => each.name)).size === all.length, 'two attributes have the same name'),
});

/** The schema an option names. Throws invalid_config saying what was expected. */
export async function readSchema(config: Config, given: string): Promise<AttributeSchema> {
  const builtIn = builtInSchemas.find((schema) => schema.name === given);
  if (builtIn) return builtIn;
  if (given.endsWith('.json')) return await readSchemaFile(given);
  const folder = await findModelFolder(config, given, ['language', 'predictor']).catch(() => null);
  const card = folder === null ? null : await readModelCard(folder);
  if (card?.attributeSchema) return card.attributeSchema;
  const known = builtInSchemas.map((schema) => schema.name).join(', ');
  throw refusal(`expected ${known}, a .json file, or a model trained with attributes; found ${JSON.stringify(given)}.`);
}

async function readSchemaFile(path: string): Promise<AttributeSchema> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw refusal(`cannot read ${path} (${cause.code ?? cause.message}).`, cause);
  });
  const parsed = schemaFile.safeParse(parseJson(text, path));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refusal(`${path}: ${issue?.path.join('.') || 'content'}: ${issue?.message}.`);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refusal(`${path} is not valid JSON.`, cause);
  }
}

function refusal(reason: string, cause?: unknown): SteerError {
  return new SteerError('invalid_config', `--schema: ${reason}`, { cause });
}
