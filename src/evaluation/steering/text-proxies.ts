// Plain counts of a text, beside the judge: what changed in the words themselves when an attribute was asked for. They read no meaning, so they
// cannot share the judge's mistakes. Which of them should move with an attribute is for the reader to say.
import { bootstrap, type Interval, mean, spearman } from '../../statistics.ts';
import type { DrawOptions } from './observations.ts';
import { byPrompt, type SweepReply } from './observations.ts';
import { wordsIn } from './words.ts';

const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0;

/** Marks are counted per word, or all of them would only say how long a reply is. */
export const proxies: Record<string, (text: string) => number> = {
  words: (text) => wordsIn(text).length,
  characters: (text) => text.length,
  words_per_sentence: (text) => share(wordsIn(text).length, Math.max(1, count(text, /[.!?…]+/gu))),
  mean_word_length: (text) => mean(wordsIn(text).map((word) => word.length)),
  distinct_words: (text) => share(new Set(wordsIn(text)).size, wordsIn(text).length),
  exclamation_marks: (text) => share(count(text, /!/g), wordsIn(text).length),
  question_marks: (text) => share(count(text, /\?/g), wordsIn(text).length),
  commas: (text) => share(count(text, /[,;:]/g), wordsIn(text).length),
  apostrophes: (text) => share(count(text, /['’]/g), wordsIn(text).length),
  capital_letters: (text) => share(count(text, /\p{Lu}/gu), count(text, /\p{L}/gu)),
};

/** Mean rank correlation within prompts of each requested attribute with each count: [attribute][proxy]. */
export function proxyTable(
  attributes: readonly string[],
  replies: readonly SweepReply[],
  options: DrawOptions = {},
): Record<string, Record<string, Interval>> {
  const counted = replies.map((reply) => ({ ...reply, counts: Object.values(proxies).map((of) => of(reply.text)) }));
  const names = Object.keys(proxies);
  const rows = attributes.map((attribute) => {
    const prompts = byPrompt(counted.filter((reply) => reply.attribute === attribute)).map((group) => {
      const requested = group.map((reply) => reply.requested);
      return names.map((_, i) =>
        spearman(
          requested,
          group.map(({ counts }) => counts[i]!),
        ),
      );
    });
    const figures = (drawn: readonly number[][]): Record<string, number> =>
      Object.fromEntries(names.map((name, i) => [name, mean(drawn.map((rhos) => rhos[i]!))]));
    return [attribute, bootstrap(prompts, figures, options)] as const;
  });
  return Object.fromEntries(rows);
}
