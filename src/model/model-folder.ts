// What lies in a model's folder beside the weights: config.json and our card steerlm.json, which says what the model is, the attributes it follows
// and how it came to be.
import { createHash, type Hash } from 'node:crypto';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { SteerError } from '../errors.ts';
import { faultText } from '../shape-faults.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import { builtInSchemas, untilAsked } from '../steerlm/schemas.ts';
import { type BadWordRules, badWordRules, refuseStrangers } from './bad-words.ts';
import { configJson, parseShape } from './config-json.ts';
import { fileDigest } from './file-digest.ts';
import { ggufOf, readModelFile, requireModelFile } from './formats/gguf-folder.ts';
import { exists, writeJson } from './formats/json-file.ts';
import type { LlamaShape, WeightType } from './shape.ts';
import { weightFiles } from './weights.ts';

export interface ModelCard {
  /** base continues text, predictor rates it, steered answers under a label. */
  kind: 'base' | 'predictor' | 'steered';
  name: string;
  /** One line on what it is for, shown wherever the model is; null where nobody wrote one. */
  description: string | null;
  /** Attributes and their order; null for a base model. */
  attributeSchema: AttributeSchema | null;
  /** Kept out of replies by what is asked of them; absent where nothing is. */
  badWords?: BadWordRules | undefined;
  /** Layout the model was trained with; null for a base model. */
  promptLayoutVersion: number | null;
  baseModel: { name: string; revision: string } | null;
  datasets: { name: string; hash: string }[];
  /** Hyper-parameters and seed. */
  recipe: Record<string, unknown>;
  /** What was measured on held-out data; null when nothing was. */
  measured: Measured | null;
  /** ISO 8601; null when nobody noted it. */
  createdAt: string | null;
}

/** What a precision of the weights costs, by its name, and how replies follow what is asked for, beside whatever else was measured. */
export type Measured = Record<string, unknown> & {
  precision?: Record<string, PrecisionCost> | undefined;
  steering?: MeasuredSteering | undefined;
};

export const cardName = 'steerlm.json';
const configName = 'config.json';
/** Says where a model runs that has no weights here. */
export const upstreamFile = 'upstream.json';
const formatVersion = 1;
const revisionLetters = 12;
/** A request names a model by as many letters at most. */
const longestName = 256;
/** A line on a page or in a log. */
const longestDescription = 1000;
/** Far more than a label line has room for. */
const [mostAttributes, mostLevels] = [256, 1024];

const attributeSchema = z
  .object({
    name: z.string().min(1),
    aliases: z.array(z.string()),
    description: z.string(),
    levels: z.array(z.string()).min(2).max(mostLevels),
    instructions: z.array(z.string()).optional(),
    default: z.number().int().min(0).nullable(),
    resting: z.number().int().min(0).optional(),
    cap: z.number().int().min(0),
  })
  .refine(({ levels, cap }) => cap < levels.length, { path: ['cap'], error: 'is above the highest level' })
  .refine(({ levels, instructions = levels }) => instructions.length === levels.length, {
    path: ['instructions'],
    error: 'expected one text for each level',
  })
  .refine(({ levels, ...attribute }) => (attribute.default ?? 0) < levels.length, {
    path: ['default'],
    error: 'is above the highest level',
  })
  .refine(({ levels, resting = 0 }) => resting < levels.length, { path: ['resting'], error: 'is above the highest level' });

/** Whole, or the name of a built-in one that was chosen for a model that nobody trained on it: then nothing is asked unless somebody asks. */
const writtenSchema = z.preprocess((written, context) => {
  const builtIn = builtInSchemas.find(({ name }) => name === written);
  if (builtIn) return untilAsked(builtIn);
  if (typeof written !== 'string') return written;
  const known = builtInSchemas.map(({ name }) => name).join(', ');
  context.addIssue({ code: 'custom', message: `expected a schema, or the name of a built-in one: ${known}` });
  return z.NEVER;
}, z
  .object({ name: z.string(), version: z.number().int(), attributes: z.array(attributeSchema).min(1).max(mostAttributes) })
  .nullable());

const precisionCost = z.object({
  weight_bytes: z.int().positive(),
  /** Nats per trained token of held-out text. */
  eval_loss: z.number(),
  /** Rank correlation of the levels asked for with those a predictor sees, by attribute. */
  steerability: z.record(z.string(), z.number().min(-1).max(1)),
});
export type PrecisionCost = z.infer<typeof precisionCost>;

const measuredSteering = z.object({
  /** Predictor that read the replies, with its revision. */
  judge: z.string(),
  /** Of the weights that wrote them. */
  precision: z.string(),
  prompts: z.int().positive(),
  /** By attribute, in rising order of what was asked for. */
  curves: z.record(
    z.string(),
    z.array(z.object({ requested: z.number(), obtained: z.number(), replies: z.int().positive() })).min(2),
  ),
});
export type MeasuredSteering = z.infer<typeof measuredSteering>;

const cardSchema = z.object({
  format_version: z.literal(formatVersion, `only format_version ${formatVersion} is read here; a newer release wrote this card`),
  kind: z.enum(['base', 'predictor', 'steered']),
  name: z
    .string()
    .min(1)
    .max(longestName)
    .regex(/^\P{C}+$/u, 'expected no control characters'),
  description: z
    .string()
    .max(longestDescription)
    .regex(/^\P{C}+$/u, 'expected no control characters')
    .nullable()
    .default(null),
  attribute_schema: writtenSchema.default(null),
  bad_words: badWordRules.optional(),
  prompt_layout_version: z.number().int().nullable().default(null),
  base_model: z.object({ name: z.string(), revision: z.string() }).nullable().default(null),
  datasets: z.array(z.object({ name: z.string(), hash: z.string() })).default([]),
  recipe: z.record(z.string(), z.unknown()).default({}),
  measured: z
    .looseObject({ precision: z.record(z.string(), precisionCost).optional(), steering: measuredSteering.optional() })
    .nullable()
    .default(null),
  created_at: z.iso.datetime({ offset: true }).nullable().default(null),
});

/** The folder's card; one without steerlm.json is a base model named like its folder. Throws invalid_model for a missing folder or a malformed card. */
export async function readModelCard(folder: string): Promise<ModelCard> {
  const found = await readModelFile(folder, cardName);
  if (!found) return plainBaseModel(folder);
  const { path, content } = found;
  const parsed = cardSchema.superRefine(refuseStrangers).safeParse(content);
  if (!parsed.success) {
    throw new SteerError('invalid_model', `${path}: ${faultText(parsed.error, 'content')}.`);
  }
  const card = parsed.data;
  if (card.kind !== 'base' && !(card.attribute_schema && card.prompt_layout_version !== null)) {
    throw new SteerError(
      'invalid_model',
      `${path}: a ${card.kind} model needs attribute_schema and prompt_layout_version, found none.`,
    );
  }
  return {
    kind: card.kind,
    name: card.name,
    description: card.description,
    attributeSchema: card.attribute_schema,
    badWords: card.bad_words,
    promptLayoutVersion: card.prompt_layout_version,
    baseModel: card.base_model,
    datasets: card.datasets,
    recipe: card.recipe,
    measured: card.measured,
    createdAt: card.created_at,
  };
}

async function plainBaseModel(folder: string): Promise<ModelCard> {
  if (!(await holdsModel(folder))) {
    throw new SteerError(
      'invalid_model',
      `Expected a model in ${folder}, found neither ${configName} nor a .gguf file there. Check the path.`,
    );
  }
  return blankCard(basename(resolve(folder)));
}

/** Whether something that describes a model lies in the folder. Throws invalid_model for several GGUF files. */
export async function holdsModel(folder: string): Promise<boolean> {
  const files = [configName, upstreamFile].map((name) => exists(join(folder, name)));
  return (await Promise.all(files)).includes(true) || (await ggufOf(folder)) !== undefined;
}

/** The card of a base model of which nothing more is known. */
export function blankCard(name: string): ModelCard {
  return {
    kind: 'base',
    name,
    description: null,
    attributeSchema: null,
    promptLayoutVersion: null,
    baseModel: null,
    datasets: [],
    recipe: {},
    measured: null,
    createdAt: null,
  };
}

/** Writes the card of a base model for which a built-in schema was chosen. Throws invalid_request where it has a card already. */
export async function writeChosenSchema(folder: string, name: string, schema: string): Promise<void> {
  if (await exists(join(folder, cardName))) {
    throw new SteerError(
      'invalid_request',
      `schema: ${name} comes with a card of its own, so its attributes stand. Leave --schema out.`,
    );
  }
  await writeJson(join(folder, cardName), { format_version: formatVersion, kind: 'base', name, attribute_schema: schema });
}

/** Writes steerlm.json, whole or not at all. */
export async function writeModelCard(folder: string, card: ModelCard): Promise<void> {
  const written: z.input<typeof cardSchema> = {
    format_version: formatVersion,
    kind: card.kind,
    name: card.name,
    description: card.description ?? undefined,
    attribute_schema: card.attributeSchema,
    bad_words: card.badWords,
    prompt_layout_version: card.promptLayoutVersion,
    base_model: card.baseModel,
    datasets: card.datasets,
    recipe: card.recipe,
    measured: card.measured,
    created_at: card.createdAt,
  };
  await writeJson(join(folder, cardName), written);
}

/** The shape in the folder's config.json, or its GGUF file. Throws invalid_model when it is missing or what the forward graph cannot compute. */
export async function readShape(folder: string): Promise<LlamaShape> {
  const { path, content } = await requireModelFile(folder, configName);
  return parseShape(content, path);
}

const endSchema = z.looseObject({ eos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish() });

/**
 * Ids that end a text by the folder's generation_config.json, else by its config.json, as transformers has it; those that a GGUF file names end it
 * whatever lies beside the file. None when nothing says so.
 */
export async function readEndTokens(folder: string): Promise<number[]> {
  const ends: number[] = [];
  for (const name of ['generation_config.json', configName]) {
    const found = await readModelFile(folder, name);
    const { eos_token_id: ids } = endSchema.safeParse(found?.content).data ?? {};
    if (ids !== undefined && ids !== null) ends.push(...[ids].flat());
    if (ends.length > 0 && (await ggufOf(folder)) === undefined) break;
  }
  return [...new Set(ends)];
}

/** Writes config.json as transformers reads it. */
export async function writeShape(
  folder: string,
  shape: LlamaShape,
  dtype: WeightType,
  tokenIds: { bos?: number; eos?: number },
): Promise<void> {
  await writeJson(join(folder, configName), configJson(shape, dtype, tokenIds));
}

/**
 * Twelve hexadecimal digits that change with whatever changes the model's answers: config, tokenizer, weights, attributes, prompt layout, bad words.
 * Reads every weight once where no pull has recorded its hash. Throws invalid_model when a file is missing.
 */
export async function revisionOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const gguf = await ggufOf(folder);
  const names = gguf === undefined ? [configName, 'tokenizer.json', ...(await weightFiles(folder))] : [basename(gguf)];
  for (const name of names) await addFile(hash, folder, name);
  const { kind, attributeSchema, promptLayoutVersion, badWords } = await readModelCard(folder);
  hash.update(JSON.stringify([kind, attributeSchema, promptLayoutVersion, ...(badWords ? [badWords] : [])]));
  return hash.digest('hex').slice(0, revisionLetters);
}

/** Adds a digest of the file, so that no byte can move from one file to the next unseen. */
export async function addFile(whole: Hash, folder: string, name: string): Promise<void> {
  whole.update(await fileDigest(folder, name));
}

/** Throws invalid_model where a language model is wanted and the folder holds a predictor. */
export function refusePredictor(folder: string, { kind, name }: ModelCard): void {
  if (kind !== 'predictor') return;
  throw new SteerError('invalid_model', `Expected a language model in ${folder}, found the predictor ${name}.`);
}
