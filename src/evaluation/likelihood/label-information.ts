// What labels tell a model about replies, from readings of held-out replies under several labels: steering measured without generating anything.
// A model trained on shuffled labels gains nothing from them. Pure arithmetic.
import { own } from '../../own.ts';
import { bootstrap, type Interval, mean, quadraticKappa, quantile, spearman } from '../../statistics.ts';
import type { AttributeSchema } from '../../steerlm/attributes.ts';
import type { LabelReading } from './label-readings.ts';

/**
 * The level under which a reply is likeliest, against the level of its label. Likeliest may be so by a hair: where the gain is 0, all but the
 * probability only tell which way that hair falls, and replies that say the same fall the same way.
 */
export interface LevelRecovery {
  /** Of the true level given the reply, when all levels are as likely before it. */
  probability: Interval;
  accuracy: Interval;
  mae: Interval;
  kappa: Interval;
  spearman: Interval;
  /** Who knows nothing: one over the levels; the commonest level, and the middle one, as the answer to all. Kappa and rank correlation are 0. */
  chance: { probability: number; accuracy: number; mae: number };
}

export interface AttributeInformation {
  replies: number;
  /** Nats per token that the true level saves against the levels of the other replies, each as often as it occurs. */
  gain: Interval;
  /** The same, per reply. */
  gain_per_reply: Interval;
  recovery: LevelRecovery;
}

export interface LabelInformation {
  replies: number;
  groups: number;
  tokens: number;
  /** Nats per token under the true label. */
  nll: Interval;
  /** Nats per token that the true label saves against the labels of other replies. */
  gain: Interval;
  /** Nats per token that the true label saves against no label. */
  gain_over_none: Interval;
  /** By attribute; one that fewer than two replies are labelled with is absent. */
  attributes: Record<string, AttributeInformation>;
}

/** Every figure with its interval when groups are drawn anew. */
export function labelInformation(schema: AttributeSchema, readings: readonly LabelReading[], seed = 0): LabelInformation {
  const groups = byGroup(readings);
  const whole = bootstrap(
    groups,
    (drawn) => {
      const rows = drawn.flat();
      const tokens = total(rows, ({ tokens: count }) => count);
      return {
        nll: total(rows, ({ own }) => own) / tokens,
        gain: total(rows, ({ own, others }) => others - own) / tokens,
        gain_over_none: total(rows, ({ own, none }) => none - own) / tokens,
      };
    },
    { seed, draws: drawsFor(readings.length) },
  );
  const attributes = schema.attributes.flatMap(({ name }): [string, AttributeInformation][] => {
    const labelled = readings.filter((reading) => own(reading.attributes, name));
    return labelled.length < 2 ? [] : [[name, attributeInformation(name, labelled, seed)]];
  });
  return {
    replies: readings.length,
    groups: groups.length,
    tokens: total(readings, ({ tokens }) => tokens),
    ...whole,
    attributes: Object.fromEntries(attributes),
  };
}

/** Replies whose conversations are about as long. */
export interface LengthClass {
  /** Tokens of the conversation, from more than the one to at most the other. */
  above: number;
  to: number;
  replies: number;
  /** Nats per token under the true label. */
  nll: Interval;
}

/** Loss by how much of the context is in use, in eighths; eighths without replies are left out. What was never trained that long shows here. */
export function lossByLength(readings: readonly LabelReading[], contextLength: number, seed = 0): LengthClass[] {
  return Array.from({ length: 8 }, (_, i) => [Math.round((i * contextLength) / 8), Math.round(((i + 1) * contextLength) / 8)])
    .map(([above, to]) => ({ above: above!, to: to!, rows: readings.filter(({ length }) => length > above! && length <= to!) }))
    .filter(({ rows }) => rows.length > 0)
    .map(({ above, to, rows }) => {
      const perToken = (drawn: readonly LabelReading[]) => total(drawn, ({ own }) => own) / total(drawn, ({ tokens }) => tokens);
      const { nll } = bootstrap(byGroup(rows), (drawn) => ({ nll: perToken(drawn.flat()) }), {
        seed,
        draws: drawsFor(rows.length),
      });
      return { above, to, replies: rows.length, nll };
    });
}

interface Row {
  tokens: number;
  level: number;
  nats: number[];
  /** Level under which the reply is likeliest. */
  recovered: number;
}

function attributeInformation(name: string, labelled: readonly LabelReading[], seed: number): AttributeInformation {
  const groups = byGroup(labelled).map((group) =>
    group.map(({ tokens, attributes }): Row => {
      const { level, nats } = attributes[name]!;
      return { tokens, level, nats, recovered: nats.indexOf(Math.min(...nats)) };
    }),
  );
  const figures = bootstrap(groups, (drawn) => figuresOf(drawn.flat()), { seed, draws: drawsFor(labelled.length) });
  const { gain, gain_per_reply, ...recovery } = figures;
  const levels = groups.flat().map(({ level }) => level);
  const shares = sharesOf(levels);
  const middle = Math.round(quantile(levels, 0.5));
  const chance = {
    probability: mean(groups.flat().map(({ nats }) => 1 / nats.length)),
    accuracy: Math.max(...shares),
    mae: mean(levels.map((level) => Math.abs(level - middle))),
  };
  return { replies: labelled.length, gain, gain_per_reply, recovery: { ...recovery, chance } };
}

function figuresOf(rows: readonly Row[]) {
  const levels = rows.map(({ level }) => level);
  const recovered = rows.map((row) => row.recovered);
  // The mean over all permutations of the levels among the rows, exactly: a level comes as often as its share.
  const shares = sharesOf(levels);
  const saved = total(rows, ({ nats, level }) => shares.reduce((sum, share, at) => sum + share * nats[at]!, 0) - nats[level]!);
  return {
    gain: saved / total(rows, ({ tokens }) => tokens),
    gain_per_reply: saved / rows.length,
    probability: mean(rows.map(({ nats, level }) => 1 / total(nats, (each) => Math.exp(nats[level]! - each)))),
    accuracy: mean(rows.map((row) => Number(row.recovered === row.level))),
    mae: mean(rows.map((row) => Math.abs(row.recovered - row.level))),
    kappa: quadraticKappa(rows.map((row) => [row.level, row.recovered])) ?? Number.NaN,
    spearman: spearman(levels, recovered),
  };
}

/** Share of the rows at each level, from 0 to the highest there is. */
function sharesOf(levels: readonly number[]): number[] {
  const shares = new Array<number>(levels.reduce((a, b) => Math.max(a, b), 0) + 1).fill(0);
  for (const level of levels) shares[level]! += 1 / levels.length;
  return shares;
}

/** Rows of the same group together: they are drawn as one. */
export function byGroup<Row extends { group: string }>(rows: readonly Row[]): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.group);
    if (group) group.push(row);
    else groups.set(row.group, [row]);
  }
  return [...groups.values()];
}

/** Fewer where each takes longer: the interval of many replies needs no more. */
export function drawsFor(rows: number): number {
  return rows > 5000 ? 200 : 1000;
}

export function total<Row>(rows: readonly Row[], of: (row: Row) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0);
}
