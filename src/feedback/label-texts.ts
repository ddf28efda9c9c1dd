// What the raters of a text say together, as its label.
import type { Label } from '../steerlm/attributes.ts';
import { type ConsensusRules, consensusOf } from './consensus.ts';
import { groupBy } from './group.ts';
import type { RatedTexts, SpokenReply } from './rated-texts.ts';
import { attributeOf, type Rating } from './ratings.ts';

export interface HarvestRules extends ConsensusRules {
  /** Raters with weight that must have rated an attribute of a reply, or compared two replies. */
  minRaters: number;
  /** Labels whose ratings lie further apart are left out; null leaves none out. */
  maxSpread: number | null;
}

export interface LabelledText {
  /** Of those that said the text, the first that was rated. */
  reply: SpokenReply;
  label: Label;
  /** What the label was made of. */
  ratings: Rating[];
}

/** Labels by hash of the text. Ratings of one text are taken together, whichever completion they were given to; of one rater the latest counts. */
export function labelTexts(
  { hashes, ratings, replies }: RatedTexts,
  { minRaters, maxSpread, ...rules }: HarvestRules,
  skip: (reason: 'too_few_raters' | 'spread_too_wide') => void,
): LabelledText[] {
  const spoken = ratings.flatMap((rating) => {
    const reply = attributeOf(rating.question) === null ? undefined : replies.get(rating.item);
    return reply && hashes.has(reply.hash) ? [{ reply, rating }] : [];
  });
  const labelled: LabelledText[] = [];
  for (const sameText of groupBy(spoken, ({ reply }) => reply.hash).values()) {
    const label: Label = {};
    const used: Rating[] = [];
    for (const [attribute, group] of groupBy(sameText, ({ rating }) => rating.question)) {
      const latest = [...new Map(group.map(({ rating }) => [rating.rater, rating])).values()];
      if (latest.length < minRaters) {
        skip('too_few_raters');
        continue;
      }
      const { value, spread } = consensusOf(latest, rules);
      if (maxSpread !== null && spread > maxSpread) skip('spread_too_wide');
      else {
        label[attribute] = value;
        used.push(...latest);
      }
    }
    if (used.length > 0) labelled.push({ reply: sameText[0]!.reply, label, ratings: used });
  }
  return labelled.sort((a, b) => (a.reply.hash < b.reply.hash ? -1 : 1));
}
