// What a tokenizer.json holds, as far as it is read here, and its tokens by spelling and by id.
import { z } from 'zod';
import { SteerError } from '../../errors.ts';

const highestId = 0xffffff;
const id = z.number().int().min(0).max(highestId);

/** Checked by loops: a schema for each of a hundred thousand entries takes longer than everything else that is done with them. */
const isId = (value: unknown) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= highestId;
const isText = (value: unknown) => typeof value === 'string';
const isPair = (value: unknown) => Array.isArray(value) && value.length === 2 && value.every(isText);

/** A map, also of an object: objects of so many names take several times as long to make and to read. The entry `__proto__` stays, which z.record drops. */
const vocabSchema = z.unknown().transform((value, context): ReadonlyMap<string, number> => {
  if (typeof value === 'object' && value !== null) {
    const ids: Map<string, number> = value instanceof Map ? value : new Map(Object.entries(value));
    if ([...ids.values()].every(isId)) return ids;
  }
  context.addIssue({ code: 'custom', message: 'expected an object of token ids' });
  return z.NEVER;
});
const mergesSchema = z.custom<string[] | [string, string][]>(
  (value) => Array.isArray(value) && (value.every(isText) || value.every(isPair)),
  'expected a list of pairs of texts',
);
const addedTokenSchema = z.looseObject({
  id,
  content: z.string().min(1),
  special: z.boolean().default(false),
  lstrip: z.boolean().optional(),
  rstrip: z.boolean().optional(),
});
const part = z.looseObject({ type: z.string() }).nullable().default(null);
const splitterSchema = z
  .looseObject({ type: z.string(), use_regex: z.boolean().optional(), add_prefix_space: z.boolean().optional() })
  .nullable()
  .default(null);
const tokenizerWith = <Vocab extends z.ZodType>(vocab: Vocab) =>
  z.looseObject({
    added_tokens: z.array(addedTokenSchema).default([]),
    normalizer: part,
    pre_tokenizer: splitterSchema,
    post_processor: part,
    decoder: part,
    model: z.looseObject({ type: z.literal('BPE'), unk_token: z.string().nullish(), vocab, merges: mergesSchema }),
  });
export const tokenizerSchema = tokenizerWith(vocabSchema);

export type ParsedTokenizer = z.output<typeof tokenizerSchema>;
/** As the file has it. */
export type TokenizerJson = z.output<ReturnType<typeof tokenizerWith<z.ZodType<Record<string, number>>>>>;

/** Added tokens stand in the vocabulary too: transformers counts on from its length for those that do not, whatever id the file gives them. */
export function asWritten(parsed: ParsedTokenizer): TokenizerJson {
  const vocab = Object.fromEntries([...parsed.model.vocab, ...idsOfAdded(parsed)]);
  return { ...parsed, model: { ...parsed.model, vocab } };
}

export function idsOfAdded({ added_tokens }: ParsedTokenizer): Map<string, number> {
  return new Map(added_tokens.map((token) => [token.content, token.id]));
}

/** Tokens by id; added tokens win over words of the vocabulary. Throws invalid_model where two share an id, or one is not below `vocabSize`. */
export function spellingsById(parsed: ParsedTokenizer, vocabSize: number, where: string): string[] {
  const { vocab } = parsed.model;
  const added = idsOfAdded(parsed);
  refuseForeign([vocab, added], vocabSize, where);
  const spellings: string[] = [];
  const put = (id: number, spelling: string) => {
    const other = spellings[id];
    if (other !== undefined) {
      const both = `${JSON.stringify(other)} and ${JSON.stringify(spelling)}`;
      throw new SteerError('invalid_model', `${where}: ${both} share the id ${id}.`);
    }
    spellings[id] = spelling;
  };
  vocab.forEach((id, spelling) => {
    if (!added.has(spelling)) put(id, spelling);
  });
  added.forEach(put);
  return spellings;
}

/** Before anything is laid out by id: a list up to one far too high would take memory for all ids below it. */
function refuseForeign(maps: ReadonlyMap<string, number>[], vocabSize: number, where: string): void {
  let highest = -1;
  for (const ids of maps) for (const id of ids.values()) highest = Math.max(highest, id);
  if (highest < vocabSize) return;
  const message = `${where}: expected token ids below the model's vocab_size ${vocabSize}, found ids up to ${highest}.`;
  throw new SteerError('invalid_model', `${message} The tokenizer belongs to another model.`);
}
