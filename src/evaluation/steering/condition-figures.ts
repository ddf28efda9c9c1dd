// The figures of one way of asking, from replies that were judged. Pure arithmetic; drawing the intervals takes seconds.
import { type Interval, mean } from '../../statistics.ts';
import { type AttributeSchema, type Label, maxLevel } from '../../steerlm/attributes.ts';
import { giveWay } from '../give-way.ts';
import { perplexityCost, perplexityOf, type ReplyFluency } from '../likelihood/fluency.ts';
import { type AttributeFollowing, followingOf } from './figures.ts';
import { type GridReport, gridOf } from './grid-figures.ts';
import { type LeakageReport, leakageOf } from './leakage.ts';
import type { DrawOptions } from './observations.ts';
import { byPrompt, type WrittenReply } from './observations.ts';
import { holm, permutationP } from './permutation.ts';
import type { Ask, Said } from './run.ts';
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
  /** Under a model that never saw a label; null unless measured. */
  fluency: ConditionFluency | null;
  /** [attribute][count]: rank correlation within prompts of what is asked for and a count of the text. */
  proxies: ReturnType<typeof proxyTable>;
}

/** Perplexity of what was asked for. It depends on what is said as well as on how well: short replies have fewer words that follow from others. */
export interface ConditionFluency {
  perplexity: Interval;
  /** How much more that is than of replies without any label: 0.15 is 15 %. */
  cost: Interval;
  /** The same beside replies when nothing is asked for and every attribute has its default. */
  cost_of_asking: Interval;
  /** Of the replies of each attribute's sweep, by the level asked for. */
  levels: Record<string, { requested: number; perplexity: Interval }[]>;
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
export async function conditionFigures(condition: JudgedCondition, signal: AbortSignal): Promise<ConditionFigures> {
  const { schema, attributes, judged, fluency, data, draws, seed } = condition;
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
    fluency: fluency && fluencyOf(condition, fluency),
    proxies: proxyTable(attributes, sweep, drawing),
  };
}

function fluencyOf({ schema, attributes, judged, seed }: JudgedCondition, found: readonly ReplyFluency[]): ConditionFluency {
  const replies = judged.map(({ kind, prompt, asked }, i) => ({ kind, asked, ...found[i]!, group: String(prompt) }));
  const of = (...kinds: Ask['kind'][]) => replies.filter(({ kind }) => kinds.includes(kind));
  const [sweep, asked] = [of('sweep'), of('sweep', 'target')];
  const levelsOf = (name: string) => {
    const { cap } = schema.attributes.find((attribute) => attribute.name === name)!;
    return Array.from({ length: cap + 1 }, (_, requested) => {
      const own = sweep.filter((reply) => reply.asked[name] === requested);
      return { requested, perplexity: perplexityOf(own, seed).perplexity };
    });
  };
  return {
    perplexity: perplexityOf(asked, seed).perplexity,
    cost: perplexityCost(asked, of('unlabelled'), seed),
    cost_of_asking: perplexityCost(asked, of('origin'), seed),
    levels: Object.fromEntries(attributes.map((name) => [name, levelsOf(name)])),
  };
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
