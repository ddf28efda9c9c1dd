// Whether replies are still whole, varied text: what steering may cost and no predictor of attributes would tell.
import { bootstrap, type Interval, mean } from '../../statistics.ts';
import type { AttributeSchema } from '../../steerlm/attributes.ts';
import { controlTokens } from '../../steerlm/prompt-layout.ts';
import type { DrawOptions } from './observations.ts';
import { byPrompt, type WrittenReply } from './observations.ts';
import { gramsOf, wordsIn } from './words.ts';

export interface TextHealth {
  replies: number;
  /**
   * Distinct n-grams ÷ n-grams of all replies together. Without an interval: prompts that are drawn twice repeat themselves, so every draw
   * would say less. It falls with the number of replies; compare equal numbers only.
   */
  distinct_1: number;
  distinct_2: number;
  distinct_3: number;
  /** Share of 4-grams that occurred before in the same reply. */
  repeated_4grams: Interval;
  /** Replies that say one of their sentences again; see `saysTwice`. */
  repeated_sentence: Interval;
  empty: Interval;
  /** Ended for want of room. */
  unfinished: Interval;
  /** Replies that hold a part of a label, as `name:3`, or a control token spelled out. */
  label_echo: Interval;
  words: Interval;
}

/** Whether two sentences are the same but for case and punctuation. Those of one or two words (No. Well now.) may come again. */
export function saysTwice(text: string): boolean {
  const sentences = text
    .split(/(?<=[.!?…])\s+/u)
    .map(wordsIn)
    .filter((words) => words.length > 2)
    .map((words) => words.join(' '));
  return new Set(sentences).size < sentences.length;
}

/** Tells replies that hold a part of a label of the schema or a control token. */
export function echoTest(schema: AttributeSchema): (text: string) => boolean {
  const names = schema.attributes.map(({ name }) => name.replace(/[^\p{L}\p{N}]/gu, '\\$&')).join('|');
  const part = new RegExp(`(?<![\\p{L}\\p{N}_])(?:${names})\\s?:\\s?\\d`, 'iu');
  const spelled = Object.values(controlTokens);
  return (text) => (names !== '' && part.test(text)) || spelled.some((token) => text.includes(token));
}

/** The figures of all replies together. */
export function healthOf(schema: AttributeSchema, replies: readonly WrittenReply[], options: DrawOptions = {}): TextHealth {
  const echoes = echoTest(schema);
  const read = replies.map(({ prompt, text, unfinished }) => {
    const words = wordsIn(text);
    const grams = gramsOf(words, 4);
    return {
      prompt,
      words: words.length,
      grams: grams.length,
      repeated: grams.length - new Set(grams).size,
      twice: Number(saysTwice(text)),
      empty: Number(text.trim() === ''),
      unfinished: Number(unfinished),
      echo: Number(echoes(text)),
    };
  });
  type Read = (typeof read)[number];
  const total = (drawn: readonly Read[], of: (reply: Read) => number) => drawn.reduce((sum, reply) => sum + of(reply), 0);
  const figures = bootstrap(
    byPrompt(read),
    (groups) => {
      const drawn = groups.flat();
      return {
        repeated_4grams:
          total(drawn, (reply) => reply.repeated) /
          Math.max(
            1,
            total(drawn, (reply) => reply.grams),
          ),
        repeated_sentence: mean(drawn.map((reply) => reply.twice)),
        empty: mean(drawn.map((reply) => reply.empty)),
        unfinished: mean(drawn.map((reply) => reply.unfinished)),
        label_echo: mean(drawn.map((reply) => reply.echo)),
        words: mean(drawn.map((reply) => reply.words)),
      };
    },
    options,
  );
  const texts = replies.map(({ text }) => wordsIn(text));
  return {
    replies: replies.length,
    distinct_1: distinct(texts, 1),
    distinct_2: distinct(texts, 2),
    distinct_3: distinct(texts, 3),
    ...figures,
  };
}

function distinct(texts: readonly (readonly string[])[], n: number): number {
  const grams = texts.flatMap((words) => gramsOf(words, n));
  return grams.length === 0 ? Number.NaN : new Set(grams).size / grams.length;
}
