// A model of the shipped shape with a longer context, for benches that need one: random weights, the shipped tokenizer and attributes.

import { initialWeights } from '../src/model/initial-weights.ts';
import { readModel, writeModel } from '../src/model/model.ts';

/** Writes it to `folder` under `name`. */
export async function writeLongModel(folder: string, name: string, contextLength: number): Promise<void> {
  const { shape: shipped, tokenizer, card } = await readModel('models/npc');
  const shape = { ...shipped, contextLength };
  const values = new Map(initialWeights(shape, 1));
  await writeModel(folder, { shape, tokenizer, card: { ...card, name, measured: null }, values }, 'float32');
}
