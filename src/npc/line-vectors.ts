// The steering vectors of a line: the character's own, then what the line asks for, which wins by name.
import type { LanguageModel } from '../generation/language-model.ts';
import {
  namingPlace,
  type SettledVectors,
  settleVectors,
  type VectorRequest,
  type VectorWeights,
} from '../generation/vector-weights.ts';
import type { Character } from './character.ts';

type Steered = Pick<LanguageModel, 'id' | 'vectors'>;
type Own = Pick<Character, 'vectors'>;

/** Throws what `settleVectors` does of what the character asks for, naming `vectors`. */
export async function checkVectors(model: Steered, { vectors }: Own): Promise<void> {
  await settleVectors(model, { vectors }, '');
}

/** The vectors of a line. Throws what `settleVectors` does of what the line asks for, and invalid_vector for a file that cannot be read. */
export async function lineVectors(
  model: Steered,
  character: Own,
  { vectors, vectorTokens }: Omit<VectorRequest, 'schedule'>,
): Promise<SettledVectors> {
  return await settleVectors(model, { vectors: { ...(await stillThere(model, character)), ...vectors }, vectorTokens });
}

/** Of what the character asks for, what the model can do now: as with attributes, it may not be the model it was when the character was made. */
async function stillThere({ vectors: kept }: Steered, { vectors = {} }: Own): Promise<VectorWeights> {
  const asked = Object.entries(vectors);
  if (asked.length === 0 || !kept) return {};
  const ranges = new Map((await namingPlace('vectors', () => kept.list())).map(({ name, range }) => [name, range]));
  return Object.fromEntries(
    asked.flatMap(([name, weight]) => {
      const [lowest, highest] = ranges.get(name) ?? [];
      return lowest === undefined || highest === undefined ? [] : [[name, Math.min(highest, Math.max(lowest, weight))]];
    }),
  );
}
