// The --schema option: attributes by the name of a built-in schema, from a JSON file somebody wrote by hand, or from a model trained with them.
import { readFile } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { WrittenSchema } from '../datasets/attribute-schema.ts';
import { SteerError } from '../errors.ts';
import { readModelCard } from '../model/model-folder.ts';
import { faultsText } from '../shape-faults.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import { builtInSchemas } from '../steerlm/schemas.ts';
import { findModelFolder } from './model-folders.ts';

/** What a schema in a file looks like; the smallest that says everything one needs. */
export const exampleSchema =
  '{"name": "tone", "version": 1, "attributes": [\n' +
  '  {"name": "warmth", "levels": ["cold", "neutral", "warm"], "default": 1},\n' +
  '  {"name": "brevity", "levels": ["rambling", "brief"], "default": null}]}';

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
  const parsed = WrittenSchema.safeParse(parseJson(text, path));
  if (parsed.success) return parsed.data;
  throw refusal(`${path}: ${faultsText(parsed.error, 'content')}. Such a file looks like this:\n${exampleSchema}`);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refusal(
      `${path} is not valid JSON: ${(cause as Error).message}. Such a file looks like this:\n${exampleSchema}`,
      cause,
    );
  }
}

function refusal(reason: string, cause?: unknown): SteerError {
  return new SteerError('invalid_config', `--schema: ${reason}`, { cause });
}
