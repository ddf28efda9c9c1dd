// Whole models, read from and written to a folder in the Hugging Face layout with its steerlm.json card.
import { mkdtemp, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SteerError, writingTo } from '../errors.ts';
import { makeFolder } from '../private-files.ts';
import { controlTokens } from '../steerlm/prompt-layout.ts';
import { exists } from './formats/json-file.ts';
import { writeAdapter } from './formats/peft.ts';
import { writeGround } from './ground.ts';
import { furtherEmbeddings } from './initial-weights.ts';
import { type ModelCard, readModelCard, readShape, refusePredictor, writeModelCard, writeShape } from './model-folder.ts';
import { readSampling, writeSampling } from './sampling-defaults.ts';
import { type LlamaShape, parameterShapes, type WeightType } from './shape.ts';
import { chatTemplate } from './tokenizer/label-template.ts';
import { Tokenizer } from './tokenizer/tokenizer.ts';
import { documentSeparator } from './tokenizer/tokenizer-training.ts';
import { openWeights, saveWeights } from './weights.ts';
import type { Model } from './whole-model.ts';

/** Reads a model whole. `extra` names further parameters, such as a predictor's head. Throws invalid_model in one clear line. */
export async function readModel(
  folder: string,
  extra?: (card: ModelCard, shape: LlamaShape) => ReadonlyMap<string, number[]>,
): Promise<Model> {
  const card = await readModelCard(folder);
  if (!extra) refusePredictor(folder, card);
  const shape = await readShape(folder);
  const tokenizer = await Tokenizer.open(folder);
  if (tokenizer.size > shape.vocabSize) {
    throw new SteerError(
      'invalid_model',
      `${folder}: the tokenizer has ${tokenizer.size} tokens, the model embeds ${shape.vocabSize}.`,
    );
  }
  const weights = await openWeights(folder, shape, extra?.(card, shape));
  try {
    const values = new Map<string, Float32Array>();
    for (const name of weights.names) values.set(name, await weights.read(name));
    return { shape, tokenizer, card, values, sampling: await readSampling(folder) };
  } finally {
    await weights.close();
  }
}

/** Writes config.json, tokenizer, weights and card; an adapter in a folder of its own, with the tokenizer and card it needs. */
export async function writeModel(folder: string, model: Model, dtype: WeightType): Promise<void> {
  const { shape, tokenizer, card, values, adapter, ground, sampling = {} } = model;
  makeFolder(folder);
  const trunk = parameterShapes(shape);
  const width = shape.hiddenSize;
  const extra = new Map(
    [...values]
      .filter(([name]) => !trunk.has(name))
      .map(([name, { length }]) => [name, name.endsWith('.bias') ? [length] : [length / width, width]]),
  );
  const eos = tokenizer.tokenId(controlTokens.turn) ?? tokenizer.tokenId(documentSeparator);
  await saveWeights(folder, shape, values, dtype, extra);
  await withLayout(tokenizer, card).save(folder);
  await writeShape(folder, shape, dtype, eos === undefined ? {} : { eos });
  if (card.kind !== 'predictor') await writeSampling(folder, sampling, eos);
  await writeGround(folder, ground);
  await writeModelCard(folder, card);
  if (!adapter) return;
  const beside = join(folder, 'adapter');
  await writeAdapter(beside, adapter, model);
  await withLayout(tokenizer, card).save(beside);
  await writeModelCard(beside, card);
}

/** A steered model's tokenizer tells other engines how it is asked, and what ends its replies. */
function withLayout(tokenizer: Tokenizer, { kind, attributeSchema }: ModelCard): Tokenizer {
  if (kind !== 'steered' || !attributeSchema) return tokenizer;
  const template = chatTemplate(attributeSchema, tokenizer.specialSpellings);
  return tokenizer.withSettings({ chat_template: template, eos_token: controlTokens.turn });
}

/** Refuses a place where publishModel could not write, before hours are spent on what goes there. Throws invalid_config, disk_full. */
export async function checkPlace(folder: string): Promise<void> {
  const whole = resolve(folder);
  const found = await stat(whole).catch(() => null);
  if (found && !found.isDirectory()) {
    throw new SteerError(
      'invalid_config',
      `Expected a folder for the model at ${folder}, found a file there. Choose another --out.`,
    );
  }
  const into = found ? whole : dirname(whole);
  try {
    // What may be written is known only by writing: root is allowed everything and can still write nothing below /proc.
    await writingTo(into, async () => {
      makeFolder(into);
      await rmdir(await mkdtemp(join(into, '.steer-')));
    });
  } catch (cause) {
    if (cause instanceof SteerError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new SteerError(
      'invalid_config',
      `The model cannot be written to ${folder} (${code ?? message}). Choose another --out.`,
      { cause },
    );
  }
}

/**
 * Writes a model so that nobody ever sees half of it: beside `folder` under a name with a leading dot, then moved. Where the folder is there
 * already, its files are replaced one by one.
 */
export async function publishModel(folder: string, model: Model, dtype: WeightType): Promise<void> {
  const whole = resolve(folder);
  const models = dirname(whole);
  if (await exists(whole)) return await writingTo(models, () => writeModel(whole, model, dtype));
  const partial = join(models, `.${basename(whole)}.partial`);
  try {
    await rm(partial, { recursive: true, force: true });
    await writingTo(models, () => writeModel(partial, model, dtype));
    await rename(partial, whole);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** The model with the prompt layout's control tokens: a tokenizer without them gets them, and the embeddings grow with it. */
export function withControlTokens(model: Model): Model {
  const tokenizer = model.tokenizer.withAddedTokens(Object.values(controlTokens));
  if (tokenizer.size <= model.shape.vocabSize) return { ...model, tokenizer };
  const shape = { ...model.shape, vocabSize: tokenizer.size };
  const values = new Map(model.values);
  for (const [name, dims] of parameterShapes(shape)) {
    const old = model.values.get(name)!;
    const [rows, width] = [dims[0]!, dims[1] ?? 1];
    const further = rows - old.length / width;
    if (further > 0) values.set(name, furtherEmbeddings(old, further, width));
  }
  return { ...model, shape, tokenizer, values };
}
