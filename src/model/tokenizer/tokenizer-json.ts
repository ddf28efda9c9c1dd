// What a tokenizer.json holds, as far as it is read here, and its tokens by spelling and by id.
import { z } from 'zod';
import { SteerError } from '../../errors.ts';

const id = z.number().int().min(0).max(0xffffff);
/** Not z.record, which would drop the entry `__proto__` that large vocabularies hold. */
const vocabSchema = z.custom<Record<string, number>>(
  (value) => typeof value === 'object' && value !== null && Object.values(value).every((entry) => id.safeParse(entry).success),
  'expected an object of token ids',
);
const addedTokenSchema = z.looseObject({
  id,
  content: z.string().min(1),
  special: z.boolean().default(false),
  lstrip: z.boolean().optional(),
  rstrip: z.boolean().optional(),
});
const mergesSchema = z.union([z.array(z.string()), z.array(z.tuple([z.string(), z.string()]))]);
const part = z.looseObject({ type: z.string() }).nullable().default(null);
const splitterSchema = z
  .looseObject({ type: z.string(), use_regex: z.boolean().optional(), add_prefix_space: z.boolean().optional() })
  .nullable()
  .default(null);
export const tokenizerSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema).default([]),
  normalizer: part,
  pre_tokenizer: splitterSchema,
  post_processor: part,
  decoder: part,
  model: z.looseObject({ type: z.literal('BPE'), unk_token: z.string().nullish(), vocab: vocabSchema, merges: mergesSchema }),
});

export type TokenizerJson = z.infer<typeof tokenizerSchema>;
/** Added tokens win over words of the vocabulary. */
export function idsBySpelling(json: TokenizerJson): Map<string, number> {
  const ids = new Map(Object.entries(json.model.vocab));
  for (const token of json.added_tokens) ids.set(token.content, token.id);
  return ids;
}

/** Before anything is laid out by id: a list up to one far too high would take memory for all ids below it. */
export function refuseForeign(ids: Map<string, number>, vocabSize: number, where: string): void {
  let highest = -1;
  for (const id of ids.values()) highest = Math.max(highest, id);
  if (highest < vocabSize) return;
  const message = `${where}: expected token ids below the model's vocab_size ${vocabSize}, found ids up to ${highest}.`;
  throw new SteerError('invalid_model', `${message} The tokenizer belongs to another model.`);
}

/** Throws invalid_model where two spellings share an id. */
export function spellingsById(ids: Map<string, number>, where: string): string[] {
  const spellings: string[] = [];
  for (const [spelling, id] of ids) {
    const other = spellings[id];
    if (other !== undefined) {
      throw new SteerError(
        'invalid_model',
        `${where}: ${JSON.stringify(other)} and ${JSON.stringify(spelling)} share the id ${id}.`,
      );
    }
    spellings[id] = spelling;
  }
  return spellings;
}
