// The figures of one way of asking, from replies that were judged. Pure arithmetic; drawing the intervals takes seconds.
import { type Interval, mean } from '../statistics.ts';
import { type AttributeSchema, type Label, maxLevel } from '../steerlm.ts';
import { perplexityCost, perplexityOf, type ReplyFluency } from './fluency.ts';
import { giveWay } from './give-way.ts';
import { type GridReport, gridOf } from './grid-figures.ts';
import { type LeakageReport, leakageOf } from './leakage.ts';
import { byPrompt, type WrittenReply } from './observations.ts';
import { holm, permutationP } from './permutation.ts';
import { type AttributeFollowing, type DrawOptions, followingOf } from './steering-figures.ts';
import type { Ask, Said } from './steering-run.ts';
import { healthOf, type TextHealth } from './text-health.ts';
import { proxyTable } from './text-proxies.ts';

export interface FollowedAttribute extends AttributeFollowing {
  /** Chance that replies which follow nothing look as steered, alone and among all attributes (Holm). */
  p_value: number;
  p_holm: number;
}

export interface ConditionFigures {
  attributes: Record<string, FollowedAttribute>;
  leakage: LeakageReport;
  grid: GridReport | null;
  text: TextHealth;
  /** Under a model that never saw a label: perplexity of what was asked for, and how much more that is than without a label; null unless measured. */
  fluency: { perplexity: Interval; cost: Interval } | null;
  /** [attribute][count]: rank correlation within prompts of what is asked for and a count of the text. */
  proxies: ReturnType<typeof proxyTable>;
}

export type JudgedReply = Said & WrittenReply;

export interface JudgedCondition {
  /** Of the evaluated model. */
  schema: AttributeSchema;
  /** Attributes that were asked for and judged. */
  attributes: readonly string[];
  judged: readonly JudgedReply[];
  /** Of each reply, in order; null unless measured. */
  fluency: readonly ReplyFluency[] | null;
  /** Slopes between the labels of data, for the leakage it explains; null without. */
  data: number[][] | null;
  draws: number;
  seed: number;
}

/** Throws `cancelled`. */
export async function conditionFigures(
  { schema, attributes, judged, fluency, data, draws, seed }: JudgedCondition,
  signal: AbortSignal,
): Promise<ConditionFigures> {
  const drawing: DrawOptions = { draws, seed };
  const sweep = ofKind(judged, 'sweep').map((reply) => {
    const [[attribute, requested]] = Object.entries(reply.asked) as [[string, number]];
    return { ...reply, attribute, requested };
  });
  const targets = ofKind(judged, 'target').map((reply) => ({ ...reply, target: reply.asked }));
  const followed: AttributeFollowing[] = [];
  const p: number[] = [];
  for (const name of attributes) {
    await giveWay(signal);
    followed.push(followingOf(name, sweep, drawing));
    p.push(permutationP(name, sweep, drawing));
  }
  await giveWay(signal);
  const adjusted = holm(p);
  const scales = Object.fromEntries(
    schema.attributes.filter(({ name }) => attributes.includes(name)).map((attribute) => [attribute.name, maxLevel(attribute)]),
  );
  return {
    attributes: Object.fromEntries(
      attributes.map((name, i) => [name, { ...followed[i]!, p_value: p[i]!, p_holm: adjusted[i]! }]),
    ),
    leakage: leakageOf(attributes, sweep, { data, ...drawing }),
    grid: gridOf(scales, targets, originsOf(judged, attributes), drawing),
    text: healthOf(schema, [...sweep, ...targets], drawing),
    fluency: fluency && fluencyOf(judged, fluency, seed),
    proxies: proxyTable(attributes, sweep, drawing),
  };
}

function fluencyOf(judged: readonly JudgedReply[], found: readonly ReplyFluency[], seed: number): ConditionFigures['fluency'] {
  const replies = judged.map(({ kind, prompt }, i) => ({ kind, ...found[i]!, group: String(prompt) }));
  const asked = replies.filter(({ kind }) => kind === 'sweep' || kind === 'target');
  const free = replies.filter(({ kind }) => kind === 'unlabelled');
  return { perplexity: perplexityOf(asked, seed).perplexity, cost: perplexityCost(asked, free, seed) };
}

function ofKind(judged: readonly JudgedReply[], kind: Ask['kind']): JudgedReply[] {
  return judged.filter((reply) => reply.kind === kind);
}

/** What is obtained of each prompt when nothing is asked for. */
function originsOf(judged: readonly JudgedReply[], attributes: readonly string[]): Map<number, Label> {
  const groups = byPrompt(ofKind(judged, 'origin'));
  return new Map(
    groups.map((group) => [
      group[0]!.prompt,
      Object.fromEntries(attributes.map((name) => [name, mean(group.map(({ obtained }) => obtained[name]!))])),
    ]),
  );
}
