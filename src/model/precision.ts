// In how many bits a model's weights are computed where nobody says: in 4 where its file holds its layers so, and keeps them as they are; else in 8.
import type { Precision } from './loaded-network.ts';
import { readShape } from './model-folder.ts';
import { type LlamaShape, parameterShapes } from './shape.ts';
import { openWeights, type Weights } from './weights.ts';

/** `auto` goes by what the file holds. */
export const precisionChoices = ['auto', 'fp32', 'int8', 'int4'] as const;
export type PrecisionChoice = (typeof precisionChoices)[number];

/** int4 where more than half of the numbers of the layers' matrices are stored in 4 bits. */
export function storedPrecision(weights: Pick<Weights, 'storedBits'>, shape: LlamaShape): Precision {
  let [all, inFour] = [0, 0];
  for (const [name, dims] of parameterShapes(shape)) {
    if (dims.length !== 2 || !name.startsWith('model.layers.')) continue;
    all += dims[0]! * dims[1]!;
    if (weights.storedBits(name) === 4) inFour += dims[0]! * dims[1]!;
  }
  return 2 * inFour > all ? 'int4' : 'int8';
}

/** The precision of the model of a folder. Throws invalid_model in one clear line. */
export async function precisionOf(choice: PrecisionChoice, folder: string): Promise<Precision> {
  if (choice !== 'auto') return choice;
  const shape = await readShape(folder);
  const weights = await openWeights(folder, shape);
  try {
    return storedPrecision(weights, shape);
  } finally {
    await weights.close();
  }
}
