// From the body of a fine-tuning request to the input of its job: names resolved, and what can be refused at once refused.
import { randomInt } from 'node:crypto';
import { findDataset } from '../datasets/samples.ts';
import { findFile } from '../files/files.ts';
import { bootstrapOptions, FinetuningInput, hyperparameters } from '../finetuning/job-input.ts';
import { findModel, type ModelCard, type Models } from '../registry/models.ts';
import { faultsOf } from '../shape-faults.ts';
import { type AttributeSchema, findAttribute, maxLevel } from '../steerlm/attributes.ts';
import { builtInSchemas } from '../steerlm/schemas.ts';
import type { Db } from '../store/connect.ts';
import { named, refusal } from './refusals.ts';
import type { FineTuningRequest, Method } from './schemas/fine-tuning.ts';

/** Throws `model_not_found`, `not_found` or `invalid_request` naming the field. */
export async function toFinetuningInput(db: Db, models: Models, request: FineTuningRequest): Promise<FinetuningInput> {
  const base = findModel(models, request.model, ['language']);
  const method: Method = request.method ?? { type: 'supervised', supervised: {} };
  const training = await sourceOf(db, request, 'training');
  if (training === null) throw refusal('training_file', 'expected training_file or training_dataset, found neither');
  const validation = await sourceOf(db, request, 'validation');
  const shared = {
    model: base.id,
    training,
    validation,
    seed: request.seed ?? randomInt(2 ** 31),
    continues: null,
    suffix: request.suffix ?? '',
    metadata: request.metadata ?? {},
    hyperparameters: hyperparametersOf(askedOf(request)),
  };
  return FinetuningInput.parse({ ...shared, ...partsOf(models, base, method, 'dataset' in training) });
}

type Parts = Pick<FinetuningInput, 'method' | 'labels' | 'schema' | 'attributes' | 'bootstrap'>;

function partsOf(models: Models, base: ModelCard, method: Method, fromDataset: boolean): Parts {
  const nothing = { labels: 'latest' as const, schema: null, attributes: null, bootstrap: null };
  if (method.type === 'supervised') return { ...nothing, method: 'supervised' };
  if (method.type === 'bootstrap') {
    if (!fromDataset) throw refusal('training_dataset', 'expected a dataset to take prompts from');
    return { ...nothing, method: 'bootstrap', schema: base.schema, bootstrap: bootstrapOf(models, base, method.bootstrap) };
  }
  const options = method.type === 'steerlm' ? method.steerlm : method.predictor;
  const schema = schemaOf(models, options.schema, `method.${method.type}.schema`);
  if (schema) for (const name of options.attributes ?? []) findAttribute(schema, name);
  return {
    ...nothing,
    method: method.type,
    schema,
    attributes: options.attributes ?? null,
    labels: options.labels ?? 'latest',
  };
}

/** Where one side of the data comes from; null where nothing is said. */
export async function sourceOf(
  db: Db,
  request: FineTuningRequest,
  side: 'training' | 'validation',
): Promise<FinetuningInput['validation']> {
  const [file, dataset] = [request[`${side}_file`], request[`${side}_dataset`]];
  if (file && dataset) throw refusal(`${side}_dataset`, `expected it or ${side}_file, found both`);
  if (file) return { file: (await named(`${side}_file`, () => findFile(db, file))).id };
  if (dataset) return { dataset: (await named(`${side}_dataset`, () => findDataset(db, dataset))).id };
  return null;
}

/** Hyperparameters as they are told, in the older place and with the method. */
export function askedOf({ hyperparameters: older, method }: FineTuningRequest): object {
  const own = method ? ((method as Record<string, unknown>)[method.type] as { hyperparameters?: object }) : {};
  return { ...older, ...own.hyperparameters };
}

/** All of them. Throws `invalid_request` naming the one that does not hold. */
export function hyperparametersOf(asked: object) {
  const parsed = hyperparameters.safeParse(asked);
  if (parsed.success) {
    const { n_epochs, n_steps, minutes } = parsed.data;
    const lengths = Object.entries({ n_epochs: n_epochs === 'auto' ? null : n_epochs, n_steps, minutes });
    const [first, second] = lengths.flatMap(([name, value]) => (value === null ? [] : [name]));
    if (second === undefined) return parsed.data;
    throw refusal(`hyperparameters.${second}`, `expected it or ${first}, found both`);
  }
  const [{ path, words }] = faultsOf(parsed.error);
  throw refusal(`hyperparameters.${path}`, words);
}

function schemaOf(models: Models, given: string | AttributeSchema | undefined, param: string): AttributeSchema | null {
  if (typeof given !== 'string') return given ?? null;
  const builtIn = builtInSchemas.find(({ name }) => name === given);
  if (builtIn) return builtIn;
  const card = models.list().find(({ id, aliases }) => id === given || aliases.includes(given));
  if (card && card.schema.attributes.length > 0) return card.schema;
  const known = builtInSchemas.map(({ name }) => name).join(', ');
  throw refusal(param, `expected ${known}, a model with attributes, or a schema; found ${JSON.stringify(given.slice(0, 100))}`);
}

/** The steered model must have attributes, the predictor must rate each of them, and the values asked for must lie on their scales. */
function bootstrapOf(
  models: Models,
  base: ModelCard,
  { hyperparameters: _, ...options }: Extract<Method, { type: 'bootstrap' }>['bootstrap'],
) {
  const at = 'method.bootstrap';
  const { schema } = base;
  if (schema.attributes.length === 0)
    throw refusal('model', `expected a steered model to sample from, ${base.id} follows no attributes`);
  const predictor = findModel(models, options.predictor, ['predictor']);
  const scales = new Map(predictor.schema.attributes.map((attribute) => [attribute.name, maxLevel(attribute)]));
  const unrated = schema.attributes.filter((attribute) => scales.get(attribute.name) !== maxLevel(attribute));
  if (unrated.length > 0) {
    const names = unrated.map(({ name }) => name).join(', ');
    throw refusal(
      `${at}.predictor`,
      `expected a predictor of every attribute of ${base.id}; ${predictor.id} does not rate ${names} on that scale`,
    );
  }
  for (const [name, levels] of Object.entries(options.attributes)) {
    const most = maxLevel(findAttribute(schema, name));
    const outside = [levels].flat().find((level) => level > most);
    if (outside !== undefined) throw refusal(`${at}.attributes.${name}`, `expected levels from 0 to ${most}, found ${outside}`);
  }
  return bootstrapOptions.parse({ ...options, predictor: predictor.id });
}
