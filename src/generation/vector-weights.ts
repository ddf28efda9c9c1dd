// From the weights that a caller gives steering vectors to the sums that the engine adds, part by part of a reply, and what is told of them.
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { VectorSum, VectorTokens } from '../engine/vector-sums.ts';
import { SteerError } from '../errors.ts';
import { own } from '../own.ts';
import type { LanguageModel } from './language-model.ts';

/** By name of the vector. */
export type VectorWeights = Readonly<Record<string, number>>;

export interface VectorRequest {
  vectors?: VectorWeights | undefined;
  /** `reply` where absent. */
  vectorTokens?: VectorTokens | undefined;
  /** Weights that change on the way, on top of those before; 0 switches one off. */
  schedule?: readonly { vectors?: VectorWeights | undefined }[] | undefined;
}

/** The vectors that a reply is written under. */
export interface AddedVectors {
  /** At the start of the reply, of each that is added anywhere in it: one that begins later has 0. */
  weights: VectorWeights;
  tokens: VectorTokens;
  /** Changes with the numbers of these vectors. */
  revision: string;
}

export interface SettledVectors {
  /** Of each part of the reply; the same array where the weights stay. */
  sums: readonly (VectorSum | undefined)[];
  /** Absent where nothing is added anywhere. */
  vectors?: AddedVectors;
}

const revisionLetters = 8;

/**
 * The sums of a reply. Throws unknown_vector, vector_out_of_range or invalid_vector, and invalid_request where the model runs elsewhere, each naming
 * the place in `field`, which is where the request stands.
 */
export async function settleVectors(
  model: Pick<LanguageModel, 'id' | 'vectors'>,
  { vectors = {}, vectorTokens: tokens = 'reply', schedule = [] }: VectorRequest,
  field = 'steering.',
): Promise<SettledVectors> {
  const said = [vectors, ...schedule.map((part) => part.vectors ?? {})];
  const sums: (VectorSum | undefined)[] = [];
  const parts: VectorWeights[] = [];
  for (const [i, changed] of said.entries()) {
    const before = parts.at(-1);
    const weights = { ...before, ...changed };
    parts.push(weights);
    const place = i === 0 ? `${field}vectors` : `${field}schedule.${i - 1}.vectors`;
    sums.push(isDeepStrictEqual(weights, before) ? sums.at(-1) : await sumOf(model, weights, place));
  }
  const names = Object.keys(parts.at(-1)!).filter((name) => parts.some((weights) => (own(weights, name) ?? 0) !== 0));
  if (names.length === 0) return { sums };
  const weights = Object.fromEntries(names.map((name) => [name, own(vectors, name) ?? 0]));
  return { sums, vectors: { weights, tokens, revision: await revisionOf(model, names) } };
}

async function sumOf(
  { id, vectors }: Pick<LanguageModel, 'id' | 'vectors'>,
  weights: VectorWeights,
  field: string,
): Promise<VectorSum | undefined> {
  if (Object.keys(weights).length === 0) return undefined;
  if (vectors) return await namingPlace(field, () => vectors.sum(weights, field));
  const message = `${field}: ${id} runs on an upstream, where steering vectors cannot be added. Leave them out, or ask a model that runs on this server.`;
  throw new SteerError('invalid_request', message, { details: { param: field } });
}

/** What is wrong with the file they are kept in is told by the field that asks for them. */
export async function namingPlace<T>(field: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof SteerError) || error.code !== 'invalid_vector') throw error;
    throw new SteerError(error.code, error.message, { cause: error, details: { param: field } });
  }
}

async function revisionOf({ vectors }: Pick<LanguageModel, 'vectors'>, names: readonly string[]): Promise<string> {
  const cards = (await vectors!.list()).filter(({ name }) => names.includes(name));
  const told = cards.map(({ name, revision }) => [name, revision]).toSorted(([a], [b]) => (a! < b! ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(told)).digest('hex').slice(0, revisionLetters);
}
