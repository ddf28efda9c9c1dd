// A predictor beside what the length and the words of a reply tell, on rated replies: rank correlations with intervals, a row for each attribute.

import { judgementsOf } from '../src/evaluation/predictor/attribute-evaluation.ts';
import { attributeFigures, type Judgement } from '../src/evaluation/predictor/figures.ts';
import { type RatedData, type RatedReply, wordsOf } from '../src/evaluation/predictor/rated-data.ts';
import { openPredictor } from '../src/predictor/open.ts';
import { ratedReplies } from '../src/predictor/readings.ts';
import type { Interval } from '../src/statistics.ts';
import type { Attribute, AttributeSchema } from '../src/steerlm/attributes.ts';
import type { Conversation } from '../src/steerlm/conversation.ts';
import { table } from './results.ts';

const never = new AbortController().signal;

/** What a predictor and the baselines say of replies, by attribute; each fold brings its own. */
export type Judgements = Map<string, Judgement[]>;

/** Adds what the predictor in the folder says of the judged replies, and baselines that are fitted on the others. */
export async function judge(predictor: string, schema: AttributeSchema, data: RatedData, into: Judgements): Promise<void> {
  const opened = await openPredictor(predictor, { threads: 2 });
  const scores = [];
  for (let from = 0; from < data.judged.length; from += 256) {
    const batch = data.judged.slice(from, from + 256).map(({ conversation }) => conversation);
    scores.push(...(await opened.score(batch, never)));
  }
  await opened.dispose();
  for (const attribute of schema.attributes) {
    const known = into.get(attribute.name) ?? [];
    into.set(attribute.name, known.concat(judgementsOf(attribute, data, scores)));
  }
}

/** Rated replies of conversations; those of one conversation, whoever is taken for the assistant, are drawn together. */
export function repliesOf(conversations: readonly Conversation[]): RatedReply[] {
  const groups = new Map<string, number>();
  return conversations.flatMap((whole) => {
    const key = whole.turns.map(({ content }) => content).join('\n');
    groups.set(key, groups.get(key) ?? groups.size);
    return Array.from(ratedReplies({ kind: 'conversation', conversation: whole }), ({ conversation, label }) =>
      asRated(conversation, label, groups.get(key)!),
    );
  });
}

export function asRated(conversation: Conversation, label: RatedReply['label'], group: number): RatedReply {
  const text = conversation.turns.at(-1)!.content;
  return { conversation, label, text, words: wordsOf(text).length, prompt: String(group), group };
}

function rowOf(attribute: Attribute, judgements: readonly Judgement[]): string[] {
  const { figures, baselines, beats_baselines } = attributeFigures(judgements, attribute, 0);
  const names = ['length', 'ngrams'];
  const nearest = names.map((name) => baselines[name]!.spearman_ahead).sort((a, b) => a.value - b.value)[0]!;
  const theirs = names.map((name) => baselines[name]!.spearman.value.toFixed(3));
  const groups = new Set(judgements.map(({ group }) => group)).size;
  const counts = [String(judgements.length), String(groups)];
  return [attribute.name, ...counts, spell(figures.spearman), ...theirs, spell(nearest), beats_baselines ? 'yes' : 'no'];
}

function spell({ value, low, high }: Interval): string {
  return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}

const head = ['attribute', 'replies', 'conversations', 'predictor', 'length', 'words', 'ahead of the better', 'beats both'];

/** A row for each attribute of each schema. */
export function judgementTable(found: readonly (readonly [AttributeSchema, Judgements])[]): string {
  const rows = found.flatMap(([{ attributes }, judgements]) =>
    attributes.map((attribute) => rowOf(attribute, judgements.get(attribute.name)!)),
  );
  return table(head, rows);
}
