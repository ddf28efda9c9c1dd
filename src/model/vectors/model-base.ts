// Which model steering vectors are for: by what stays the same however its weights are stored. Vectors of one fit the others that are the same here:
// its Q4_1, Q8_0 and bfloat16 files, and copies whose projections were trained further.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { SteerError } from '../../errors.ts';
import { faultText } from '../../shape-faults.ts';
import { ggufHeader, ggufOf, requireModelFile } from '../formats/gguf-folder.ts';
import { ggufWords } from '../formats/gguf-vocabulary.ts';
import { toBfloat16 } from '../formats/half-floats.ts';
import { readShape } from '../model-folder.ts';
import { type LlamaShape, parameterShapes } from '../shape.ts';
import { tokenizerSchema } from '../tokenizer/tokenizer-json.ts';
import { openWeights, weightFiles } from '../weights.ts';
import { MadeOfFiles } from './made-of-files.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const modelBaseSchema = z.object({
  layers: z.int(),
  width: z.int(),
  intermediate: z.int(),
  heads: z.int(),
  key_heads: z.int(),
  head_width: z.int(),
  /** Of the words of its vocabulary with their ids. */
  tokenizer_sha256: sha256,
  /** Of the weights of all norms in bfloat16, in the order of the layers. */
  norms_sha256: sha256,
});
export type ModelBase = z.infer<typeof modelBaseSchema>;

const bases = new MadeOfFiles<ModelBase>();

/** What the model in a folder is known by, computed once for as long as its files do not change. Throws invalid_model in one clear line. */
export async function modelBaseOf(folder: string): Promise<ModelBase> {
  const gguf = await ggufOf(folder);
  const names = ['config.json', 'tokenizer.json', ...(gguf === undefined ? await weightFiles(folder) : [])];
  const paths = [...names.map((name) => join(folder, name)), ...(gguf === undefined ? [] : [gguf])];
  return await bases.get(folder, paths, () => readBase(folder));
}

async function readBase(folder: string): Promise<ModelBase> {
  const shape = await readShape(folder);
  return {
    layers: shape.layers,
    width: shape.hiddenSize,
    intermediate: shape.intermediateSize,
    heads: shape.heads,
    key_heads: shape.kvHeads,
    head_width: shape.headDim,
    tokenizer_sha256: await hashTokenizer(folder),
    norms_sha256: await hashNorms(folder, shape),
  };
}

/** A GGUF file keeps norms in float32 whatever its matrices are in; rounding undoes what a file has beside bfloat16. */
async function hashNorms(folder: string, shape: LlamaShape): Promise<string> {
  const hash = createHash('sha256');
  const weights = await openWeights(folder, shape);
  try {
    for (const name of parameterShapes(shape).keys()) {
      if (name.endsWith('norm.weight')) hash.update(toBfloat16(await weights.read(name)));
    }
  } finally {
    await weights.close();
  }
  return hash.digest('hex');
}

/** Files of one model list control tokens, room for more, and runs of white space in several ways. */
async function hashTokenizer(folder: string): Promise<string> {
  const words = (await wordsOf(folder)).filter(([word]) => !/^[\s▁]+$/u.test(word));
  const hash = createHash('sha256');
  for (const [word, id] of words.sort(([, a], [, b]) => a - b)) hash.update(`${id} ${JSON.stringify(word)}\n`);
  return hash.digest('hex');
}

/** A GGUF file's are read alone: making a whole tokenizer of them takes seconds where they are many. */
async function wordsOf(folder: string): Promise<[string, number][]> {
  const gguf = await ggufOf(folder);
  if (gguf !== undefined) return await ggufWords(await ggufHeader(gguf));
  const { path, content } = await requireModelFile(folder, 'tokenizer.json');
  const parsed = tokenizerSchema.safeParse(content);
  if (!parsed.success) throw new SteerError('invalid_model', `${path}: ${faultText(parsed.error, 'content')}.`);
  const added = new Set(parsed.data.added_tokens.map((token) => token.content));
  return [...parsed.data.model.vocab].filter(([word]) => !added.has(word));
}
