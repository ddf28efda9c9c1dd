// Words that a model's card keeps out of replies of which less of an attribute is asked. A small model says a rude sentence that it knows by heart
// whatever level is asked of it.
import { z } from 'zod';
import { own } from '../own.ts';
import { recordOf } from '../record-of.ts';
import type { AttributeSchema, Label } from '../steerlm/attributes.ts';

const longestWord = 64;
const mostWords = 256;

/** A word or a phrase that a reply is not to hold. */
export const badWord = z.string().max(longestWord).regex(/\S/u, 'expected a word, found none');

/** By attribute. */
export const badWordRules = recordOf(
  z.string(),
  z.strictObject({
    /** They are kept out where less is asked, which between two levels is a fraction. */
    below: z.number().positive(),
    words: z.array(badWord).min(1).max(mostWords),
  }),
);
export type BadWordRules = z.infer<typeof badWordRules>;

/** The words that the rules keep out of a reply under the label. An attribute that it leaves open keeps none out. */
export function badWordsUnder(rules: BadWordRules | undefined, label: Label): string[] {
  return Object.entries(rules ?? {}).flatMap(([name, { below, words }]) => {
    const level = own(label, name);
    return level !== undefined && level < below ? words : [];
  });
}

/** Adds an issue for each rule of an attribute that the card's schema lacks. */
export function refuseStrangers(
  {
    attribute_schema: schema,
    bad_words: rules = {},
  }: { attribute_schema: AttributeSchema | null; bad_words?: BadWordRules | undefined },
  context: z.RefinementCtx,
): void {
  for (const name of Object.keys(rules)) {
    if (schema?.attributes.some((attribute) => attribute.name === name)) continue;
    context.addIssue({ code: 'custom', path: ['bad_words', name], message: 'expected an attribute of attribute_schema' });
  }
}
