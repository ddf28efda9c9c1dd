// Turns ratings into a dataset: remembered conversations with the reply as last turn and what raters agree on as its label, and preferences into pairs.
// The same feedback under the same rules gives the same version. Knows no HTTP.
import { and, asc, eq, inArray } from 'drizzle-orm';
import { type MadeSample, storeVersion } from '../datasets/from-samples.ts';
import { contentHash, type Sample } from '../datasets/sample.ts';
import { settle } from '../datasets/settle.ts';
import { SteerError } from '../errors.ts';
import type { Label } from '../steerlm.ts';
import type { Db } from '../store/connect.ts';
import { pairs as pairTable } from '../store/feedback-schema.ts';
import { completions } from '../store/schema.ts';
import { type ConsensusRules, consensusOf } from './consensus.ts';
import { conversationOf } from './conversation.ts';
import type { KnownModels } from './feedback.ts';
import { groupBy } from './group.ts';
import { mergeSchemas } from './merge-schemas.ts';
import { findPairs, type Pair } from './pairs.ts';
import { attributeOf, loadRatings, preferenceQuestion, type Rating } from './ratings.ts';

export interface HarvestRules extends ConsensusRules {
  /** Raters with weight that must have rated an attribute of a reply, or compared two replies. */
  minRaters: number;
  /** Labels whose ratings lie further apart are left out; null leaves none out. */
  maxSpread: number | null;
}

export interface HarvestFilters {
  model?: string | undefined;
  /** Names of attributes; absent means all. */
  attributes?: string[] | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
}

export interface HarvestOptions {
  dataset: string;
  filters: HarvestFilters;
  rules: HarvestRules;
  preferences: boolean;
}

export const skipReasons = ['too_few_raters', 'spread_too_wide', 'raw_prompt', 'empty_reply', 'same_text', 'tie'] as const;
export type SkipReason = (typeof skipReasons)[number];

export interface HarvestReport {
  dataset: { id: string; name: string; version: number; hash: string };
  /** False where the newest version said the same already. */
  created: boolean;
  samples: number;
  labels: number;
  pairs: number;
  /** Labels and pairs that did not come to be, by reason. */
  skipped: Partial<Record<SkipReason, number>>;
  /** Who had a part in it, by id. */
  raters: { id: string; weight: number; ratings: number }[];
}

/** A reply as its conversation; several completions may have said the same. */
export interface SpokenReply {
  hash: string;
  model: string;
  applied: Label;
  sample: Sample;
}

/** Harvests. Throws `invalid_dataset` when nothing comes of it, `conflict` when the name belongs to another kind of dataset. */
export async function harvest(db: Db, options: HarvestOptions, models: KnownModels): Promise<HarvestReport> {
  const { filters, rules } = options;
  const skipped: HarvestReport['skipped'] = {};
  const skip = (reason: SkipReason, count = 1) => {
    skipped[reason] = (skipped[reason] ?? 0) + count;
  };
  const counting = (await loadRatings(db)).filter((rating) => rating.weight > 0 && fits(rating, filters));
  const replies = await loadReplies(db, counting, filters, skip);
  const labelled = labelReplies(counting, replies, rules, skip);
  const votes = options.preferences ? counting.filter(({ question }) => question === preferenceQuestion) : [];
  const pairs = findPairs(votes, replies, rules, skip);
  const used = [...labelled.flatMap(({ ratings }) => ratings), ...pairs.flatMap(({ votes }) => votes)];
  if (used.length === 0) throw nothing(skipped);
  const stored = await store(db, options, labelled, pairs, models);
  const labels = labelled.reduce((sum, { label }) => sum + Object.keys(label).length, 0);
  return { ...stored, samples: labelled.length, labels, pairs: pairs.length, skipped, raters: ratersOf(used) };
}

interface LabelledReply {
  reply: SpokenReply;
  label: Label;
  ratings: Rating[];
}

/** Ratings of one text are taken together, whichever completion they were given to; of one rater the latest counts. */
function labelReplies(
  ratings: readonly Rating[],
  replies: ReadonlyMap<string, SpokenReply>,
  rules: HarvestRules,
  skip: (reason: SkipReason) => void,
): LabelledReply[] {
  const spoken = ratings.flatMap((rating) => {
    const reply = attributeOf(rating.question) === null ? undefined : replies.get(rating.item);
    return reply ? [{ reply, rating }] : [];
  });
  const labelled: LabelledReply[] = [];
  for (const sameText of groupBy(spoken, ({ reply }) => reply.hash).values()) {
    const label: Label = {};
    const used: Rating[] = [];
    for (const [attribute, group] of groupBy(sameText, ({ rating }) => rating.question)) {
      const latest = [...new Map(group.map(({ rating }) => [rating.rater, rating])).values()];
      if (latest.length < rules.minRaters) {
        skip('too_few_raters');
        continue;
      }
      const { value, spread } = consensusOf(latest, rules);
      if (rules.maxSpread !== null && spread > rules.maxSpread) skip('spread_too_wide');
      else {
        label[attribute] = value;
        used.push(...latest);
      }
    }
    if (used.length > 0) labelled.push({ reply: sameText[0]!.reply, label, ratings: used });
  }
  return labelled.sort((a, b) => (a.reply.hash < b.reply.hash ? -1 : 1));
}

async function store(db: Db, options: HarvestOptions, labelled: LabelledReply[], pairs: Pair[], models: KnownModels) {
  const byModel = new Map(
    labelled.map(({ reply }) => [reply.model, models.schemaOf(reply)] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const used = new Set(labelled.flatMap(({ label }) => Object.keys(label)));
  const schema = mergeSchemas(options.dataset, [...byModel.values()], used);
  const samples = labelled.map(({ reply, label, ratings }): MadeSample => {
    const raters = new Set(ratings.map(({ rater }) => rater)).size;
    return { sample: withLabel(reply.sample, label), author: `consensus of ${raters}` };
  });
  const rows = pairs.map(({ prompt, chosen, rejected, agreement }, position) => ({
    position,
    prompt,
    chosen,
    rejected,
    agreement,
  }));
  return await db.transaction(async (tx) => {
    const made = { name: options.dataset, format: 'feedback', schema, samples, extra: JSON.stringify(rows) };
    const { dataset, created } = await storeVersion(tx, made);
    const { id, name, version, hash } = dataset;
    for (let start = 0; created && start < rows.length; start += 500) {
      await tx.insert(pairTable).values(rows.slice(start, start + 500).map((row) => ({ datasetId: id, ...row })));
    }
    return { dataset: { id, name, version, hash }, created };
  });
}

function withLabel(sample: Sample, label: Label): Sample {
  if (sample.content.kind === 'text') return sample;
  const { system, turns } = sample.content.conversation;
  const last = { ...turns.at(-1)!, label };
  return { ...sample, content: { kind: 'conversation', conversation: { system, turns: [...turns.slice(0, -1), last] } } };
}

function fits({ question, at }: Rating, { attributes, since, until }: HarvestFilters): boolean {
  const attribute = attributeOf(question);
  if (attributes && attribute !== null && !attributes.includes(attribute)) return false;
  return (!since || at >= since) && (!until || at < until);
}

/** The replies the ratings speak of, by `completion:choice`. */
async function loadReplies(
  db: Db,
  ratings: readonly Rating[],
  { model }: HarvestFilters,
  skip: (reason: SkipReason, count?: number) => void,
): Promise<Map<string, SpokenReply>> {
  const items = new Set(ratings.flatMap(({ item }) => item.split(' ')));
  const ids = [...new Set([...items].map((item) => item.slice(0, item.lastIndexOf(':'))))];
  const replies = new Map<string, SpokenReply>();
  for (let start = 0; start < ids.length; start += 500) {
    const rows = await db
      .select()
      .from(completions)
      .where(
        and(
          inArray(completions.id, ids.slice(start, start + 500)),
          model === undefined ? undefined : eq(completions.model, model),
        ),
      )
      .orderBy(asc(completions.id), asc(completions.choice));
    for (const row of rows.filter(({ id, choice }) => items.has(`${id}:${choice}`))) {
      const spoken = speak(row);
      if (typeof spoken === 'string') skip(spoken);
      else replies.set(`${row.id}:${row.choice}`, spoken);
    }
  }
  return replies;
}

function speak(row: typeof completions.$inferSelect): SpokenReply | SkipReason {
  const conversation = conversationOf(row.request);
  if (!conversation) return 'raw_prompt';
  if (row.reply.trim() === '') return 'empty_reply';
  const turns = [...conversation.turns, { role: 'assistant' as const, content: row.reply }];
  const content = { kind: 'conversation' as const, conversation: { system: conversation.system, turns } };
  const sample = settle({ content, conversationId: null, source: null }, null);
  return { hash: contentHash(content), model: row.model, applied: row.applied, sample };
}

function ratersOf(used: readonly Rating[]): HarvestReport['raters'] {
  return [...groupBy(used, ({ rater }) => rater)]
    .map(([id, own]) => ({ id, weight: own[0]!.weight, ratings: own.length }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function nothing(skipped: HarvestReport['skipped']): SteerError {
  const reasons = Object.entries(skipped).map(([reason, count]) => `${count} ${reason.replaceAll('_', ' ')}`);
  const found = reasons.length === 0 ? 'no feedback fits the filters' : `left out: ${reasons.join(', ')}`;
  return new SteerError('invalid_dataset', `Expected feedback that becomes at least one label or pair; ${found}.`);
}
